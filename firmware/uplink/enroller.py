"""A device gets its first certificate with a claim, and every later one with its identity (docs/enrolment-v1.md).

Keys are made here, on the device, and written before anybody is asked: an answer that is lost on the way is asked for
again by the same identity. tls.pem is written last; a folder without it is not enrolled yet. The claim is overwritten
once it is used. A certificate is renewed from a third of its life on, also long after it has ended, because a device may
have been offline for months; the old one stays until the new one is whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from firmware.errors import DataError, StorageError, UplinkError
from firmware.private_file import make_private_folder, write_private, write_whole
from firmware.uplink.enrolment import (
    ANSWER_BYTES_MAX,
    CLAIM_FILE_BYTES_MAX,
    Certified,
    Claim,
    check_certificate,
    read_certified,
    read_claim,
    write_enrol,
    write_renew,
)
from firmware.uplink.envelope import device_id
from firmware.uplink.tls import BUILT, authority_context

TIMEOUT_S: Final = 30.0
RENEW_SHARE: Final = 1 / 3  # of a certificate's life: 20 of 30 days are left for a network to come back
RETRY_S: Final = 3600.0  # a collector that renews nothing is not asked more often
SILENT_S: Final = 900.0  # so long without an answer and without a clock: the certificate may be the reason
_REFUSALS: Final = {
    403: ("the collector does not know this claim or device", "a claim is good at the site that made it, until it is revoked"),
    409: ("this claim was used by another device; the operator has been told", "passerby-provision claim new makes another"),
    410: ("this claim has expired", "passerby-provision claim new makes another"),
    429: ("too many attempts from this address", "try again in a minute"),
}

Key = Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the installer is told."""

    device: str
    name: str
    site: str
    folder: Path
    ends: datetime


async def enrol(claim_file: Path, folder: Path, now: datetime) -> Enrolled:
    """Make keys in `folder`, take the claim to the collector, keep the certificate, overwrite the claim.

    Raises:
        DataError: the claim file, or what the collector answered, is not what it should be.
        StorageError: the folder holds an enrolled device, or cannot be written.
        UplinkError: the collector cannot be reached, or says no.
    """
    claim = _claim(claim_file)
    if (folder / "tls.pem").exists():
        raise StorageError(f"{folder} holds an enrolled device", "keys are never overwritten; choose another folder")
    make_private_folder(folder)
    identity, tls = _identity(folder), _tls_key(folder / "tls.key")
    device = device_id(identity.public_key())
    answer = await _post(claim.enrol + "/v1/enrol", write_enrol(claim, identity, tls), claim.authority, now)
    authority = x509.load_pem_x509_certificate(claim.authority.encode())
    certificate = check_certificate(answer.certificate, authority, tls.public_key(), device)
    write_whole(folder / "ca.pem", claim.authority.encode())
    write_whole(folder / "trust.toml", _trust(claim).encode())
    write_whole(folder / "device.toml", _card(device, answer.name, claim).encode())
    write_whole(folder / "tls.pem", certificate.public_bytes(Encoding.PEM))
    _overwrite(claim_file)
    return Enrolled(device.hex(), answer.name, claim.site, folder, certificate.not_valid_after_utc)


class Renewal:
    """Keeps one device's certificate young."""

    def __init__(self, folder: Path, identity: Ed25519PrivateKey, url: str) -> None:
        """`url` is where the collector enrols, https://host:port. Nothing is read or sent yet."""
        self._folder, self._identity, self._url = folder, identity, url.rstrip("/")
        self._asked_s = float("-inf")

    def due(self, now_s: float, now: datetime, silent_s: float) -> bool:
        """Whether to ask now; at most once an hour. `silent_s`: since the collector last answered, or since the start."""
        if now_s - self._asked_s < RETRY_S:
            return False
        if now < BUILT:
            return silent_s >= SILENT_S
        try:
            certificate = x509.load_pem_x509_certificate((self._folder / "tls.pem").read_bytes())
        except (OSError, ValueError):
            return True
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return now >= begins + (ends - begins) * RENEW_SHARE

    async def renew(self, now_s: float, now: datetime) -> None:
        """A new certificate for the same TLS key, in place of the old one.

        Raises:
            UplinkError: the collector cannot be reached, or says no.
            DataError: what it answered is no certificate of ours.
            StorageError: the folder cannot be written; the old certificate is still there.
        """
        self._asked_s = now_s
        authority_pem = _text(self._folder / "ca.pem")
        tls = _tls_key(self._folder / "tls.key")
        answer = await _post(self._url + "/v1/renew", write_renew(self._identity, tls), authority_pem, now)
        authority = x509.load_pem_x509_certificate(authority_pem.encode())
        certificate = check_certificate(answer.certificate, authority, tls.public_key(), device_id(self._identity.public_key()))
        write_whole(self._folder / "tls.pem", certificate.public_bytes(Encoding.PEM))


def _claim(path: Path) -> Claim:
    text = _text(path)
    if len(text) > CLAIM_FILE_BYTES_MAX:
        raise DataError(f"{path} is too large for a claim")
    try:
        return read_claim(text)
    except DataError as error:
        raise DataError(f"{path} is {error.what}", error.hint) from error


async def _post(url: str, body: bytes, authority: str, now: datetime) -> Certified:
    context = authority_context(authority, clock_is_wrong=now < BUILT)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.post(url, data=body, ssl=context, allow_redirects=False) as response,
        ):
            status, said = response.status, await response.content.read(ANSWER_BYTES_MAX)
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
        raise UplinkError(f"{url} is not the site's collector: {error}", "is the claim of this site, and the address right?") from error
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise UplinkError(f"cannot reach {url}: {str(error) or type(error).__name__}", "is the network up, and the collector?") from error
    if status != 200:  # HTTP's own
        raise UplinkError(*_REFUSALS.get(status, (f"{url} answered HTTP {status}", "is this the collector's enrolment port?")))
    return read_certified(said, body)


def _identity(folder: Path) -> Ed25519PrivateKey:
    key = _kept_key(folder / "identity.key", Ed25519PrivateKey.generate)
    if not isinstance(key, Ed25519PrivateKey):
        raise DataError(f"{folder / 'identity.key'} is not an Ed25519 key")
    return key


def _tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = _kept_key(path, lambda: ec.generate_private_key(ec.SECP256R1()))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise DataError(f"{path} is not a P-256 key")
    return key


def _kept_key(path: Path, make: Callable[[], Key]) -> object:
    """The key of an attempt that was cut short, or a new one, on the card before anybody sees its public half."""
    if not path.exists():
        write_private(path, _private_pem(make()))
    try:
        return load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} is no private key", "move the folder away and enrol anew") from error


def _private_pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _trust(claim: Claim) -> str:
    return (
        f'site = "{claim.site}"\nsuite = {claim.suite}\nrecipient_id = "{claim.recipient_id.hex()}"\n'
        f'recipient = "{claim.recipient.hex()}"\nreceipt = "{claim.receipt.hex()}"\n'
    )


def _card(device: bytes, name: str, claim: Claim) -> str:
    return f'device = "{device.hex()}"\nname = "{name}"\nsite = "{claim.site}"\nenrol = "{claim.enrol}"\n'


def _overwrite(path: Path) -> None:
    """The claim is worth nothing any more, except to show that it was here: zeros over it, then it goes."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        raise StorageError(f"enrolled, but cannot remove the used claim {path}: {error.strerror}", "remove it by hand") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there", "passerby-provision claim new makes a claim; one that was used is removed") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}", "passerby-provision claim new makes a claim") from error
