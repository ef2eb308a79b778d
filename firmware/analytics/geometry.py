"""Plane geometry of lines and zones, for everybody who asks where a foot is.

Points are x, y in 0..1 of the frame's width and height, origin top left, y down. A picture is wider than high, so x is
multiplied by `aspect` (width / height) before anything is measured; lengths then are shares of the frame's height, and
divided by a person's box height they are shares of box height: the same at the door and at the far wall.

*Left* is left as seen in the picture by someone who stands at `start` and looks at `end`: of a line drawn from left to
right, left is up. Signed distances are positive on the left. Everything here is pure and works on arrays of N points.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Point = tuple[float, float]
Floats = NDArray[np.float64]

HEIGHT_MIN: Final = 1e-4  # of the frame: a lower box would be less than a tenth of a pixel
CUT_SHARE: Final = 0.02  # of the view: boxes of people who are cut by its edge end within so much of it


def foot_points(boxes: Floats) -> Floats:
    """(N, 4) boxes x0 y0 x1 y1 -> (N, 2) bottom centres: what lines and zones test."""
    return np.column_stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]))


def box_heights(boxes: Floats) -> Floats:
    """(N, 4) boxes -> (N,) heights as shares of the frame's height, never zero."""
    return np.maximum(boxes[:, 3] - boxes[:, 1], HEIGHT_MIN)


def left_distances(points: Floats, start: Point, end: Point, aspect: float) -> Floats:
    """How far (N, 2) points lie to the left of the endless line through `start` and `end`: (N,) shares of frame height.

    Negative on the right. A line without length has no sides: zeros.
    """
    dx, dy = (end[0] - start[0]) * aspect, end[1] - start[1]
    length = float(np.hypot(dx, dy))
    if length == 0.0:
        return np.zeros(len(points))
    return (dy * (points[:, 0] - start[0]) * aspect - dx * (points[:, 1] - start[1])) / length


def along_shares(points: Floats, start: Point, end: Point, aspect: float) -> Floats:
    """Where (N, 2) points stand along the line: (N,), 0 beside `start`, 1 beside `end`, beyond on the extensions."""
    dx, dy = (end[0] - start[0]) * aspect, end[1] - start[1]
    square = dx * dx + dy * dy
    if square == 0.0:
        return np.zeros(len(points))
    return ((points[:, 0] - start[0]) * aspect * dx + (points[:, 1] - start[1]) * dy) / square


def meeting_share(p: Point, q: Point, a: Point, b: Point) -> float | None:
    """The share 0..1 of the way from `p` to `q` at which it meets the segment `a` to `b`; None if it does not.

    Ends belong to the segment; parallel ways do not meet. Shares do not depend on the aspect.
    """
    way = (q[0] - p[0], q[1] - p[1])
    side = (b[0] - a[0], b[1] - a[1])
    cross = way[0] * side[1] - way[1] * side[0]
    if cross == 0.0:
        return None
    gap = (a[0] - p[0], a[1] - p[1])
    on_way = (gap[0] * side[1] - gap[1] * side[0]) / cross
    on_side = (gap[0] * way[1] - gap[1] * way[0]) / cross
    return on_way if 0.0 <= on_way <= 1.0 and 0.0 <= on_side <= 1.0 else None


def inside_polygon(points: Floats, polygon: tuple[Point, ...]) -> NDArray[np.bool_]:
    """Which of (N, 2) points lie in the polygon: (N,) bool, by the even-odd rule (source: W. R. Franklin's PNPOLY).

    Each side owns its upper end only, so that a point on the border of two neighbours lies in exactly one of them.
    """
    inside = np.zeros(len(points), dtype=np.bool_)
    x, y = points[:, 0], points[:, 1]
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        if ay == by:
            continue
        spans = (ay > y) != (by > y)
        inside ^= spans & (x < (bx - ax) * ((y - ay) / (by - ay)) + ax)
    return inside


def polygon_depths(points: Floats, polygon: tuple[Point, ...], aspect: float) -> Floats:
    """How deep (N, 2) points lie in the polygon: (N,) shares of frame height to the nearest side, negative outside."""
    nearest = np.full(len(points), np.inf)
    for a, b in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        share = np.clip(along_shares(points, a, b, aspect), 0.0, 1.0)
        off_x = (points[:, 0] - (a[0] + share * (b[0] - a[0]))) * aspect
        off_y = points[:, 1] - (a[1] + share * (b[1] - a[1]))
        nearest = np.minimum(nearest, np.hypot(off_x, off_y))
    return np.where(inside_polygon(points, polygon), nearest, -nearest)


def side_crossed(inner: Point, outer: Point, polygon: tuple[Point, ...]) -> int | None:
    """Which side 0..n-1 (point i to point i+1) the way from `inner` to `outer` leaves by; None if it meets none.

    A way that meets several sides (a notch, a corner) leaves by the last: that is where it ends outside. For someone
    who comes in, call it with the same two points: sides have no direction.
    """
    last: tuple[float, int] | None = None
    for index, (a, b) in enumerate(zip(polygon, (*polygon[1:], *polygon[:1]), strict=True)):
        share = meeting_share(inner, outer, a, b)
        if share is not None and (last is None or share > last[0]):
            last = (share, index)
    return None if last is None else last[1]


@njit(cache=True, error_model="numpy")
def is_cut(box: NDArray[np.float64]) -> bool:
    """Whether somebody is cut by a side or the bottom of the view: there people come in, and are seen at once."""
    cut: bool = box[0] <= CUT_SHARE or box[2] >= 1.0 - CUT_SHARE or box[3] >= 1.0 - CUT_SHARE
    return cut


@njit(cache=True, error_model="numpy")
def standing_height(box: NDArray[np.float64], near_height: float) -> float:
    """How tall somebody is, in heights of the view: who is cut by its bottom edge at least `near_height`, as people are there."""
    height = max(box[3] - box[1], HEIGHT_MIN)
    return max(height, near_height) if box[3] >= 1.0 - CUT_SHARE else height
