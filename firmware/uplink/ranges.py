"""A set of whole numbers kept as ranges: which numbers of a stream are settled.

Pure. Sized by its holes, not by its numbers: acknowledgements come nearly in order, so a year is a handful of ranges.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator


class Ranges:
    """Disjoint inclusive ranges in ascending order, never two that touch."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number)
        return at > 0 and number <= self._lasts[at - 1]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        return len(self._firsts)

    def add(self, first: int, last: int) -> None:
        """Take in first to last, both included; nothing where last is before first."""
        if last < first:
            return
        low = bisect_right(self._lasts, first - 2) if first > 1 else 0  # the first range that overlaps or touches
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def missing(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The ranges of first to last that are not in the set."""
        at = max(0, bisect_right(self._firsts, first) - 1)
        for low, high in zip(self._firsts[at:], self._lasts[at:], strict=True):
            if low > last:
                break
            if first < low:
                yield first, low - 1
            first = max(first, high + 1)
        if first <= last:
            yield first, last
