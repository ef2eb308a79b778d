"""Windows without holes: what vision closed, what it had open when it died, and blind windows for the time between.

Rules: every window of the grid comes out exactly once, in order; sums of parts add up; observed + blind = length. A
window that nobody observed says so with `blind_ms`, it is never a zero that looks like an empty shop. Pure: times
arrive as arguments. When to restart vision is `firmware.supervisor`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.window_sums import added


class Stitcher:
    """One camera's windows. `length_ms` is the grid; the names say what a window that nobody observed is about."""

    def __init__(self, length_ms: int, lines: tuple[LineSums, ...], zones: tuple[ZoneSums, ...]) -> None:
        """`lines` and `zones` are the empty sums of the configured ones."""
        self.length_ms = length_ms
        self._lines = lines
        self._zones = zones
        self._next_ms: int | None = None
        self._snapshot: Window | None = None
        self._left: Window | None = None

    def begin(self, now_ms: int) -> None:
        """Time starts to count here: from now on every window must come out."""
        if self._next_ms is None:
            self._next_ms = now_ms - now_ms % self.length_ms

    def closed(self, window: Window) -> Iterator[Window]:
        """Vision closed a window: blind ones for any hole before it, then itself joined with what a dead vision left."""
        if self._next_ms is not None and window.start_ms < self._next_ms:
            return  # already said blind; vision came back with an old clock
        yield from self.blind_until(window.start_ms)
        yield self._join(window)
        self._next_ms = window.start_ms + self.length_ms
        self._snapshot = None

    def snapshot(self, window: Window) -> None:
        """Vision's open window, to be used if it never closes it."""
        if self._next_ms is None or window.start_ms >= self._next_ms:
            self._snapshot = window

    def died(self) -> None:
        """Vision is gone: its last snapshot is all that comes of that window from it."""
        if self._snapshot is not None:
            self._left = self._join(self._snapshot)
            self._snapshot = None

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
    """The sum of two parts of one window; maxima are maxima."""
    lines = tuple(added((a, b)) for a, b in zip(first.lines, second.lines, strict=True))
    zones = tuple(added((a, b)) for a, b in zip(first.zones, second.zones, strict=True))
    return Window(first.start_ms, first.length_ms, lines, zones, added((first.audit, second.audit)))


def _complete(window: Window) -> Window:
    """Whatever was not observed was blind."""
    observed_ms = min(window.audit.observed_ms, window.length_ms)
    audit = msgspec.structs.replace(window.audit, observed_ms=observed_ms, blind_ms=window.length_ms - observed_ms)
    return msgspec.structs.replace(window, audit=audit)
