"""Fakes of the ports: what tests put in place of cameras and clocks. Each keeps the contract its port states."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from firmware.clock import WallQuality
from firmware.vision.detection import Detections
from firmware.vision.frame import Frame


class FakeClock:
    """Time that moves only when a test moves it, or when somebody sleeps."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return int(self.now_s * 1000) + 1_700_000_000_000

    def wall_quality(self) -> WallQuality:
        return "ntp"

    def boot_id(self) -> str:
        return "fake-boot"

    def sleep_s(self, seconds: float) -> None:
        self.now_s += seconds


class FakeFrames:
    """A FrameSource of given frames; counts how often it was closed."""

    def __init__(self, frames: Iterable[Frame], *, live: bool = False) -> None:
        self._frames, self.live, self.closed = iter(frames), live, 0

    def read(self) -> Frame | None:
        return next(self._frames, None)

    def close(self) -> None:
        self.closed += 1


class FakeDetections:
    """A DetectionSource of given detections."""

    def __init__(self, detections: Iterable[Detections], *, live: bool = False) -> None:
        self._detections, self.live, self.closed = iter(detections), live, 0

    def read(self) -> Detections | None:
        return next(self._detections, None)

    def close(self) -> None:
        self.closed += 1


def grey_frame(t_s: float, level: int = 128, size: tuple[int, int] = (8, 6), dropped: int = 0) -> Frame:
    """A frame of one grey; width and height in pixels."""
    return Frame(t_s, np.full((size[1], size[0], 3), level, dtype=np.uint8), dropped)
