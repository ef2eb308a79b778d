"""Segments made by hand, and readings that are remembered, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from firmware.errors import DataError
from firmware.uplink import lane_files
from firmware.uplink.envelope import GENESIS
from firmware.uplink.spool_format import ENVELOPE, SECTOR, SegmentHeader, SegmentReading, empty_segment, record, sector_up

HEADER = SegmentHeader(0, 16 * SECTOR, 7, b"stream-1", 5, GENESIS, b"salt-of-16-bytes", b"owner-of-16-byte")


def written_segment(*flushes: bytes | tuple[bytes, ...], header: SegmentHeader = HEADER) -> bytes:
    """A segment with these envelopes, each flush from a sector on; numbers from `first_seq`."""
    segment, place, seq = bytearray(empty_segment(header)[0]), SECTOR, header.first_seq
    for flush in flushes:
        place = sector_up(place)
        for envelope in (flush,) if isinstance(flush, bytes) else flush:
            framed = record(header, place, ENVELOPE, envelope, seq)
            segment[place : place + len(framed)] = framed
            place, seq = place + len(framed), seq + 1
    return bytes(segment)


@contextmanager
def remembered_readings() -> Iterator[None]:
    """`read_segment` is a function of its bytes, and the same segments stand in thousands of states: remember them."""
    readings: dict[bytes, SegmentReading | None] = {}
    read = lane_files.read_segment

    def remember(segment: bytes) -> SegmentReading:
        if segment not in readings:
            if len(readings) > 4096:
                readings.clear()
            try:
                readings[segment] = read(segment)
            except DataError:
                readings[segment] = None
        known = readings[segment]
        if known is None:
            raise DataError("no header")
        return SegmentReading(known.header, known.envelopes, known.settled, known.end)

    lane_files.read_segment = remember
    try:
        yield
    finally:
        lane_files.read_segment = read
