"""A pin-hole camera above a floor: metres to pixels.

The floor plan has x to the right, y away from the camera and z up; the camera stands over the origin. Camera axes are
right, down, forward, so that depth is the distance along the optical axis and pixels are square. Lens distortion is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
DEPTH_M_MIN = 0.05  # nearer points are behind the lens as far as drawing goes


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the camera hangs and looks.

    Attributes:
        width, height: of the picture, pixels.
        focal_px: focal length in pixels.
        eye: (3,) metres.
        axes: (3, 3) rows right, down, forward; orthonormal.
    """

    width: int
    height: int
    focal_px: float
    eye: Vectors
    axes: Vectors

    def project(self, points: Vectors) -> Vectors:
        """(..., 3) metres to (..., 3): column, row (pixels) and depth (metres, at least DEPTH_M_MIN)."""
        seen = (points - self.eye) @ self.axes.T
        depth = np.maximum(seen[..., 2], DEPTH_M_MIN)
        column = self.width / 2 + self.focal_px * seen[..., 0] / depth
        row = self.height / 2 + self.focal_px * seen[..., 1] / depth
        return np.stack((column, row, depth), axis=-1)

    def floor_share(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Where a point of the floor is seen, in 0..1 of the picture."""
        column, row, _ = self.project(np.array([x_m, y_m, 0.0]))
        return float(column) / self.width, float(row) / self.height


def look_down(width: int, height: int, high_m: float, pitch_rad: float, view_rad: tuple[float, float] = (1.309, 1.045)) -> Camera:
    """A camera `high_m` over the origin, tilted down by `pitch_rad`, that sees at least `view_rad` (across, down)."""
    focal_px = min(width / 2 / math.tan(view_rad[0] / 2), height / 2 / math.tan(view_rad[1] / 2))
    return Camera(width, height, focal_px, np.array([0.0, 0.0, high_m]), axes_of(0.0, pitch_rad, 0.0))


def axes_of(yaw_rad: float, pitch_rad: float, roll_rad: float) -> Vectors:
    """Camera axes (3, 3) for a heading to the right of y, a tilt down and a turn about the optical axis."""
    forward = np.array([math.sin(yaw_rad) * math.cos(pitch_rad), math.cos(yaw_rad) * math.cos(pitch_rad), -math.sin(pitch_rad)])
    right = np.array([math.cos(yaw_rad), -math.sin(yaw_rad), 0.0])
    down = np.cross(forward, right)
    turn, lift = math.cos(roll_rad), math.sin(roll_rad)
    return np.array([turn * right + lift * down, turn * down - lift * right, forward])
