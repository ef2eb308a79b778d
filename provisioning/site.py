"""A site's keys, made once on the operator's machine.

    site.toml       public: name, suite, recipient key and id, receipt key (devices get a copy as trust.toml)
    ca.pem, ca.key                the site's certificate authority (signs devices and the collector's server)
    recipient.key                 opens envelopes; only the opening tier needs it. Its 32 octets are the X25519 scalar
                                  in suite 1, the X-Wing seed in suite 2; both wrapped as an X25519 PKCS#8 key
    receipt.key                   signs acknowledgements
    server.pem, server.key        the collector's TLS certificate
    devices/<id>.toml             one public record per device

Private keys are PKCS#8, encrypted with the passphrase unless there is none; server.key and receipt.key are read by a
service without a keyboard and stay unencrypted, mode 0600. The site folder is all that a collector needs.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from firmware.errors import ConfigError, DataError
from firmware.private_file import make_private_folder, write_private, write_whole
from firmware.uplink.recipient import KEY_BYTES, SUITE_X25519, SUITE_XWING, OpeningKey, recipient_id
from provisioning.certificates import make_authority, make_server, new_tls_key

SUITES: Final = (SUITE_X25519, SUITE_XWING)

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey


@dataclass(frozen=True, slots=True)
class SiteCard:
    """What is public about a site: `site.toml`."""

    name: str
    suite: int
    recipient: bytes
    receipt: bytes

    @property
    def recipient_id(self) -> bytes:
        """8 bytes that name the recipient key in every envelope."""
        return recipient_id(self.suite, self.recipient)

    def toml(self) -> str:
        """The text of site.toml."""
        return (
            f'site = "{self.name}"\nsuite = {self.suite}\nrecipient_id = "{self.recipient_id.hex()}"\n'
            f'recipient = "{self.recipient.hex()}"\nreceipt = "{self.receipt.hex()}"\n'
        )


def init_site(folder: Path, name: str, suite: int, hosts: Sequence[str], passphrase: bytes | None, now: datetime) -> SiteCard:
    """Make all keys of a new site in `folder`.

    Args:
        folder: made if missing; must hold no site yet.
        name: up to 64 printable characters without quotes.
        suite: 1 or 2.
        hosts: names and addresses under which devices reach the collector.
        passphrase: for ca.key and recipient.key; None leaves them unencrypted.
        now: with time zone, for the certificates.

    Raises:
        ConfigError: bad name, suite or hosts.
        StorageError: the folder holds a site, or cannot be written.
    """
    _check_name(name)
    if suite not in SUITES:
        raise ConfigError(f"suite {suite} does not exist", "1 is X25519, 2 is X-Wing (post-quantum hybrid)")
    if not hosts:
        raise ConfigError("no host for the collector", "--host collector.example.com, once per name or address")
    make_private_folder(folder)
    make_private_folder(folder / "devices")
    secret = os.urandom(KEY_BYTES)
    receipt = ed25519.Ed25519PrivateKey.generate()
    card = SiteCard(name, suite, OpeningKey.from_private_bytes(suite, secret).public, receipt.public_key().public_bytes_raw())
    authority_key, server_key = new_tls_key(), new_tls_key()
    authority = make_authority(name, authority_key, now)
    server = make_server(authority, authority_key, server_key.public_key(), hosts, now)
    write_private(folder / "ca.key", private_pem(authority_key, passphrase))
    write_private(folder / "recipient.key", private_pem(x25519.X25519PrivateKey.from_private_bytes(secret), passphrase))
    write_private(folder / "receipt.key", private_pem(receipt, None))
    write_private(folder / "server.key", private_pem(server_key, None))
    write_whole(folder / "ca.pem", authority.public_bytes(Encoding.PEM))
    write_whole(folder / "server.pem", server.public_bytes(Encoding.PEM))
    write_whole(folder / "site.toml", card.toml().encode())
    return card


def load_card(path: Path) -> SiteCard:
    """Read a site.toml or trust.toml.

    Raises:
        DataError: it is missing or not what it should be.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        card = SiteCard(table["site"], table["suite"], bytes.fromhex(table["recipient"]), bytes.fromhex(table["receipt"]))
        stated = bytes.fromhex(table["recipient_id"])
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "passerby-provision site init makes one") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not a site card: {error}", "copy it anew from the site folder") from error
    if stated != card.recipient_id:
        raise DataError(f"{path}: the recipient key does not match its id", "copy it anew from the site folder")
    return card


def load_authority(folder: Path, passphrase: bytes | None) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The site's certificate authority with its key.

    Raises:
        DataError: missing, damaged, or another passphrase.
    """
    try:
        authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    except OSError as error:
        raise DataError(f"{folder} holds no site: {error.strerror} ({error.filename})", "passerby-provision site init") from error
    except ValueError as error:
        raise DataError(f"{folder / 'ca.pem'} is not a certificate") from error
    key = _load_private(folder / "ca.key", passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise DataError(f"{folder / 'ca.key'} is not a P-256 key")
    return authority, key


def load_opening_key(folder: Path, passphrase: bytes | None) -> OpeningKey:
    """What opens the site's envelopes.

    Raises:
        DataError: missing, damaged, another passphrase, or not the key of the site card.
    """
    card = load_card(folder / "site.toml")
    key = _load_private(folder / "recipient.key", passphrase)
    if not isinstance(key, x25519.X25519PrivateKey):
        raise DataError(f"{folder / 'recipient.key'} is not a recipient key")
    opening = OpeningKey.from_private_bytes(card.suite, key.private_bytes_raw())
    if opening.key_id != card.recipient_id:
        raise DataError(f"{folder / 'recipient.key'} is not the key that site.toml names", "copy both from one site folder")
    return opening


def load_receipt_key(folder: Path) -> ed25519.Ed25519PrivateKey:
    """What signs acknowledgements. Raises DataError when it is missing or damaged."""
    key = _load_private(folder / "receipt.key", None)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise DataError(f"{folder / 'receipt.key'} is not an Ed25519 key")
    return key


def private_pem(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """PKCS#8 PEM, encrypted when there is a passphrase."""
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _load_private(path: Path, passphrase: bytes | None) -> object:
    try:
        pem = path.read_bytes()
        encrypted = b"ENCRYPTED" in pem
        return load_pem_private_key(pem, passphrase if encrypted else None)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "passerby-provision site init") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"cannot open {path}", "is the passphrase right?") from error


def _check_name(name: str) -> None:
    if not name or len(name) > 64 or not name.isprintable() or '"' in name or "\\" in name:
        raise ConfigError(f"{name!r} is no site name", "1 to 64 printable characters, no quotes or backslashes")
