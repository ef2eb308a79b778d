"""Who may deliver: the records of a site folder (`devices/<id>.toml`) brought into the database, and revocation."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collector.database import Database
from firmware.errors import DataError
from firmware.uplink.envelope import device_id


def enrol_folder(database: Database, folder: Path) -> int:
    """Enrol every device recorded in a site's `devices/` folder that is not yet known; how many were new.

    Raises:
        DataError: a record is damaged, or its id is not its key's hash.
    """
    return sum(enrol(database, path) for path in sorted(folder.glob("*.toml")))


def enrol(database: Database, path: Path) -> bool:
    """Enrol one device; False when it is known already. Raises DataError as above."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
        device, public, name = bytes.fromhex(record["device"]), bytes.fromhex(record["public"]), str(record["name"])
        matches = device_id(Ed25519PublicKey.from_public_bytes(public)) == device
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no device record: {error}", "passerby-provision device new makes one") from error
    if not matches:
        raise DataError(f"{path}: the id is not the hash of the key", "copy it anew from the site folder")
    with database.transaction():
        return bool(
            database.changed(
                "INSERT INTO device (device, name, public) VALUES (?, ?, ?) ON CONFLICT (device) DO NOTHING", (device, name, public)
            )
        )


def revoke(database: Database, device: bytes) -> bool:
    """Take nothing more from a device; what it delivered stays. False when it is unknown."""
    with database.transaction():
        return bool(database.changed("UPDATE device SET revoked = 1 WHERE device = ?", (device,)))
