"""Numba kernels that draw: body parts with depth, soft shadows on the floor, and what the sensor makes of it.

A body part is a tapered elliptic capsule in the picture: an axis between two points, a half-width and a cap length at
either end, and a depth. Its shading takes a normal from where a pixel lies across and along it. Rules: bit-identical
with and without the JIT (float64 arithmetic of + - * / and sqrt only, sums in a fixed order, loads made plain floats);
nothing is allocated. Rooms are drawn in `room_raster`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Columns of a part's row.
P0X, P0Y, P0Z, P1X, P1Y, P1Z = 0, 1, 2, 3, 4, 5  # ends: column, row (px), depth (m)
W0, W1, C0, C1, BULGE = 6, 7, 8, 9, 10  # half-widths and caps (px), half-thickness (m)
RED, GREEN, BLUE, RED2, GREEN2, BLUE2 = 11, 12, 13, 14, 15, 16
PATTERN, REPEATS, LIT, OWNER = 17, 18, 19, 20
RIGHT, FORWARD, UP = 21, 24, 27  # the body's axes in camera coordinates
COLUMNS = 30

PLAIN, STRIPES, BARS, CHECKS, HEAD, JACKET, LOGO, VEST = 0, 1, 2, 3, 4, 5, 6, 7


@njit(cache=True)
def _second_colour(kind: int, repeats: float, along: float, across: float, right: float, forward: float, up: float) -> bool:
    """Whether a point of a part shows the second colour: hair, stripe, open jacket, print."""
    if kind == STRIPES:
        return math.floor(along * repeats * 2.0) % 2 == 1
    if kind == BARS:
        return math.floor((across + 1.0) * repeats) % 2 == 1
    if kind == CHECKS:
        return (math.floor(along * repeats * 2.0) + math.floor((across + 1.0) * repeats)) % 2 == 1
    if kind == HEAD:  # hair on top and behind; `repeats` is where it begins
        return up > repeats or forward < 0.35 - 0.9 * (1.0 - repeats) or (forward > 0.75 and 0.02 < up < 0.2 and 0.18 < abs(right) < 0.5)
    if kind == JACKET:
        return forward > 0.55 and abs(right) < 0.26
    if kind == LOGO:
        return abs(forward) > 0.5 and abs(right) < 0.42 and 0.5 < along < 0.85
    if kind == VEST:
        return 0.25 < along < 0.4 or 0.42 < abs(right) < 0.6
    return False


@njit(cache=True)
def _along(part: NDArray[np.float64], axis: int, x: float, y: float, z: float) -> float:
    """How far a direction goes along one of the body's axes."""
    return x * float(part[axis]) + y * float(part[axis + 1]) + z * float(part[axis + 2])


@njit(cache=True)
def _paint(canvas: NDArray[np.uint8], y: int, x: int, part: NDArray[np.float64], base: int, shade: float, alpha: float) -> None:
    """Lay a shaded colour over a pixel."""
    for channel in range(3):
        colour = min(255.0, max(0.0, float(part[base + channel]) * shade))
        behind = float(canvas[y, x, channel])
        canvas[y, x, channel] = int(behind + (colour - behind) * alpha + 0.5)


@njit(cache=True)
def _draw_part(
    canvas: NDArray[np.uint8],
    depth: NDArray[np.float32],
    owner: NDArray[np.int16],
    touched: NDArray[np.int16],
    area: NDArray[np.int64],
    part: NDArray[np.float64],
    light: NDArray[np.float64],
    grain: NDArray[np.int8],
) -> None:
    height, width = depth.shape
    x0, y0, z0 = float(part[P0X]), float(part[P0Y]), float(part[P0Z])
    x1, y1, z1 = float(part[P1X]), float(part[P1Y]), float(part[P1Z])
    w0, w1 = max(float(part[W0]), 0.55), max(float(part[W1]), 0.55)
    c0, c1 = max(float(part[C0]), 0.55), max(float(part[C1]), 0.55)
    ex, ey = x1 - x0, y1 - y0
    length = math.sqrt(ex * ex + ey * ey)
    if length < 1e-3:
        ex, ey, length = 0.0, -1.0, 1e-3
    else:
        ex, ey = ex / length, ey / length
    nx, ny = -ey, ex
    reach = max(w0, w1, c0, c1) + 1.0
    left, right = int(max(0.0, math.floor(min(x0, x1) - reach))), int(min(width - 1.0, math.ceil(max(x0, x1) + reach)))
    top, bottom = int(max(0.0, math.floor(min(y0, y1) - reach))), int(min(height - 1.0, math.ceil(max(y0, y1) + reach)))
    kind, repeats, lit, who = int(part[PATTERN]), float(part[REPEATS]), float(part[LIT]), int(part[OWNER])
    bulge = float(part[BULGE])
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            dx, dy = x + 0.5 - x0, y + 0.5 - y0
            run = dx * ex + dy * ey
            side = dx * nx + dy * ny
            share = min(1.0, max(0.0, run / length))
            half = w0 + (w1 - w0) * share
            across = side / half
            over = 0.0
            cap = half
            if run < 0.0:
                over, cap = run / c0, min(half, c0)
            elif run > length:
                over, cap = (run - length) / c1, min(half, c1)
            rho = math.sqrt(across * across + over * over)
            alpha = min(1.0, (1.0 - rho) * cap + 0.5)
            if alpha <= 0.0:
                continue
            if alpha > 0.5 and int(touched[y, x]) != who:
                touched[y, x] = who
                area[who] += 1
            facing = math.sqrt(max(0.0, 1.0 - rho * rho))
            far = z0 + (z1 - z0) * share - bulge * facing
            if far >= float(depth[y, x]):
                continue
            rim = 1.0 if rho <= 1.0 else 1.0 / rho
            mx, my, mz = (across * nx + over * ex) * rim, (across * ny + over * ey) * rim, -facing
            second = _second_colour(
                kind,
                repeats,
                share,
                across,
                _along(part, RIGHT, mx, my, mz),
                _along(part, FORWARD, mx, my, mz),
                _along(part, UP, mx, my, mz),
            )
            base = RED2 if second else RED
            sun = mx * float(light[0]) + my * float(light[1]) + mz * float(light[2])
            fold = float(grain[(int(share * 23.0) * 31 + int((across + 2.0) * 3.0) * 7 + who * 131 + base) % grain.shape[0]]) * 0.0016
            shade = lit * (float(light[3]) + float(light[4]) * max(0.0, sun) + 0.18 * facing + fold)
            _paint(canvas, y, x, part, base, shade, alpha)
            if alpha > 0.5:
                depth[y, x] = far
                owner[y, x] = who


@njit(cache=True)
def draw_parts(
    canvas: NDArray[np.uint8],
    depth: NDArray[np.float32],
    owner: NDArray[np.int16],
    touched: NDArray[np.int16],
    area: NDArray[np.int64],
    parts: NDArray[np.float64],
    light: NDArray[np.float64],
    grain: NDArray[np.int8],
) -> None:
    """Draw parts in the order given (far ones first) into the picture and its depth.

    Args:
        canvas: (H, W, 3) the picture, changed.
        depth: (H, W) metres, changed: only what is nearer is drawn.
        owner: (H, W) who is seen at a pixel (-1 nobody), changed.
        touched: (H, W) scratch, -1 at first: the silhouette of who was drawn last.
        area: (people,) pixels of each silhouette as if nobody stood before it, changed.
        parts: (N, COLUMNS) rows; all parts of one owner stand together.
        light: (5,) direction to the lamp in camera axes, ambient, diffuse.
        grain: (K,) a table of small noise, for folds in cloth.
    """
    for index in range(parts.shape[0]):
        _draw_part(canvas, depth, owner, touched, area, parts[index], light, grain)


@njit(cache=True)
def count_owners(owner: NDArray[np.int16], seen: NDArray[np.int64], extents: NDArray[np.int64]) -> None:
    """Who is seen where.

    Args:
        owner: (H, W) as `draw_parts` left it.
        seen: (people,) pixels at which each is seen, added to.
        extents: (people, 4) first column and row, last column and row + 1 at which each is seen; begin with W, H, 0, 0.
    """
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            who = int(owner[y, x])
            if who >= 0:
                seen[who] += 1
                extents[who, 0] = min(int(extents[who, 0]), x)
                extents[who, 1] = min(int(extents[who, 1]), y)
                extents[who, 2] = max(int(extents[who, 2]), x + 1)
                extents[who, 3] = max(int(extents[who, 3]), y + 1)


@njit(cache=True)
def draw_shadows(canvas: NDArray[np.uint8], floor: NDArray[np.bool_], shadows: NDArray[np.float64]) -> None:
    """Darken the floor under feet.

    Args:
        canvas: (H, W, 3), changed.
        floor: (H, W) where the floor is seen.
        shadows: (N, 5) column, row, half-width, half-height (px), strength 0..1.
    """
    height, width = floor.shape
    for index in range(shadows.shape[0]):
        x0, y0 = float(shadows[index, 0]), float(shadows[index, 1])
        rx, ry = max(1.0, float(shadows[index, 2])), max(1.0, float(shadows[index, 3]))
        strength = float(shadows[index, 4])
        for y in range(int(max(0.0, y0 - ry)), int(min(height - 1.0, y0 + ry)) + 1):
            for x in range(int(max(0.0, x0 - rx)), int(min(width - 1.0, x0 + rx)) + 1):
                if not floor[y, x]:
                    continue
                dx, dy = (x + 0.5 - x0) / rx, (y + 0.5 - y0) / ry
                near = 1.0 - dx * dx - dy * dy
                if near > 0.0:
                    keep = 1.0 - strength * near * near
                    for channel in range(3):
                        canvas[y, x, channel] = int(float(canvas[y, x, channel]) * keep)


@njit(cache=True)
def expose(
    canvas: NDArray[np.uint8],
    out: NDArray[np.uint8],
    curve: NDArray[np.int32],
    noise: NDArray[np.int8],
    swing: NDArray[np.int32],
    start: int,
) -> None:
    """What the sensor reads: exposure and colour of the light by table, then noise. Whole numbers only.

    Args:
        canvas: (H, W, 3) the lit scene.
        out: (H, W, 3) the picture, written.
        curve: (3, 256) brightness per channel.
        noise: (K,) table of normal noise, 32 = one sigma.
        swing: (256,) noise gain by brightness, in 1/1024 of a level.
        start: where in the table this frame's noise begins.
    """
    height, width = canvas.shape[0], canvas.shape[1]
    size = noise.shape[0]
    place = start % size
    for y in range(height):
        for x in range(width):
            for channel in range(3):
                level = int(curve[channel, int(canvas[y, x, channel])])
                place += 1
                if place >= size:
                    place = 0
                level += (int(noise[place]) * int(swing[min(255, level)])) >> 10
                out[y, x, channel] = min(255, max(0, level))
