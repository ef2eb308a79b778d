"""The acceptance record: what the walk test showed, of which device, model and configuration, signed by the device itself.

A file of JSON that an installer keeps: `record`, `public` (the device's Ed25519 key) and `signature` over CONTEXT and the
record's canonical bytes (keys sorted, no blanks, integers and text only: one meaning has one byte string). The device's id
is the hash of that key, as everywhere, so the record needs no directory to be checked: who knows the device's id, from its
label or its site's folder, can check it. No picture, no path, no time of any single step is in it. `verify` refuses what
is unknown, changed or signed by another; it does not judge what was measured.
"""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from firmware.commissioning.walk_test import PARTS, LineResult, Walk
from firmware.config import LineConfig
from firmware.errors import DataError
from firmware.uplink.envelope import device_id

CONTEXT: Final = b"passerby/1 acceptance\n"
RECORD_BYTES_MAX: Final = 64 * 1024  # sixteen lines of three parts are 8 KB
SHARE: Final = 10_000  # coordinates are whole ten-thousandths of the view

Text64 = Annotated[str, msgspec.Meta(max_length=64)]
Hex = Annotated[str, msgspec.Meta(max_length=64, pattern="^[0-9a-f]*$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Place = tuple[Annotated[int, msgspec.Meta(ge=0, le=SHARE)], Annotated[int, msgspec.Meta(ge=0, le=SHARE)]]


class Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line as it was drawn when it was walked: ten-thousandths of the view."""

    name: Text64
    start: Place
    end: Place
    entering: Literal["left", "right"]

    @classmethod
    def of(cls, line: LineConfig) -> Drawn:
        """The line of a configuration."""
        (x0, y0), (x1, y1) = line.start, line.end
        return cls(line.name, (round(x0 * SHARE), round(y0 * SHARE)), (round(x1 * SHARE), round(y1 * SHARE)), line.in_side)


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was accepted, and when. Hashes are SHA-256; `made_ms` is wall time, `quality` says how far it can be trusted."""

    site: Text64
    camera: Text64
    installer: Text64 = ""
    firmware: Text64
    model_sha256: Hex
    config_sha256: Hex
    made_ms: Count
    quality: Literal["unknown", "restored", "rtc", "ntp"]
    network_denied: bool
    fps_permille: Count
    drawn: Annotated[tuple[Drawn, ...], msgspec.Meta(max_length=16)]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is signed."""

    v: Literal[1] = 1
    device: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    about: About
    passes: Annotated[int, msgspec.Meta(ge=1, le=50)]
    lines: Annotated[tuple[LineResult, ...], msgspec.Meta(min_length=1, max_length=16)]
    passed: bool


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    record: Record
    public: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    signature: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{128}$")]


def canonical(record: Record) -> bytes:
    """The one byte string of a record: what is signed."""
    return json.dumps(msgspec.to_builtins(record), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def accept(walk: Walk, about: About, identity: Ed25519PrivateKey) -> bytes:
    """The signed record of a walk test that is over, passed or not, as the bytes of a file.

    Raises:
        DataError: the test is not over.
    """
    if not walk.over:
        raise DataError("the walk test is not over", "walk its last part to the end")
    device = device_id(identity.public_key()).hex()
    record = Record(device=device, about=about, passes=walk.plan.passes, lines=walk.done, passed=walk.passed)
    signature = identity.sign(CONTEXT + canonical(record))
    signed = Signed(record, identity.public_key().public_bytes_raw().hex(), signature.hex())
    return json.dumps(msgspec.to_builtins(signed), sort_keys=True, indent=1, ensure_ascii=True).encode() + b"\n"


def verify(text: bytes, device: bytes | None = None) -> Record:
    """The record in a file, once its signature holds.

    Args:
        text: the file.
        device: the 16 bytes of the device it must come from; None: any device, whose id is then in the record.

    Raises:
        DataError: not such a file, changed, signed by another key, or of another device.
    """
    if len(text) > RECORD_BYTES_MAX:
        raise DataError(f"an acceptance record of {len(text)} bytes", f"at most {RECORD_BYTES_MAX}")
    try:
        signed = msgspec.json.decode(text, type=Signed)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public))
        public.verify(bytes.fromhex(signed.signature), CONTEXT + canonical(signed.record))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"no acceptance record: {error}", "ask for the file that the status page offered after the walk test") from error
    except InvalidSignature as error:
        raise DataError("the signature does not hold: the record was changed after it was signed", "do not trust it") from error
    record = signed.record
    if device_id(public).hex() != record.device:
        raise DataError(f"signed by a key that is not device {record.device}'s", "do not trust it")
    if device is not None and device.hex() != record.device:
        raise DataError(f"the record is of device {record.device}, not {device.hex()}", "look for the right one")
    if record.passed != _really_passed(record.lines):
        raise DataError("the record says of itself what its parts do not", "do not trust it")
    return record


def _really_passed(lines: tuple[LineResult, ...]) -> bool:
    return all(line.passed and tuple(part.part for part in line.parts) == PARTS for line in lines)
