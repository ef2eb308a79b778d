"""Tracks of one frame, as the tracker hands them on. Arrays, because kernels take arrays.

A track id is unique per tracker object and means one unbroken track, not one person: ids are never counted. Which
tracks are the same person is decided in `firmware.analytics.relink`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tracks:
    """Confirmed tracks, seen or coasting.

    Attributes:
        t_s: time of the frame, monotonic seconds.
        ids: (N,) int64, ascending.
        boxes: (N, 4) float64, x0 y0 x1 y1 in 0..1 (may reach over the border); seen: half filtered, half detected; else predicted.
        scores: (N,) float64, of the last matched detection.
        seen: (N,) bool, matched a detection in this frame; False: coasting on its prediction.
        born_s: (N,) float64, when its first detection was seen.
        birth_boxes: (N, 4) float64, its first detection.
        uniform: (N,) float64 in 0..1, smoothed match with the staff colour; zeros when off.
        ended: ids of confirmed tracks that ended in this step (absent from `ids`).
        aspect: frame width divided by height.
        dropped: frames lost before this one.
    """

    t_s: float
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    seen: NDArray[np.bool_]
    born_s: NDArray[np.float64]
    birth_boxes: NDArray[np.float64]
    uniform: NDArray[np.float64]
    ended: tuple[int, ...] = ()
    aspect: float = 16 / 9
    dropped: int = 0
