"""The two ports of vision. Adapters implement them; fakes in `tests/fakes.py` do too."""

from __future__ import annotations

from typing import Protocol

from firmware.vision.detection import Detections
from firmware.vision.frame import Frame


class FrameSource(Protocol):
    """Where frames come from. Raises SourceError, with a hint, when none can be had."""

    live: bool
    """True for a camera: only the newest frame is kept and drops are counted. False: every frame is delivered."""

    def read(self) -> Frame | None:
        """The next (recording) or newest (camera) frame; blocks at most a few seconds; None at the end of a recording."""
        ...

    def close(self) -> None:
        """Release the device or file; may be called twice."""
        ...


class Detector(Protocol):
    """Turns a frame into person boxes. Raises ModelError when the runtime fails."""

    def detect(self, frame: Frame) -> Detections:
        """People in the frame, best score first, after non-maximum suppression."""
        ...

    def close(self) -> None:
        """Release the runtime; may be called twice."""
        ...


class DetectionSource(Protocol):
    """Recorded detections, or any source that knows boxes without pixels (the simulated shop's truth, a smart sensor)."""

    live: bool

    def read(self) -> Detections | None:
        """The next detections; None at the end."""
        ...

    def close(self) -> None:
        """Release the file; may be called twice."""
        ...
