"""When something was said: the boot clock that measures, and the wall clock as a note with a quality.

A stamp travels in every envelope's header and every payload. The boot tag names one boot of one device without
naming the machine: a hash of the kernel's boot id with the device's id. Reading clocks is the caller's work.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Annotated, Final

import msgspec

COUNT_MAX: Final = 2**53 - 1  # exact in JSON and float64; 1,000 of them still fit in a database's signed 64 bits
BOOT_TAG_BYTES: Final = 8

Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]
Bytes8 = Annotated[bytes, msgspec.Meta(min_length=8, max_length=8)]
Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]


class WallQuality(enum.IntEnum):
    """How far wall time can be trusted."""

    UNKNOWN = 0
    RESTORED = 1
    RTC = 2
    NTP = 3
    COLLECTOR = 4


class Stamp(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One moment: which boot, milliseconds since it, and what the wall clock said."""

    boot: Bytes8
    boot_ms: Count
    wall_ms: Count
    wall_quality: WallQuality


def boot_tag(boot_id: str, device: bytes) -> bytes:
    """The 8 bytes that name this boot of this device; `device` is its 16-byte id."""
    return hashlib.sha256(boot_id.encode() + device).digest()[:BOOT_TAG_BYTES]
