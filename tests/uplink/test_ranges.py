"""Ranges are a set of numbers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.ranges import Ranges

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(-1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=20)


@given(PAIRS, st.integers(0, 60), st.integers(0, 80))
def test_ranges_are_a_set(pairs: list[tuple[int, int]], first: int, last: int) -> None:
    """Membership, iteration and what is missing agree with a plain set; ranges are sorted, disjoint and never touch."""
    ranges, numbers = Ranges(), set[int]()
    for low, high in pairs:
        ranges.add(low, high)
        numbers |= set(range(low, high + 1))
    assert {number for number in range(100) if number in ranges} == numbers
    assert {number for low, high in ranges for number in range(low, high + 1)} == numbers
    assert {number for low, high in ranges.missing(first, last) for number in range(low, high + 1)} == set(range(first, last + 1)) - numbers
    edges = list(ranges)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(edges))
    assert len(ranges) == len(edges)


def test_the_largest_numbers_are_numbers() -> None:
    """2^64-1 stands for ever."""
    ranges = Ranges()
    ranges.add(2**63, 2**64 - 1)
    assert 2**64 - 1 in ranges
    assert list(ranges.missing(0, 2**64 - 1)) == [(0, 2**63 - 1)]
