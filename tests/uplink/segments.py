"""Segments made by hand, for tests."""

from __future__ import annotations

from firmware.uplink.envelope import GENESIS
from firmware.uplink.spool_format import ENVELOPE, SECTOR, SegmentHeader, empty_segment, record, sector_up

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
