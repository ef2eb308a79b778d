"""Who is in view, after re-linking: what lines, zones and queues work on.

A person id lives in memory only. It survives re-links and id swaps of the tracker, and it is never reported: what
leaves is a pseudonym of the current epoch, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class People:
    """The people of one step.

    Attributes:
        t_s: time of the frame, monotonic seconds.
        ids: (N,) int64, person ids, unique per relinker, stable over re-links and swaps.
        boxes: (N, 4) float64, x0 y0 x1 y1 in 0..1.
        scores: (N,) float64.
        seen: (N,) bool, False: the box is a prediction.
        still: (N,) bool, has not moved for so long that it is furniture, or stands on a learned still place.
        staff: (N,) bool, known to be staff.
        born_s: (N,) float64, time of the person's first detection.
        birth_boxes: (N, 4) float64, the person's first box.
        gone: person ids that ended for good in this step: no later track can be linked to them (absent from `ids`).
        relinked: how many tracks were joined to an earlier one in this step (for the audit).
        aspect: frame width divided by height.
        dropped: frames lost before this one.
        uniform: (N,) float64 in 0..1, smoothed match with the staff colour; None when off.
    """

    t_s: float
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    seen: NDArray[np.bool_]
    still: NDArray[np.bool_]
    staff: NDArray[np.bool_]
    born_s: NDArray[np.float64]
    birth_boxes: NDArray[np.float64]
    gone: tuple[int, ...] = ()
    relinked: int = 0
    aspect: float = 16 / 9
    dropped: int = 0
    uniform: NDArray[np.float64] | None = None
