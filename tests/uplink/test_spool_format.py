"""The bytes of a segment, and what is read back from any bytes."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.uplink.spool_format import (
    BODY_BYTES_MAX,
    RECORD_BYTES,
    SECTOR,
    SETTLED,
    Settled,
    empty_segment,
    envelope_at,
    header_sector,
    read_header,
    read_segment,
    record,
    record_bytes,
    room,
    sector_up,
    settled_body,
)
from tests.uplink.segments import HEADER, written_segment

ENVELOPES = st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=8)


def test_a_header_reads_back() -> None:
    """All its fields, from one sector."""
    sector = header_sector(HEADER)
    assert len(sector) == SECTOR
    assert read_header(sector) == HEADER


@given(ENVELOPES)
def test_a_segment_reads_back(envelopes: list[bytes]) -> None:
    """Numbers from first_seq, bytes as they were, the end on the next sector."""
    segment = written_segment(*envelopes)
    reading = read_segment(segment)
    found = [(seq, envelope_at(HEADER, place, segment[place : place + RECORD_BYTES + length])) for seq, place, length in reading.envelopes]
    assert found == list(enumerate(envelopes, HEADER.first_seq))
    _, place, length = reading.envelopes[-1]
    assert reading.end == sector_up(place + record_bytes(length))


@given(ENVELOPES, st.lists(st.integers(0, 2**64 - 1), max_size=4))
def test_one_flush_of_many_reads_back(envelopes: list[bytes], numbers: list[int]) -> None:
    """Envelopes behind each other in one flush, and settled numbers behind them."""
    segment = bytearray(written_segment(tuple(envelopes)))
    reading = read_segment(bytes(segment))
    settled = [Settled(b"stream-1", number, number) for number in numbers]
    _, place, length = reading.envelopes[-1]
    place += record_bytes(length)
    framed = record(HEADER, place, SETTLED, settled_body(settled)) if settled else b""
    segment[place : place + len(framed)] = framed
    again = read_segment(bytes(segment))
    assert (again.envelopes, again.settled) == (reading.envelopes, settled)
    assert again.end == sector_up(place + len(framed))


def test_an_empty_segment_is_empty_and_whole() -> None:
    """Header, zeros, header; what is settled stands first."""
    reading = read_segment(empty_segment(HEADER)[0])
    assert (reading.envelopes, reading.settled, reading.end) == ([], [], SECTOR)
    assert room(HEADER, SECTOR) == HEADER.segment_bytes - 2 * SECTOR
    settled = [Settled(b"stream-0", 0, 2**64 - 1)]
    segment, end = empty_segment(HEADER, settled)
    reading = read_segment(segment)
    assert (reading.settled, reading.end, end) == (settled, 2 * SECTOR, 2 * SECTOR)


@pytest.mark.parametrize("count", [0, 1, 5, 169, 170, 1000])
def test_a_large_segment_begins_on_a_page(count: int) -> None:
    """Whatever is settled already: the first envelope lies on a page boundary, and flushes of 1 KiB never cross one."""
    large = msgspec.structs.replace(HEADER, segment_bytes=1 << 20)
    settled = [Settled(b"stream-0", 2 * number, 2 * number) for number in range(count)]
    segment, end = empty_segment(large, settled)
    reading = read_segment(segment)
    assert reading.end == end
    assert end % 4096 == 0
    assert list(dict.fromkeys(reading.settled)) == settled
    assert len(segment) == 1 << 20


def test_every_bit_of_a_record_is_checked() -> None:
    """A turned bit anywhere in a record loses that envelope and no other, and the segment is not written on."""
    segment = written_segment(b"one" * 20, b"two" * 20, b"three" * 20)
    whole = read_segment(segment).envelopes
    _, place, length = whole[1]
    for bit in range(8 * (RECORD_BYTES + length)):
        turned = bytearray(segment)
        turned[place + bit // 8] ^= 1 << bit % 8
        reading = read_segment(bytes(turned))
        assert reading.envelopes == [whole[0], whole[2]]
        assert reading.end is None
        with pytest.raises(DataError):
            envelope_at(HEADER, place, bytes(turned[place : place + RECORD_BYTES + length]))


def test_a_damaged_header_is_read_from_the_last_sector() -> None:
    """With either copy the envelopes are found; the segment is whole only with the first."""
    segment = written_segment(b"one")
    for bit in range(92 * 8):
        turned = bytearray(segment)
        turned[bit // 8] ^= 1 << bit % 8
        reading = read_segment(bytes(turned))
        assert (reading.header, len(reading.envelopes), reading.end) == (HEADER, 1, None)
    assert read_segment(segment[:-SECTOR] + bytes(SECTOR)).end is not None
    with pytest.raises(DataError):
        read_segment(bytes(SECTOR) + segment[SECTOR:-SECTOR] + bytes(SECTOR))


def test_a_torn_flush_is_seen() -> None:
    """Any sector of the last flush lost or garbage, if anything of it is there: not whole; nothing of it: whole."""
    rng = random.Random(1)
    before, after = written_segment(b"one"), written_segment(b"one", b"two" * 500)
    sectors = [
        index
        for index in range(len(after) // SECTOR)
        if after[index * SECTOR : (index + 1) * SECTOR] != before[index * SECTOR : (index + 1) * SECTOR]
    ]
    assert len(sectors) == 3
    for kept in range(1 << len(sectors)):
        torn = bytearray(before)
        for index, sector in enumerate(sectors):
            if kept >> index & 1:
                torn[sector * SECTOR : (sector + 1) * SECTOR] = after[sector * SECTOR : (sector + 1) * SECTOR]
        reading = read_segment(bytes(torn))
        complete = kept == (1 << len(sectors)) - 1
        assert len(reading.envelopes) == 1 + complete
        assert (reading.end is not None) == (complete or kept == 0)
        torn[sectors[0] * SECTOR : (sectors[0] + 1) * SECTOR] = rng.randbytes(SECTOR)
        assert read_segment(bytes(torn)).end is None


def test_a_record_of_another_segment_or_place_is_none() -> None:
    """The salt and the place are in the checksum: recycled blocks and misdirected writes are not taken for records."""
    other = msgspec.structs.replace(HEADER, salt=b"another salt 16b", number=8)
    mixed = written_segment(b"one")[:SECTOR] + written_segment(b"two", header=other)[SECTOR:-SECTOR] + written_segment(b"one")[-SECTOR:]
    assert read_segment(mixed).envelopes == []
    segment = written_segment(b"one", b"two")
    moved = segment[: 3 * SECTOR] + segment[SECTOR : 2 * SECTOR] + segment[4 * SECTOR :]
    assert [seq for seq, _, _ in read_segment(moved).envelopes] == [5, 6]
    assert read_segment(moved).end is None


@given(st.binary(max_size=3000))
def test_any_bytes_are_a_segment_or_a_data_error(noise: bytes) -> None:
    """Behind a header, anything can be read; without one, nothing."""
    with pytest.raises(DataError):
        read_segment(noise)
    reading = read_segment(header_sector(HEADER) + noise)
    assert (reading.envelopes, reading.end) == ([], None)


def test_a_truncated_segment_is_read_but_not_written_on() -> None:
    """What is left of it counts."""
    segment = written_segment(b"one", b"two")
    for length in range(SECTOR, len(segment), 97):
        reading = read_segment(segment[:length])
        assert reading.end is None
        assert len(reading.envelopes) <= 2


def test_a_record_claims_no_more_than_an_envelope() -> None:
    """A length above the largest envelope is damage, whatever its checksum says."""
    large = msgspec.structs.replace(HEADER, segment_bytes=1 << 20)
    segment = bytearray(empty_segment(large)[0])
    framed = record(large, 4096, 1, bytes(BODY_BYTES_MAX + 1), 5)
    segment[4096 : 4096 + len(framed)] = framed
    assert read_segment(bytes(segment)).envelopes == []
