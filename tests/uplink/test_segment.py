"""What lanes are made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.ranges import Ranges
from firmware.uplink.segment import Missing, Segment, durable_end, file_name, holes_of, never_used, numbers_in, segments_of
from firmware.uplink.spool_format import FOREVER, read_segment
from tests.uplink.segments import HEADER, written_segment


def segment(*seqs: int) -> Segment:
    made = Segment(HEADER)
    for seq in seqs:
        made.add(seq, 512, 1)
    return made


@given(st.lists(st.integers(0, 40), max_size=20), st.sets(st.integers(0, 40)))
def test_unsettled_is_what_is_not_settled(seqs: list[int], settled: set[int]) -> None:
    """By runs or one by one, with holes or without."""
    ranges = Ranges()
    for number in settled:
        ranges.add(number, number)
    for numbers in (seqs, sorted(set(seqs)), list(range(5, 5 + len(seqs)))):
        found = [index for run in segment(*numbers).unsettled_runs(ranges) for index in run]
        assert found == [index for index, seq in enumerate(numbers) if seq not in settled]


def test_holes_are_found_between_and_before_what_is_known() -> None:
    """Between records, up to what a later header or a settled number proves; the start only when asked."""
    settled = Ranges()
    settled.add(7, 7)
    stream = HEADER.stream
    assert holes_of([segment(5, 8)], stream, settled, from_zero=False) == [Missing(stream, 6, 6, "damaged")]
    assert holes_of([segment(5, 8)], stream, settled, from_zero=True)[0] == Missing(stream, 0, 4, "damaged")
    settled.add(11, FOREVER)
    assert holes_of([segment(5, 6, 8)], stream, settled, from_zero=False) == [Missing(stream, 9, 10, "damaged")]
    assert durable_end([segment(5, 8)], stream) == 8
    assert durable_end([], stream) == -1


def test_names_are_read_as_they_are_written() -> None:
    """Each lane its own; anything else is left alone."""
    names = [
        file_name("keep", 3),
        file_name("batches", 12345678901, "bad"),
        file_name("batches", 4, "tmp"),
        "batches-1.seg",
        "LOCK",
        "xbatches-00000001.seg",
    ]
    assert numbers_in(names, "keep") == {"seg": [3], "bad": [], "tmp": []}
    assert numbers_in(names, "batches") == {"seg": [], "bad": [12345678901], "tmp": [4]}


def test_a_later_segment_takes_numbers_from_an_earlier() -> None:
    """What a failed sync left behind does not count."""
    first, second = read_segment(written_segment(b"a", b"b", b"c")), read_segment(written_segment(b"x"))
    second.header = type(HEADER)(*[6 if name == "first_seq" else getattr(HEADER, name) for name in HEADER.__struct_fields__])
    second.envelopes = [(6, 512, 1)]
    assert [list(each.seqs) for each in segments_of([first, second])] == [[5], [6]]


def test_a_segment_made_in_vain_is_known() -> None:
    """Whole, empty, and the first of its stream."""
    header = type(HEADER)(*[0 if name == "first_seq" else getattr(HEADER, name) for name in HEADER.__struct_fields__])
    assert never_used(read_segment(written_segment(header=header)))
    assert not never_used(read_segment(written_segment()))
    assert not never_used(read_segment(written_segment(b"a", header=header)))
