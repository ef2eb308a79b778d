"""How the sums of windows add up: labels stay, maxima take the greater, histograms add cell by cell, integers add.

Addition and maximum commute, so that any order gives the same numbers. Which windows belong together is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from firmware.events import Audit, LineSums, ZoneSums

Sums = TypeVar("Sums", LineSums, ZoneSums, Audit)
_GREATEST: Final = frozenset({"occupancy_max", "wait_max_ms"})  # all other integers add
_LABELS: Final = frozenset({"name", "kind"})


def added(rows: Sequence[Sums]) -> Sums:
    """What these rows of one line, zone or camera say together; at least one row."""
    first = rows[0]
    return type(first)(**{name: _field(name, [getattr(row, name) for row in rows]) for name in first.__struct_fields__})


def _field(name: str, values: list[Any]) -> Any:
    if name in _LABELS:
        return values[0]
    if name in _GREATEST:
        return max(values)
    if isinstance(values[0], tuple):
        return tuple(sum(cells) for cells in zip(*values, strict=True))
    return sum(values)
