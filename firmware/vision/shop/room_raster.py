"""The Numba kernel that draws an empty room: rays against a floor and boxes, with lamps, textures and depth.

Rules as in `raster`: bit-identical with and without the JIT, no allocation. Ray and box: the slab method (Kay and
Kajiya, 1986). A texture is a pure function of metres on the surface and of integer hashes, so a room of one seed
looks the same from every camera.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Columns of a material's row.
KIND, PITCH, AR, AG, AB, BR, BG, BB, GRAIN, SEED = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
MATERIAL_COLUMNS = 10
FLAT, TILES, PLANKS, CARPET, GOODS, BRICKS, POSTER, CLOTHES, GLASS = 0, 1, 2, 3, 4, 5, 6, 7, 8
FAR_M = 60.0


@njit(cache=True)
def _hash01(i: int, j: int, seed: int) -> float:
    """A number in 0..1 for a cell of a grid; the factors keep every product below 2**63."""
    h = ((i + 5000) * 73856093) ^ ((j + 5000) * 19349663) ^ (seed * 83492791)
    h = (h & 0x3FFFFFFF) * 9301233
    h = ((h >> 15) ^ h) & 0x3FFFFFFF
    h = (h * 7521971) & 0x3FFFFFFF
    return float((h >> 6) & 0xFFFF) / 65535.0


@njit(cache=True)
def _goods(u: float, v: float, pitch: float, seed: int, out: NDArray[np.float64]) -> float:
    """Shelves: boards, dark gaps, packets of their own widths, heights and colours. Returns brightness; fills `out` (3,)."""
    row = math.floor(v / pitch)
    within = v / pitch - row
    cell = 0.06 + 0.14 * _hash01(row, 3, seed)
    column = math.floor(u / cell)
    inside = u / cell - column
    if within < 0.07:
        out[0], out[1], out[2] = 0.72, 0.7, 0.66
        return 1.0
    tall = 0.5 + 0.4 * _hash01(row, column // 3, seed + 7)
    if within > tall or inside < 0.06 or _hash01(column, row, seed + 5) < 0.06:
        out[0], out[1], out[2] = 0.12, 0.11, 0.1
        return 0.8
    brand = column // 3
    for channel in range(3):
        out[channel] = 0.1 + 0.8 * _hash01(brand, row * 3 + channel, seed + 11)
    label = 0.3 < inside < 0.75 and 0.3 * tall < within < 0.6 * tall
    return 1.25 if label else 0.9 + 0.2 * inside


@njit(cache=True)
def _clothes(u: float, v: float, seed: int, out: NDArray[np.float64]) -> float:
    """A rail of hanging clothes: narrow upright folds, each of its own colour."""
    column = math.floor(u / 0.09)
    inside = u / 0.09 - column
    brand = column // 4
    for channel in range(3):
        out[channel] = 0.08 + 0.6 * _hash01(brand, channel, seed + 3)
    if v < 0.25 + 0.1 * _hash01(brand, 9, seed):
        out[0], out[1], out[2] = 0.1, 0.1, 0.1
    return 0.65 + 0.5 * inside * (1.0 - inside) * 4.0


@njit(cache=True)
def _texture(row: NDArray[np.float64], u: float, v: float, out: NDArray[np.float64]) -> float:
    """Fills `out` (3,) with a reflectance in 0..1 and returns a factor."""
    kind, pitch, seed = int(row[KIND]), float(row[PITCH]), int(row[SEED])
    if kind == GOODS:
        return _goods(u, v, pitch, seed, out)
    if kind == CLOTHES:
        return _clothes(u, v, seed, out)
    factor, second = 1.0, False
    if kind == TILES:
        i, j = math.floor(u / pitch), math.floor(v / pitch)
        fu, fv = u / pitch - i, v / pitch - j
        second = fu < 0.03 or fv < 0.03
        factor = 0.92 + 0.16 * _hash01(i, j, seed)
    elif kind == PLANKS:
        j = math.floor(v / pitch)
        shifted = u + 1.7 * _hash01(j, 1, seed)
        i = math.floor(shifted / (pitch * 7.0))
        fv = v / pitch - j
        second = fv < 0.05
        factor = 0.8 + 0.4 * _hash01(i, j, seed)
    elif kind == CARPET:
        factor = 0.85 + 0.3 * _hash01(math.floor(u / 0.03), math.floor(v / 0.03), seed)
        second = pitch > 0.0 and (math.floor(u / pitch) + math.floor(v / pitch)) % 2 == 1
    elif kind == BRICKS:
        j = math.floor(v / pitch)
        shifted = u + (0.5 * pitch * 2.0 if j % 2 == 1 else 0.0)
        i = math.floor(shifted / (pitch * 2.0))
        second = v / pitch - j < 0.12 or shifted / (pitch * 2.0) - i < 0.06
        factor = 0.85 + 0.3 * _hash01(i, j, seed)
    elif kind == POSTER:
        i, j = math.floor(u / pitch), math.floor(v / pitch)
        second = _hash01(i, j, seed) > 0.5
        factor = 0.7 + 0.6 * _hash01(i, j, seed + 1)
    elif kind == GLASS:
        second = u / pitch - math.floor(u / pitch) < 0.06
    first = BR if second else AR
    for channel in range(3):
        out[channel] = float(row[first + channel])
    return factor


@njit(cache=True)
def _hit(
    eye: NDArray[np.float64],
    ray: tuple[float, float, float],
    boxes: NDArray[np.float64],
    frames: NDArray[np.int64],
    pixel: tuple[int, int],
    out: NDArray[np.float64],
) -> int:
    """The nearest surface of a ray: index of the box, -1 the floor, -2 nothing. Fills `out` with depth and axis."""
    rx, ry, rz = ray
    x, y = pixel
    found, near, axis = -2, FAR_M, 2
    if rz < 0.0:
        near = min(FAR_M, -float(eye[2]) / rz)
        found = -1
    for index in range(boxes.shape[0]):
        if x < frames[index, 0] or x > frames[index, 2] or y < frames[index, 1] or y > frames[index, 3]:
            continue
        enter, leave, side = 0.0, near, -1
        for k in range(3):
            e = float(eye[k])
            r = rx if k == 0 else (ry if k == 1 else rz)
            low, high = float(boxes[index, k]), float(boxes[index, 3 + k])
            if abs(r) < 1e-9:
                if e < low or e > high:
                    leave = -1.0
                continue
            a, b = (low - e) / r, (high - e) / r
            if a > b:
                a, b = b, a
            if a > enter:
                enter, side = a, k
            leave = min(leave, b)
        if side >= 0 and enter < leave:
            found, near, axis = index, enter, side
    out[0], out[1] = near, axis
    return found


@njit(cache=True)
def _lamplight(x: float, y: float, z: float, axis: int, sign: float, lamps: NDArray[np.float64]) -> float:
    """Light on a surface: lamps (x, y, z, strength) with cosine and distance, and the room's own glow."""
    total = float(lamps[0, 3])
    for index in range(1, lamps.shape[0]):
        dx, dy, dz = float(lamps[index, 0]) - x, float(lamps[index, 1]) - y, float(lamps[index, 2]) - z
        far = dx * dx + dy * dy + dz * dz + 0.3
        toward = dx if axis == 0 else (dy if axis == 1 else dz)
        cosine = max(0.0, toward * sign) / math.sqrt(far)
        total += float(lamps[index, 3]) * cosine / (1.0 + far * 0.12)
    return total


@njit(cache=True)
def _near_box(x: float, y: float, boxes: NDArray[np.float64]) -> float:
    """How much of the sky a point of the floor sees beside furniture: 1 in the open, 0.55 at a box's foot."""
    keep = 1.0
    for index in range(boxes.shape[0]):
        if float(boxes[index, 2]) > 0.3:
            continue
        dx = max(float(boxes[index, 0]) - x, x - float(boxes[index, 3]), 0.0)
        dy = max(float(boxes[index, 1]) - y, y - float(boxes[index, 4]), 0.0)
        far = math.sqrt(dx * dx + dy * dy)
        if far < 0.5:
            keep = min(keep, 0.55 + 0.9 * far)
    return keep


@njit(cache=True)
def _lit_surface(
    found: int,
    axis: int,
    ray: tuple[float, float, float],
    point: tuple[float, float, float],
    room: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    colour: NDArray[np.float64],
) -> float:
    """Texture and light of the floor (`found` -1) or of a box's side; fills `colour` (3,) and returns its factor."""
    px, py, pz = point
    boxes, row, lamps = room
    if found == -1:
        factor = _texture(row, px, py, colour)
        return factor * _near_box(px, py, boxes) * _lamplight(px, py, pz, 2, 1.0, lamps)
    toward = ray[0] if axis == 0 else (ray[1] if axis == 1 else ray[2])
    u = py if axis == 0 else px
    v = py if axis == 2 else pz - float(boxes[found, 2])
    factor = _texture(row, u, v, colour)
    return factor * _lamplight(px, py, pz, axis, -1.0 if toward > 0.0 else 1.0, lamps)


@njit(cache=True)
def draw_room(
    canvas: NDArray[np.uint8],
    depth: NDArray[np.float32],
    floor: NDArray[np.bool_],
    view: tuple[float, NDArray[np.float64], NDArray[np.float64]],
    boxes: NDArray[np.float64],
    frames: NDArray[np.int64],
    faces: NDArray[np.int64],
    materials: NDArray[np.float64],
    lamps: NDArray[np.float64],
    grain: NDArray[np.int8],
) -> None:
    """Draw an empty room.

    Args:
        canvas: (H, W, 3), written.
        depth: (H, W) metres along the optical axis, written.
        floor: (H, W) where the floor is seen, written.
        view: focal length in pixels, eye (3,), axes (3, 3).
        boxes: (B, 6) x0 y0 z0 x1 y1 z1 in metres.
        frames: (B, 4) columns and rows outside which a box cannot be seen: first x, first y, last x, last y.
        faces: (B + 1, 2) material of a box's sides and of its top; the last row is the floor's.
        materials: (M, MATERIAL_COLUMNS).
        lamps: (L, 4) x, y, z, strength; the first row's strength is the room's own glow.
        grain: (K,) table of small noise.
    """
    height, width = depth.shape
    focal, eye, axes = view
    hit, colour = np.zeros(2), np.zeros(3)
    for y in range(height):
        for x in range(width):
            a, b = (x + 0.5 - width / 2.0) / focal, (y + 0.5 - height / 2.0) / focal
            rx = a * float(axes[0, 0]) + b * float(axes[1, 0]) + float(axes[2, 0])
            ry = a * float(axes[0, 1]) + b * float(axes[1, 1]) + float(axes[2, 1])
            rz = a * float(axes[0, 2]) + b * float(axes[1, 2]) + float(axes[2, 2])
            found = _hit(eye, (rx, ry, rz), boxes, frames, (x, y), hit)
            near, axis = float(hit[0]), int(hit[1])
            depth[y, x] = near
            floor[y, x] = found == -1
            if found == -2:
                for channel in range(3):
                    canvas[y, x, channel] = 150
                continue
            px, py, pz = float(eye[0]) + near * rx, float(eye[1]) + near * ry, float(eye[2]) + near * rz
            material = int(faces[found, 1 if axis == 2 else 0]) if found >= 0 else int(faces[faces.shape[0] - 1, 1])
            light = _lit_surface(found, axis, (rx, ry, rz), (px, py, pz), (boxes, materials[material], lamps), colour)
            light *= 1.0 + float(materials[material, GRAIN]) * float(grain[(y * width + x) % grain.shape[0]]) / 32.0
            for channel in range(3):
                canvas[y, x, channel] = int(min(255.0, max(0.0, float(colour[channel]) * light * 255.0)))
