"""Recordings and simulations played as if they were a camera: in real time, the newest frame only, drops counted.

Times become those of the machine's monotonic clock, beginning with the first read. A reader that is too slow loses the frames it was
too late for, as with a camera; a recording that is over is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Generic, Protocol, TypeVar

from firmware.clock import Clock, sleep_s
from firmware.vision.detection import Detections
from firmware.vision.frame import Frame

LATE_S: Final = 0.1  # a frame at ten a second: later ones are what a camera would have dropped
SKIP_S_MAX: Final = 0.5  # of catching up without handing out a frame: a reader must go on hearing and saying things

Timed = TypeVar("Timed", Frame, Detections)
Timed_co = TypeVar("Timed_co", covariant=True)


class Source(Protocol[Timed_co]):
    """A FrameSource or DetectionSource."""

    def read(self) -> Timed_co | None:
        """The next one; None at the end."""
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


class Paced(Generic[Timed]):
    """A live source made of a recording.

    Args:
        inner: the recording; its times are seconds from its own zero.
        clock: the time that frames get.
        wait_s: sleeps; tests pass their own.
    """

    live = True

    def __init__(self, inner: Source[Timed], clock: Clock, wait_s: Callable[[float], None] = sleep_s) -> None:
        self._inner: Source[Timed] = inner
        self._clock, self._wait_s = clock, wait_s
        self._zero_s: float | None = None

    def read(self) -> Timed | None:
        """Waits until the next one is due; None at the end."""
        dropped, began_s = 0, self._clock.monotonic_s()
        while (item := self._inner.read()) is not None:
            now_s = self._clock.monotonic_s()
            if self._zero_s is None:
                self._zero_s = now_s - item.t_s
            due_s = self._zero_s + item.t_s
            if now_s - due_s > LATE_S and now_s - began_s < SKIP_S_MAX:
                dropped += 1 + item.dropped
                continue
            if now_s - due_s > LATE_S:  # even to skip is too slow on this machine: from here on it plays behind time
                self._zero_s, due_s = self._zero_s + now_s - due_s, now_s
            if due_s > now_s:
                self._wait_s(due_s - now_s)
            return replace(item, t_s=due_s, dropped=item.dropped + dropped)
        return None

    def close(self) -> None:
        """Close the recording; may be called twice."""
        self._inner.close()
