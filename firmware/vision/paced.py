"""A recording played as if it were a camera: each frame at its own time on the machine's clock, late ones dropped and counted.

For `passerby run` on a video file, recorded detections or the simulated shop; `passerby replay` reads them as fast as it
can instead. Left to others: opening the recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Generic, Protocol, TypeVar

from firmware.clock import Clock
from firmware.vision.detection import Detections
from firmware.vision.frame import Frame

LATE_S_MAX: Final = 0.2  # what is later than this is dropped, as a camera would have

Item = TypeVar("Item", Frame, Detections)
Read = TypeVar("Read", Frame, Detections, covariant=True)


class Recording(Protocol[Read]):
    """A source that is read as fast as it is asked."""

    def read(self) -> Read | None:
        """The next item; None at the end."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class Paced(Generic[Item]):
    """Times of the recording become times of the clock: the first frame is now."""

    live = True

    def __init__(self, recording: Recording[Item], clock: Clock, sleep_s: Callable[[float], None]) -> None:
        """`sleep_s` waits."""
        self._recording: Recording[Item] = recording
        self._clock, self._sleep_s = clock, sleep_s
        self._shift_s: float | None = None

    def read(self) -> Item | None:
        """The next item that is not too late, at its time; None at the end."""
        dropped = 0
        while (item := self._recording.read()) is not None:
            now_s = self._clock.monotonic_s()
            if self._shift_s is None:
                self._shift_s = now_s - item.t_s
            due_s = item.t_s + self._shift_s
            if now_s - due_s > LATE_S_MAX:
                dropped += 1 + item.dropped
                continue
            if due_s > now_s:
                self._sleep_s(due_s - now_s)
            return replace(item, t_s=due_s, dropped=dropped + item.dropped)
        return None

    def close(self) -> None:
        """Release the recording."""
        self._recording.close()
