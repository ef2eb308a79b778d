"""Plane geometry of a camera's view, in heights of the view, for checks and sketches: no kernels, no haste.

Rules: points are (x, y) in 0..1 with the origin top left; lengths and directions are taken after x is stretched by the
aspect, so that they are true; polygons close by themselves. The kernels that count use their own, compiled geometry
(`firmware.analytics.geometry`); this one must start fast, on a phone's request or in `passerby check`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware.config import CameraConfig, LineConfig, Point

Vector = tuple[float, float]

VISIBLE_SHARE: Final = 0.5  # of a person must be in view to be found at the top edge
EDGE_SHARE: Final = 0.09  # a box half out of view at the side has its foot point a quarter of its width inside: 0.375 / 4
GRID: Final = 96  # cells a side for areas: 1 % of the view
_OUTSIDE: Final = 1e-6


class View(NamedTuple):
    """What a camera sees: width over height, and the box height of a person at the top and bottom edge."""

    aspect: float
    far: float
    near: float

    def person(self, y: float) -> float:
        """Box height, in view heights, of a person whose feet are at y."""
        return self.far + (self.near - self.far) * min(max(y, 0.0), 1.0)

    def seen(self, x: float, y: float) -> bool:
        """Whether a foot point can be found there: enough of the person is in view."""
        height = self.person(y)
        side = EDGE_SHARE * height / self.aspect
        return side <= x <= 1 - side and VISIBLE_SHARE * height <= y <= 1

    def length(self, a: Point, b: Point) -> float:
        return math.hypot((b[0] - a[0]) * self.aspect, b[1] - a[1])


def aspect_of(camera: CameraConfig) -> float:
    """Width over height of a camera's picture, as far as its source tells.

    Cameras on the board and the simulated shop give 4:3 (640 x 480) unless told otherwise; network cameras and
    recordings are 16:9 as a rule.
    """
    kind = camera.source.partition(":")[0].lower()
    return 4 / 3 if kind in {"picamera2", "v4l2", "sim", "sim-boxes"} else 16 / 9


def view_of(camera: CameraConfig, aspect: float) -> View:
    """What a camera sees, if its picture is `aspect` times as wide as high."""
    far, near = camera.person_height_share
    return View(aspect, far, near)


def normal_to_in(line: LineConfig, aspect: float) -> Vector:
    """Unit vector, in view heights, that points to the line's `in` side. Left of (1, 0) is (0, -1): up the picture."""
    dx, dy = (line.end[0] - line.start[0]) * aspect, line.end[1] - line.start[1]
    length = math.hypot(dx, dy) or 1.0
    sign = 1.0 if line.in_side == "left" else -1.0
    return sign * dy / length, -sign * dx / length


def compass(dx: float, dy: float) -> str:
    """The nearest of eight ways in the picture, in words."""
    names = ("right", "down and right", "down", "down and left", "left", "up and left", "up", "up and right")
    return names[round(math.atan2(dy, dx) / (math.pi / 4)) % 8]


def scaled(point: Point, view: View) -> Vector:
    return point[0] * view.aspect, point[1]


def beyond(point: Point) -> bool:
    return not all(-_OUTSIDE <= value <= 1 + _OUTSIDE for value in point)


def into(point: Point) -> Point:
    return min(max(point[0], 0.0), 1.0), min(max(point[1], 0.0), 1.0)


def moved(point: Point, dx: float, dy: float) -> Point:
    return into((point[0] + dx, point[1] + dy))


def xy(point: Point) -> str:
    return f"[{point[0]:.2f}, {point[1]:.2f}]"


def apart(a: Vector, b: Vector, p: Vector) -> float:
    """Distance of a point from a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    t = min(max(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square, 0.0), 1.0) if square else 0.0
    return math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy)


def _turn(a: Vector, b: Vector, c: Vector) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _meet(a: Vector, b: Vector, c: Vector, d: Vector) -> bool:
    """Whether two segments touch. Collinear ones do where they overlap."""
    turns = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends: tuple[tuple[float, Vector, Vector, Vector], ...] = (
        (turns[0], a, b, c),
        (turns[1], a, b, d),
        (turns[2], c, d, a),
        (turns[3], c, d, b),
    )
    return any(abs(turn) < 1e-12 and apart(p, q, r) < 1e-9 for turn, p, q, r in ends)


def self_crossing(polygon: tuple[Point, ...]) -> tuple[int, int] | None:
    """Two sides that meet though they are not neighbours, or neighbours that fold back on each other."""
    count = len(polygon)
    for a, b in combinations(range(count), 2):
        p, q, r, s = polygon[a], polygon[(a + 1) % count], polygon[b], polygon[(b + 1) % count]
        if b == a + 1 or (a == 0 and b == count - 1):
            corner, before, after = (q, p, s) if b == a + 1 else (p, q, r)
            back = (before[0] - corner[0]) * (after[0] - corner[0]) + (before[1] - corner[1]) * (after[1] - corner[1])
            if abs(_turn(corner, before, after)) < 1e-12 and back > 0:
                return a, b
        elif _meet(p, q, r, s):
            return a, b
    return None


def area(polygon: tuple[Point, ...]) -> float:
    """Signed; positive where the corners run clockwise as seen in the picture."""
    pairs = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2


def outward(polygon: tuple[Point, ...], side: int, view: View) -> Vector:
    """Unit normal of a side, away from the zone, in view heights."""
    a, b = scaled(polygon[side], view), scaled(polygon[(side + 1) % len(polygon)], view)
    length = math.hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    sign = 1.0 if area(polygon) > 0 else -1.0
    return sign * (b[1] - a[1]) / length, -sign * (b[0] - a[0]) / length


def cells(polygon: tuple[Point, ...]) -> NDArray[np.bool_]:
    """(GRID, GRID) bool, rows are y: whether the middle of each cell of the view is inside. Even-odd rule."""
    middles = (np.arange(GRID) + 0.5) / GRID
    return _contains(polygon, middles[None, :], middles[:, None])


def _contains(polygon: tuple[Point, ...], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside = np.zeros(np.broadcast(x, y).shape, np.bool_)
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        turn = (x - ax) * (by - ay) - (y - ay) * (bx - ax)
        inside ^= ((ay > y) != (by > y)) & ((turn < 0) == (by > ay))
    return inside


def inscribed(polygon: tuple[Point, ...], view: View) -> tuple[float, Point]:
    """Radius, in view heights, and middle of about the largest circle inside: best of a grid, then of a finer one round it."""
    xs, ys = [point[0] for point in polygon], [point[1] for point in polygon]
    low, high = (min(xs), min(ys)), (max(xs), max(ys))
    clear = _clearance(polygon, view)
    best, at = 0.0, ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    for _ in range(3):
        for i in range(17):
            for j in range(17):
                place = (low[0] + (high[0] - low[0]) * i / 16, low[1] + (high[1] - low[1]) * j / 16)
                radius = clear(place)
                if radius > best:
                    best, at = radius, place
        wide, tall = (high[0] - low[0]) / 8, (high[1] - low[1]) / 8
        low, high = (at[0] - wide, at[1] - tall), (at[0] + wide, at[1] + tall)
    return best, at


def _clearance(polygon: tuple[Point, ...], view: View) -> Callable[[Point], float]:
    corners = [scaled(point, view) for point in polygon]
    sides = list(zip(corners, (*corners[1:], corners[0]), strict=True))

    def clear(place: Point) -> float:
        if not _contains(polygon, np.array(place[0]), np.array(place[1])):
            return 0.0
        return min(apart(a, b, scaled(place, view)) for a, b in sides)

    return clear
