"""Integer sums over a fixed grid of time: what always may leave the device.

The grid is multiples of the window's length on the camera's monotonic clock. A thing is booked in the window that is open
when it becomes known: a count when it settles, a dwell when the visit ends. Occupancy is the exact time that visits
spent in the window: what is certain at its close is booked up to the edge, what becomes certain later (a visit that was
too young, a break that proved to be none) is carried into the window in which it does. So the sums over all windows are
exactly the totals, and occupancy adds up to dwell; a window's share moves by seconds.

Time is either observed or blind and their sum is the window's length; before the first frame and after the last the
device was blind. Left to others: what is counted (`pipeline`), windows that nobody lived to close (`firmware.stitch`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from firmware.events import DWELL_EDGES_S, HISTOGRAM_CELLS, WAIT_EDGES_S, Audit, LineSums, Window, ZoneKind, ZoneSums

BLIND_WINDOWS_MAX: Final = 240  # an hour of 15 s: after a longer sleep the daemon's stitcher fills the rest
_DWELL_EDGES_MS: Final = tuple(1000 * edge for edge in DWELL_EDGES_S)
_WAIT_EDGES_MS: Final = tuple(1000 * edge for edge in WAIT_EDGES_S)

LineField = Literal["entries", "exits", "provisional_entries", "provisional_exits", "staff_entries", "staff_exits", "ambiguous"]
ZoneField = Literal["entries", "exits", "served", "abandoned", "staff_entries", "staff_exits", "staff_dwell_ms"]
AuditField = Literal[
    "frames", "dropped_frames", "ambiguous", "births", "births_inside", "relinked", "still", "voided", "drift", "fallback_frames"
]


@dataclass(slots=True)
class Stay:
    """A shopper's visit as occupancy sees it. `end_ms` is None while it lasts; `booked_ms`: occupancy is booked up to here."""

    person: int
    entry_ms: int
    booked_ms: int
    end_ms: int | None = None


KnownUntil = Callable[[int, Stay], int]
"""(zone, stay) -> milliseconds up to which an open stay is certain."""


class Windows:
    """The sums of one camera: one open window, and the stays that reach into it.

    Args:
        lines: names of the lines.
        zones: names and kinds of the zones.
        length_ms: of a window.
    """

    def __init__(self, lines: tuple[str, ...], zones: tuple[tuple[str, ZoneKind], ...], length_ms: int) -> None:
        self.length_ms = length_ms
        self._lines = tuple(_LineCell(name) for name in lines)
        self._zones = tuple(_ZoneCell(name, kind) for name, kind in zones)
        self._audit: dict[str, int] = {}
        self._observed_ms = 0
        self._start_ms: int | None = None
        self._now_ms = 0

    def line(self, index: int, field: LineField) -> None:
        """One more of `field` at a line."""
        sums = self._lines[index].sums
        sums[field] = sums.get(field, 0) + 1

    def zone(self, index: int, field: ZoneField, amount: int = 1) -> None:
        """So much more of `field` in a zone."""
        sums = self._zones[index].sums
        sums[field] = sums.get(field, 0) + amount

    def audit(self, field: AuditField, amount: int = 1) -> None:
        """So much more of `field` in the audit."""
        self._audit[field] = self._audit.get(field, 0) + amount

    def began(self, zone: int, person: int, entry_ms: int) -> None:
        """A shopper's visit began."""
        self._zones[zone].stays.append(Stay(person, entry_ms, entry_ms))

    def ended(self, zone: int, person: int, end_ms: int) -> None:
        """That visit ended; its occupancy is booked up to `end_ms` when the window closes."""
        for stay in self._zones[zone].stays:
            if stay.person == person and stay.end_ms is None:
                stay.end_ms = max(end_ms, stay.booked_ms)
                return

    def dwelt(self, zone: int, dwell_ms: int) -> None:
        """A visit's true dwell is known."""
        cell = self._zones[zone]
        cell.dwell_ms += dwell_ms
        cell.dwells[bisect_left(_DWELL_EDGES_MS, dwell_ms)] += 1

    def waited(self, zone: int, wait_ms: int) -> None:
        """A wait in a queue is known."""
        cell = self._zones[zone]
        cell.wait_ms += wait_ms
        cell.wait_max_ms = max(cell.wait_max_ms, wait_ms)
        cell.waits[bisect_left(_WAIT_EDGES_MS, wait_ms)] += 1

    def advance(self, t_ms: int, known_until: KnownUntil, *, observed: bool) -> tuple[Window, ...]:
        """Time goes on to `t_ms`, observed or blind; the windows that ended by then. The first call starts the clock."""
        if self._start_ms is None:
            self._start_ms, self._now_ms = t_ms - t_ms % self.length_ms, t_ms
            return ()
        if t_ms < self._start_ms + self.length_ms:
            self._spend(t_ms, observed=observed)
            return ()
        return tuple(self._close_until(t_ms, known_until, observed=observed))

    def finish(self, t_ms: int, known_until: KnownUntil) -> tuple[Window, ...]:
        """The end: whatever ended by `t_ms`, and the open window with what is left of it blind."""
        closed = self.advance(t_ms, known_until, observed=True)
        if self._start_ms is None:
            return closed
        last = self._close(self._start_ms, known_until)
        self._start_ms = None
        return (*closed, last)

    def open_window(self, known_until: KnownUntil) -> Window | None:
        """The open window as it would be if the device died now; books nothing."""
        if self._start_ms is None:
            return None
        zones = tuple(
            cell.sums_now(*cell.occupancy(index, (self._start_ms, self._start_ms + self.length_ms), known_until))
            for index, cell in enumerate(self._zones)
        )
        return self._window(self._start_ms, tuple(cell.sums_now() for cell in self._lines), zones)

    def _close_until(self, t_ms: int, known_until: KnownUntil, *, observed: bool) -> Iterator[Window]:
        start_ms = self._start_ms
        assert start_ms is not None
        while start_ms + self.length_ms <= t_ms:
            self._spend(start_ms + self.length_ms, observed=observed)
            yield self._close(start_ms, known_until)
            behind = (t_ms - start_ms) // self.length_ms - 1
            skipped = 0 if observed else max(behind - BLIND_WINDOWS_MAX, 0)
            start_ms += (1 + skipped) * self.length_ms
            self._start_ms = self._now_ms = start_ms
        self._spend(t_ms, observed=observed)

    def _spend(self, t_ms: int, *, observed: bool) -> None:
        if observed:
            self._observed_ms += t_ms - self._now_ms
        self._now_ms = t_ms

    def _close(self, start_ms: int, known_until: KnownUntil) -> Window:
        span = (start_ms, start_ms + self.length_ms)
        zones = []
        for index, cell in enumerate(self._zones):
            zones.append(cell.sums_now(*cell.occupancy(index, span, known_until)))
            cell.book(index, span[1], known_until)
        window = self._window(start_ms, tuple(cell.sums_now() for cell in self._lines), tuple(zones))
        for line in self._lines:
            line.sums = {}
        for cell in self._zones:
            cell.clear()
        self._audit, self._observed_ms = {}, 0
        return window

    def _window(self, start_ms: int, lines: tuple[LineSums, ...], zones: tuple[ZoneSums, ...]) -> Window:
        audit = Audit(observed_ms=self._observed_ms, blind_ms=self.length_ms - self._observed_ms, **self._audit)
        return Window(start_ms, self.length_ms, lines, zones, audit)


class _LineCell:
    def __init__(self, name: str) -> None:
        self._name = name
        self.sums: dict[str, int] = {}

    def sums_now(self) -> LineSums:
        return LineSums(self._name, **self.sums)


class _ZoneCell:
    def __init__(self, name: str, kind: ZoneKind) -> None:
        self._name, self._kind = name, kind
        self.stays: list[Stay] = []
        self.clear()

    def clear(self) -> None:
        self.sums: dict[str, int] = {}
        self.dwell_ms = self.wait_ms = self.wait_max_ms = 0
        self.dwells = [0] * HISTOGRAM_CELLS
        self.waits = [0] * HISTOGRAM_CELLS

    def occupancy(self, zone: int, span: tuple[int, int], known_until: KnownUntil) -> tuple[int, int]:
        """Milliseconds to book in this window, and the most shoppers at once in it."""
        total, steps = 0, []
        for stay in self.stays:
            until_ms = min(_until(zone, stay, known_until), span[1])
            total += max(until_ms - stay.booked_ms, 0)
            if until_ms > max(stay.entry_ms, span[0]):
                steps += [(max(stay.entry_ms, span[0]), 1), (until_ms, -1)]
        most = now = 0
        for _, step in sorted(steps):  # at one instant who leaves sorts before who comes
            now += step
            most = max(most, now)
        return total, most

    def book(self, zone: int, end_ms: int, known_until: KnownUntil) -> None:
        """Mark the occupancy up to `end_ms` as booked, and drop the stays that are done with."""
        for stay in self.stays:
            stay.booked_ms = max(stay.booked_ms, min(_until(zone, stay, known_until), end_ms))
        self.stays = [stay for stay in self.stays if stay.end_ms is None or stay.booked_ms < stay.end_ms]

    def sums_now(self, occupancy_ms: int, occupancy_max: int) -> ZoneSums:
        return ZoneSums(
            self._name,
            self._kind,
            occupancy_ms=occupancy_ms,
            occupancy_max=occupancy_max,
            dwell_ms=self.dwell_ms,
            dwell_histogram=tuple(self.dwells),
            wait_ms=self.wait_ms,
            wait_max_ms=self.wait_max_ms,
            wait_histogram=tuple(self.waits),
            **self.sums,
        )


def _until(zone: int, stay: Stay, known_until: KnownUntil) -> int:
    return known_until(zone, stay) if stay.end_ms is None else stay.end_ms
