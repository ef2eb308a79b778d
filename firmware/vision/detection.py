"""Boxes with scores in one frame, as the detector hands them to the tracker. Arrays, because kernels take arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detections:
    """N people in one frame.

    Attributes:
        t_s: capture time, monotonic seconds.
        boxes: (N, 4) float64, x0 y0 x1 y1 in 0..1 of the frame's width and height, origin top left.
        scores: (N,) float64 in 0..1.
        aspect: frame width divided by its height; lets the core measure in units of box height.
        dropped: frames lost before this one since the last (drops are counted, never hidden).
        uniform: (N,) float64 in 0..1, how far each torso matches the enrolled staff colour; empty when off.
    """

    t_s: float
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    aspect: float = 16 / 9
    dropped: int = 0
    uniform: NDArray[np.float64] | None = None

    def foot_points(self) -> NDArray[np.float64]:
        """(N, 2): bottom centre of each box; what lines and zones test."""
        return np.column_stack(((self.boxes[:, 0] + self.boxes[:, 2]) / 2, self.boxes[:, 3]))


def no_detections(t_s: float, aspect: float = 16 / 9, dropped: int = 0) -> Detections:
    """A frame in which nobody was seen."""
    return Detections(t_s, np.empty((0, 4)), np.empty(0), aspect, dropped)
