"""Fakes of the ports: what tests put in place of cameras and clocks. Each keeps the contract its port states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware.clock import WallQuality
from firmware.errors import ModelError
from firmware.vision.detection import Detections
from firmware.vision.frame import Frame
from firmware.vision.tensors import Signature, Tensor


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


SPOT = Signature(
    (Tensor("picture", (1, 8, 8, 3), "uint8", 1 / 128, 128),),
    (Tensor("heat", (1, 2, 2, 1), "int8", 1 / 16, 0), Tensor("box", (1, 2, 2, 4), "int8", 1 / 64, 0)),
)
"""A centre-point model of 8x8 pixels and 2x2 cells of stride 4."""


class FakeInterpreter:
    """See `firmware.vision.tensors.Interpreter`. By default a SPOT that sees nobody."""

    def __init__(self, signature: Signature = SPOT, outputs: tuple[NDArray[Any], ...] | None = None, failing: bool = False) -> None:
        self.signature = signature
        self.invokes = 0
        self.closed = False
        self._failing = failing
        self._input = np.zeros(signature.inputs[0].shape, signature.inputs[0].dtype)
        self._outputs = outputs or tuple(np.full(o.shape, -128 if o.dtype == "int8" else 0, o.dtype) for o in signature.outputs)

    def input(self) -> NDArray[Any]:
        return self._input

    def invoke(self) -> None:
        if self._failing:
            raise ModelError("the runtime failed", "restart")
        self.invokes += 1

    def outputs(self) -> tuple[NDArray[Any], ...]:
        return self._outputs

    def close(self) -> None:
        self.closed = True
