"""Claims: each makes one stranger a device of the site, once; and who may have a new certificate (docs/enrolment-v1.md).

The database knows digests alone, from the records that `passerby-provision claim new` leaves in the site's folder. Using a
claim is one statement in one transaction with the device's row: of two that come at the same moment one wins, on every
engine and from any number of processes. The winner may come again (its answer was lost); anybody else is counted and told.
"""

from __future__ import annotations

import enum
import tomllib
from datetime import UTC
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collector.database import Database
from firmware.errors import DataError
from firmware.uplink.enrolment import EnrolRequest, claim_digest
from firmware.uplink.envelope import device_id


class Verdict(enum.Enum):
    """What becomes of a claim."""

    TAKEN = "taken"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    REVOKED = "revoked"


class Claimed(msgspec.Struct, frozen=True):
    """The verdict, the device that asked, and what the operator calls the claim."""

    verdict: Verdict
    device: bytes
    name: str = ""


class ClaimState(msgspec.Struct, frozen=True):
    """One claim, for the operator."""

    name: str
    state: str
    expires_ms: int
    refused: int
    device: bytes | None


def take_claims(database: Database, folder: Path, now_ms: int) -> int:
    """Bring the records of a site's `claims/` folder that have not expired into the database; how many were new.

    Raises:
        DataError: a record is damaged.
    """
    return sum(_take(database, path, now_ms) for path in sorted(folder.glob("*.toml")))


def use_claim(database: Database, asked: EnrolRequest, now_ms: int) -> Claimed:
    """Use a claim for a device whose request was verified; the device is enrolled when the verdict is TAKEN.

    Raises:
        StorageError: nothing happened.
    """
    digest = claim_digest(asked.site, asked.claim)
    device = device_id(Ed25519PublicKey.from_public_bytes(asked.public))
    with database.transaction():
        if database.rows("SELECT 1 FROM device WHERE device = ? AND revoked <> 0", (device,)):
            return Claimed(Verdict.REVOKED, device)
        won = database.changed(
            "UPDATE claim SET device = ?, used_ms = ? WHERE digest = ? AND device IS NULL AND expires_ms > ?",
            (device, now_ms, digest, now_ms),
        )
        known = database.rows("SELECT name, device, expires_ms FROM claim WHERE digest = ?", (digest,))
        if not known:
            return Claimed(Verdict.UNKNOWN, device)
        name, owner, expires_ms = known[0]
        if owner is not None and bytes(owner) != device:
            database.run("UPDATE claim SET refused = refused + 1 WHERE digest = ?", (digest,))
            return Claimed(Verdict.USED, device, str(name))
        if not won and int(expires_ms) <= now_ms:
            return Claimed(Verdict.EXPIRED, device, str(name))
        database.run(
            "INSERT INTO device (device, name, public) VALUES (?, ?, ?) ON CONFLICT (device) DO NOTHING", (device, name, asked.public)
        )
    return Claimed(Verdict.TAKEN, device, str(name))


def device_in_good_standing(database: Database, device: bytes) -> tuple[Ed25519PublicKey, str] | None:
    """The key and name of a device that may have a new certificate; None where it is unknown or revoked."""
    rows = database.rows("SELECT public, name FROM device WHERE device = ? AND revoked = 0", (device,))
    return (Ed25519PublicKey.from_public_bytes(bytes(rows[0][0])), str(rows[0][1])) if rows else None


def claim_states(database: Database, now_ms: int) -> tuple[ClaimState, ...]:
    """Every claim that the database knows, the newest first."""
    rows = database.rows("SELECT name, expires_ms, device, refused FROM claim ORDER BY expires_ms DESC, name")
    return tuple(
        ClaimState(
            str(name), _state(device, int(expires_ms), now_ms), int(expires_ms), int(refused), None if device is None else bytes(device)
        )
        for name, expires_ms, device, refused in rows
    )


def _state(device: object, expires_ms: int, now_ms: int) -> str:
    if device is not None:
        return "used"
    return "expired" if expires_ms <= now_ms else "open"


def _take(database: Database, path: Path, now_ms: int) -> bool:
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
        digest, name = bytes.fromhex(record["digest"]), str(record["name"])
        expires_ms = int(record["expires"].astimezone(UTC).timestamp() * 1000)
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no claim record: {error}", "passerby-provision claim new makes one") from error
    if expires_ms <= now_ms:
        return False
    with database.transaction():
        return bool(
            database.changed(
                "INSERT INTO claim (digest, name, expires_ms) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING", (digest, name, expires_ms)
            )
        )
