"""Small numbers stay among others: a cell about fewer than five people waits for a longer interval until it holds five.

Pure. A count of entries says how busy a door was; a dwell of 93 s in a window with one visitor says something about that
visitor. So a histogram cell, or a sum of durations, leaves at the shortest of 15 s, 5 min, 1 h and day at which it is
about K_MIN people or more. Totals stay exact: what is held back at one interval is in the longer one, and what a whole
day does not fill leaves as a bare number of people, without its duration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

K_MIN: Final = 5
LEVELS_MS: Final = (15_000, 300_000, 3_600_000, 86_400_000)


class Cell(msgspec.Struct, frozen=True):
    """Something about `people` people in an interval that begins at `start_ms`; `value` is their sum of milliseconds."""

    start_ms: int
    people: int
    value: int = 0


class Released(msgspec.Struct, frozen=True, order=True):
    """What may be said: `value` is None where only the number of people may."""

    start_ms: int
    length_ms: int
    people: int
    value: int | None


def release(cells: Iterable[Cell], interval_ms: int) -> tuple[Released, ...]:
    """One cell of a histogram (or one sum of durations) over time, at the shortest intervals that protect it.

    Args:
        cells: of any interval up to `interval_ms`, any order; several of one start add.
        interval_ms: the shortest interval wanted, one of LEVELS_MS.
    """
    out: list[Released] = []
    waiting = list(cells)
    for length_ms in (level for level in LEVELS_MS if level >= interval_ms):
        together: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for cell in waiting:
            sums = together[cell.start_ms - cell.start_ms % length_ms]
            sums[0] += cell.people
            sums[1] += cell.value
        enough = {start: sums for start, sums in together.items() if sums[0] >= K_MIN}
        out += [Released(start, length_ms, people, value) for start, (people, value) in enough.items()]
        waiting = [Cell(start, people, value) for start, (people, value) in together.items() if start not in enough and people]
    out += [Released(cell.start_ms, LEVELS_MS[-1], cell.people, None) for cell in waiting]
    return tuple(sorted(out, key=lambda released: (released.start_ms, released.length_ms)))
