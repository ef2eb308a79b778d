"""The bytes of a spool segment (docs/spool-v1.md): header, records, and what can be read back from any bytes.

Pure. `read_segment` accepts anything whose header holds and says how far it can be trusted; it never raises for the
records. What is done with that is `firmware.uplink.lane`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from firmware.errors import DataError

MAGIC: Final = b"PSPOOL1\n"
PAGE: Final = 4096  # what the kernel writes at least
SECTOR: Final = 512  # what a power cut spoils at most beside what it loses
FOREVER: Final = 2**64 - 1
SETTLED_RANGES_MAX: Final = 1000  # 24 KB of a segment; acknowledgements come nearly in order
ENVELOPE: Final = 1
SETTLED: Final = 2
RECORD_BYTES: Final = 24
BODY_BYTES_MAX: Final = 133_120  # the largest envelope
_ALIGN: Final = 8
_HEADER: Final = struct.Struct("<8sIIQ8sQ16s16s16s")
_CRC: Final = struct.Struct("<I")
_RECORD: Final = struct.Struct("<IIQB7x")
_SETTLED: Final = struct.Struct("<8sQQ")
_PLACE: Final = struct.Struct("<I")
_ZEROS: Final = bytes(SECTOR)


class SegmentHeader(msgspec.Struct, frozen=True):
    """The first sector. `first_seq` and `prev` continue the stream where no record follows."""

    lane: int
    segment_bytes: int
    number: int
    stream: bytes
    first_seq: int
    prev: bytes
    salt: bytes
    owner: bytes


class Settled(msgspec.Struct, frozen=True):
    """Numbers of a stream that need not be sent any more."""

    stream: bytes
    first: int
    last: int


@dataclass(slots=True)
class SegmentReading:
    """What a segment says: envelopes as (seq, place, length), what it says is settled, and where its whole part ends.

    `end` is the next free sector; None where something other than zeros follows the last record, or something was
    wrong before it: such a segment is not written on.
    """

    header: SegmentHeader
    envelopes: list[tuple[int, int, int]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    end: int | None = None


def sector_up(offset: int) -> int:
    """The next sector boundary at or after an offset."""
    return -(-offset // SECTOR) * SECTOR


def record_bytes(body_bytes: int) -> int:
    """What a record of such a body takes, aligned."""
    return -(-(RECORD_BYTES + body_bytes) // _ALIGN) * _ALIGN


def header_sector(header: SegmentHeader) -> bytes:
    """The first 512 bytes of a segment."""
    head = _HEADER.pack(
        MAGIC,
        header.lane,
        header.segment_bytes,
        header.number,
        header.stream,
        header.first_seq,
        header.prev,
        header.salt,
        header.owner,
    )
    return (head + _CRC.pack(zlib.crc32(head))).ljust(SECTOR, b"\0")


def read_header(sector: bytes) -> SegmentHeader:
    """The header of a segment.

    Raises:
        DataError: this is none.
    """
    if len(sector) < SECTOR:
        raise DataError(f"a segment of {len(sector)} bytes")
    magic, *fields = _HEADER.unpack_from(sector)
    (crc,) = _CRC.unpack_from(sector, _HEADER.size)
    if magic != MAGIC or crc != zlib.crc32(sector[: _HEADER.size]):
        raise DataError("no spool segment, or its header is damaged")
    return SegmentHeader(*fields)


def first_place(segment_bytes: int) -> int:
    """Where records begin: on the second page, so that flushes of 1 KiB never lie across two; in small segments behind the header."""
    return PAGE if segment_bytes >= 16 * PAGE else SECTOR


def empty_segment(header: SegmentHeader, settled: Sequence[Settled] = ()) -> tuple[bytes, int]:
    """A new segment and its next free sector: header, what is settled already, zeros, and the header again.

    What is settled is repeated until it ends on a page, as the envelopes behind it should begin on one.
    """
    sector, first, entries = header_sector(header), first_place(header.segment_bytes), list(settled)
    if not entries:
        return sector.ljust(header.segment_bytes - SECTOR, b"\0") + sector, first
    while (end := sector_up(first + record_bytes(_SETTLED.size * len(entries)))) % first:
        entries.append(entries[-1])
    body = record(header, first, SETTLED, settled_body(entries))
    return (sector.ljust(first, b"\0") + body).ljust(header.segment_bytes - SECTOR, b"\0") + sector, end


def room(header: SegmentHeader, end: int) -> int:
    """What a segment still takes behind `end`."""
    return header.segment_bytes - SECTOR - end


def record(header: SegmentHeader, place: int, kind: int, body: bytes, seq: int = 0) -> bytes:
    """A record for `place` (its offset in the segment), aligned."""
    framed = _RECORD.pack(len(body), _record_crc(header.salt, place, _RECORD.pack(len(body), 0, seq, kind), body), seq, kind) + body
    return framed.ljust(record_bytes(len(body)), b"\0")


def settled_body(settled: Iterable[Settled]) -> bytes:
    """The body of a settled record."""
    return b"".join(_SETTLED.pack(each.stream, each.first, each.last) for each in settled)


def envelope_at(header: SegmentHeader, place: int, framed: bytes) -> bytes:
    """The envelope of a record's bytes, checked anew.

    Raises:
        DataError: the record does not hold any more.
    """
    found = _record_at(header.salt, framed, 0, place)
    if found is None or found[1] != ENVELOPE:
        raise DataError(f"a damaged record at {place} of segment {header.number}")
    return framed[RECORD_BYTES : RECORD_BYTES + found[0]]


def read_segment(segment: bytes) -> SegmentReading:
    """All that a segment says.

    Raises:
        DataError: it has no header. Damage behind the header shows as `end` None.
    """
    reading = SegmentReading(_either_header(segment))
    size = min(reading.header.segment_bytes, len(segment)) - SECTOR
    place = first_place(reading.header.segment_bytes)
    whole = len(segment) == reading.header.segment_bytes and segment[:place] == header_sector(reading.header).ljust(place, b"\0")
    while place <= size - RECORD_BYTES:
        found = _record_at(reading.header.salt, segment, place, place)
        if found is not None:
            place = _take(reading, segment, place, found)
        elif _is_zero(segment, place):
            following = _next_used(segment, place, size)
            if following is None:
                break
            whole = whole and place % SECTOR != 0 and following == sector_up(place)
            place = following
        else:
            whole = False
            place += _ALIGN
    reading.end = sector_up(place) if whole else None
    return reading


def _is_zero(segment: bytes, place: int) -> bool:
    """No record begins here: a flush may end less than a record before its sector does."""
    free = min(RECORD_BYTES, sector_up(place) - place or RECORD_BYTES)
    return segment[place : place + free] == _ZEROS[:free]


def _either_header(segment: bytes) -> SegmentHeader:
    try:
        return read_header(segment)
    except DataError:
        return read_header(segment[-SECTOR:])


def _take(reading: SegmentReading, segment: bytes, place: int, found: tuple[int, int, int]) -> int:
    length, kind, seq = found
    if kind == ENVELOPE:
        reading.envelopes.append((seq, place, length))
    else:
        body = segment[place + RECORD_BYTES : place + RECORD_BYTES + length]
        reading.settled += [Settled(*each) for each in _SETTLED.iter_unpack(body)]
    return place + record_bytes(length)


def _record_at(salt: bytes, segment: bytes, offset: int, place: int) -> tuple[int, int, int] | None:
    """Length, type and seq of a valid record at `offset`, or None."""
    if offset + RECORD_BYTES > len(segment):
        return None
    length, crc, seq, kind = _RECORD.unpack_from(segment, offset)
    end = offset + RECORD_BYTES + length
    if not length or length > BODY_BYTES_MAX or end > len(segment):
        return None
    if kind != ENVELOPE and (kind != SETTLED or length % _SETTLED.size):
        return None
    frame = segment[offset : offset + 4] + _ZEROS[:4] + segment[offset + 8 : offset + RECORD_BYTES]
    if crc != _record_crc(salt, place, frame, segment[offset + RECORD_BYTES : end]):
        return None
    return length, kind, seq


def _record_crc(salt: bytes, place: int, frame: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(salt + _PLACE.pack(place) + frame[:4] + frame[8:]))


def _next_used(segment: bytes, place: int, size: int) -> int | None:
    """The sector of the next byte that is not zero (never the one at `place` again), or None."""
    rest = segment[place:size]
    if rest.count(0) == len(rest):
        return None
    used = place + len(rest) - len(rest.lstrip(b"\0"))
    return max(used // SECTOR * SECTOR, place + _ALIGN)
