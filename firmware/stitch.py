"""Windows without holes: what vision closed, what it had open when it died, and blind windows for the time between.

Rules: every window of the grid comes out exactly once, in order; sums of parts add up; observed + blind = length. A
window that nobody observed says so with `blind_ms`, it is never a zero that looks like an empty shop. Pure: times
arrive as arguments. When to restart vision is `firmware.supervisor`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from msgspec.structs import replace

from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.window_sums import added

Named = TypeVar("Named", LineSums, ZoneSums)


class Stitcher:
    """One camera's windows. `length_ms` is the grid; the names say what a window that nobody observed is about."""

    def __init__(self, length_ms: int, lines: tuple[LineSums, ...], zones: tuple[ZoneSums, ...]) -> None:
        """`lines` and `zones` are the empty sums of the configured ones."""
        self.length_ms = length_ms
        self._lines = lines
        self._zones = zones
        self._next_ms: int | None = None
        self._snapshot: Window | None = None
        self._unsettled: tuple[LineSums, ...] = ()
        self._inside: dict[str, int] = {}  # visits to each zone that this life of vision has begun and not ended
        self._left: Window | None = None

    def expect(self, lines: tuple[LineSums, ...], zones: tuple[ZoneSums, ...]) -> None:
        """Another configuration counts from now on; the window of the change holds the names of both."""
        self._lines, self._zones = lines, zones

    def begin(self, now_ms: int) -> None:
        """Time starts to count here: from now on every window must come out."""
        if self._next_ms is None:
            self._next_ms = now_ms - now_ms % self.length_ms

    def closed(self, window: Window) -> Iterator[Window]:
        """Vision closed a window: blind ones for any hole before it, then itself joined with what a dead vision left."""
        if self._next_ms is not None and window.start_ms < self._next_ms:
            return  # already said blind; vision came back with an old clock
        yield from self.blind_until(window.start_ms)
        self._count_visits(window)
        yield self._join(window)
        self._next_ms = window.start_ms + self.length_ms
        self._snapshot = None

    def snapshot(self, window: Window, unsettled: tuple[LineSums, ...] = ()) -> None:
        """Vision's open window, to be used if it never closes it, and what its lines still had pending."""
        if self._next_ms is None or window.start_ms >= self._next_ms:
            self._snapshot, self._unsettled = window, unsettled

    def hold(self, window: Window) -> None:
        """Vision closed a window before its time, for it was told to end: the next vision may add to it."""
        if self._next_ms is None or window.start_ms >= self._next_ms:
            self._count_visits(window)
            self._left = self._join(window)
            self._snapshot = None

    def died(self) -> None:
        """Vision is gone: its last snapshot is all that comes of that window from it.

        What was pending at its lines settles. Visits that were open end here, as voided: nobody saw their true end, so they
        bring no dwell, but as many have left as have come.
        """
        if self._snapshot is not None:
            self.hold(add_windows(self._snapshot, Window(self._snapshot.start_ms, self.length_ms, self._unsettled)))
        lost = {name: count for name, count in self._inside.items() if count > 0}
        if lost and self._next_ms is not None:
            left = self._left or Window(self._next_ms, self.length_ms, self._lines, self._zones)
            zones = tuple(replace(zone, exits=zone.exits + lost.get(zone.name, 0)) for zone in left.zones)
            self._left = replace(left, zones=zones, audit=replace(left.audit, voided=left.audit.voided + sum(lost.values())))
        self._inside, self._unsettled = {}, ()

    def _count_visits(self, window: Window) -> None:
        for zone in window.zones:
            self._inside[zone.name] = self._inside.get(zone.name, 0) + zone.entries - zone.exits

    def blind_until(self, now_ms: int) -> Iterator[Window]:
        """Windows that ended by `now_ms` and that nobody will close any more."""
        if self._next_ms is None:
            return
        while self._next_ms + self.length_ms <= now_ms:
            empty = Window(self._next_ms, self.length_ms, self._lines, self._zones, Audit(blind_ms=self.length_ms))
            yield self._join(empty)
            self._next_ms += self.length_ms

    def _join(self, window: Window) -> Window:
        left = self._left
        if left is None or left.start_ms != window.start_ms:
            return _complete(window)
        self._left = None
        return _complete(add_windows(left, window))


def add_windows(first: Window, second: Window) -> Window:
    """The sum of two parts of one window, lines and zones by name; maxima are maxima."""
    lines = _by_name((*first.lines, *second.lines))
    zones = _by_name((*first.zones, *second.zones))
    return Window(first.start_ms, first.length_ms, lines, zones, added((first.audit, second.audit)))


def _by_name(rows: Sequence[Named]) -> tuple[Named, ...]:
    """Rows of one name together, in the order in which names first come."""
    names = dict.fromkeys(row.name for row in rows)
    return tuple(added([row for row in rows if row.name == name]) for name in names)


def _complete(window: Window) -> Window:
    """Whatever was not observed was blind."""
    observed_ms = min(window.audit.observed_ms, window.length_ms)
    audit = replace(window.audit, observed_ms=observed_ms, blind_ms=window.length_ms - observed_ms)
    return replace(window, audit=audit)
