"""One image and its capture time. Lives in memory only; nothing in the tree writes one to a file or a socket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """An RGB image.

    Attributes:
        t_s: capture time, monotonic seconds (for a recording: seconds of the recording).
        pixels: (H, W, 3) uint8, RGB, rows may be strided.
        dropped: frames lost since the last one that was read.
    """

    t_s: float
    pixels: NDArray[np.uint8]
    dropped: int = 0

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        return self.pixels.shape[1] / self.pixels.shape[0]
