"""The page's own TLS key, certificate and token, made at first start where provisioning has not put them there.

    page.key    P-256, mode 0600       page.pem    self-signed certificate       page.token    SHA-256 of the token, hex

Browsers warn once about a certificate that nobody signed; what tells the device from an impostor is the pin, SHA-256 over
the public key's SubjectPublicKeyInfo, which the QR code carries and `passerby-provision verify` compares. Without a folder
everything lives in memory and is new at each start. The certificate's times do not depend on a clock that may be wrong.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firmware.clock import BUILT_MS
from firmware.errors import DataError, StorageError
from firmware.private_file import replace_file
from firmware.status.access import new_token, token_hash

VALID_DAYS: Final = 7300  # twenty years: longer than a device hangs; nobody renews it, and the pin is of the key
KEY, CERTIFICATE, TOKEN = "page.key", "page.pem", "page.token"


@dataclass(frozen=True, slots=True)
class PageKeys:
    """What the page shows and what it compares with. `token` is the text, only when it was made just now."""

    context: ssl.SSLContext
    pin: str
    token_hash: str
    token: str = ""


def page_keys(folder: Path | None, draw: Callable[[int], bytes] = os.urandom, *, new: bool = False) -> PageKeys:
    """Read, or make what is missing; `new` makes another token in any case. None: in memory alone.

    Raises:
        StorageError: the folder cannot be read or written.
        DataError: what is in it is no key, certificate or hash.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="passerby-page-") as fresh:
            return page_keys(Path(fresh), draw, new=True)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = folder / KEY
        if not key.exists():
            _write(key, _new_key())
            (folder / CERTIFICATE).unlink(missing_ok=True)
        if not (folder / CERTIFICATE).exists():
            _write(folder / CERTIFICATE, _certificate(key.read_bytes()))
        token = ""
        if new or not (folder / TOKEN).exists():
            token = new_token(draw)
            _write(folder / TOKEN, (token_hash(token) or "").encode())
        return PageKeys(_context(folder), spki_pin(folder / CERTIFICATE), _kept_hash(folder / TOKEN), token)
    except OSError as error:
        raise StorageError(f"cannot keep the page's keys in {folder}: {error.strerror}", "the service must own this folder") from error
    except ValueError as error:
        raise DataError(f"{folder} holds no keys of a page: {error}", "delete page.key and page.pem there; new ones are made") from error


def spki_pin(certificate: Path) -> str:
    """SHA-256 over the certificate's SubjectPublicKeyInfo, hex."""
    return pin_of(x509.load_pem_x509_certificate(certificate.read_bytes()))


def pin_of(certificate: x509.Certificate) -> str:
    """As `spki_pin`, of a certificate that was shown."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    try:
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    except ssl.SSLError as error:
        raise DataError(f"{folder}: key and certificate do not belong together", f"delete {folder / CERTIFICATE}") from error
    return context


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(key_pem: bytes) -> bytes:
    key = load_pem_private_key(key_pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise DataError("page.key is not a P-256 key", "delete it; a new one is made")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Passerby device")])  # nothing about the shop
    began = datetime.fromtimestamp(BUILT_MS / 1000, UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _kept_hash(path: Path) -> str:
    text = path.read_text(encoding="ascii").strip()
    if len(text) != 64 or any(character not in "0123456789abcdef" for character in text):
        raise ValueError(f"{path.name} is no hash of a token")
    return text


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner alone: the service, also after an operator's `sudo passerby token`."""
    replace_file(path, content, 0o600, owned_as_folder=True)
