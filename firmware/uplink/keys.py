"""The device's own folder of keys, read once at start: who we are, to whom we seal, whose answers count.

The folder is made by provisioning (`identity.key`, `tls.key`, `tls.pem`, `ca.pem`, `trust.toml`). Nothing in it opens an
envelope. A file that is missing or readable by others is said by name.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from firmware.errors import DataError
from firmware.uplink.envelope import device_id
from firmware.uplink.recipient import Recipient


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """What the uplink needs of a device folder."""

    folder: Path
    site: str
    identity: Ed25519PrivateKey
    recipient: Recipient
    receipt: Ed25519PublicKey
    enrol_url: str = ""  # where the certificate is renewed; empty where nobody said

    @property
    def device(self) -> bytes:
        """16 bytes that name this device."""
        return device_id(self.identity.public_key())


def load_device_keys(folder: Path) -> DeviceKeys:
    """Read a device folder.

    Raises:
        DataError: a file is missing, open to others, or not what it should be.
    """
    pem = _read(folder / "identity.key")
    if (folder / "identity.key").stat().st_mode & 0o077:
        raise DataError(f"{folder / 'identity.key'} can be read by others", "chmod 600, and ask yourself who has read it")
    try:
        identity = load_pem_private_key(pem, None)
        trust = tomllib.loads(_read(folder / "trust.toml").decode("utf-8"))
        recipient = Recipient.from_public_bytes(trust["suite"], bytes.fromhex(trust["recipient"]))
        receipt = Ed25519PublicKey.from_public_bytes(bytes.fromhex(trust["receipt"]))
        site = str(trust["site"])
        enrol_url = str(_card(folder).get("enrol", ""))
    except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} is no device folder: {error}", "passerby enrol or passerby-provision device new makes one") from error
    if not isinstance(identity, Ed25519PrivateKey):
        raise DataError(f"{folder / 'identity.key'} is not an Ed25519 key")
    return DeviceKeys(folder, site, identity, recipient, receipt, enrol_url)


def _card(folder: Path) -> dict[str, object]:
    """What is written on the device's own card; a device can do without."""
    path = folder / "device.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "passerby-provision device new makes a device folder") from error
