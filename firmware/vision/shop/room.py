"""Rooms: furniture, surfaces and lamps, and the empty picture of one from a camera.

`demo_room` is the shop of the simulated source: a door to a mall's corridor in the far wall, a display on the left, a till
in front. Plan (metres, the camera stands over 0,0 and looks along y):

    y 11  ───────── shop across the corridor ─────────
    y 7.0 ──┐ door ┌──────────── wall, shelves ───────
    y 4.7 ┌┐│      │
    y 3.7 ││ display
    y 3.3 └┘         till ▢ ● ● ● ●  queue (served people leave to the back)
    y 0             camera
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.vision.shop import room_raster as rr
from firmware.vision.shop.camera import Camera

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Room:
    """Furniture and light; arrays as `room_raster.draw_room` takes them."""

    boxes: Values
    faces: NDArray[np.int64]
    materials: Values
    lamps: Values

    def light_at(self, x_m: Values, y_m: Values) -> Values:
        """(N,) brightness at chest height."""
        lamps = self.lamps[1:]
        dx, dy = lamps[:, 0] - x_m[:, None], lamps[:, 1] - y_m[:, None]
        dz = lamps[:, 2] - 1.0
        far = dx * dx + dy * dy + dz * dz + 0.3
        return self.lamps[0, 3] + (lamps[:, 3] * np.maximum(dz, 0.3) / np.sqrt(far) / (1.0 + 0.12 * far)).sum(axis=1)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """An empty room as the camera sees it."""

    canvas: NDArray[np.uint8]  # (H, W, 3)
    depth: NDArray[np.float32]  # (H, W) metres
    floor: NDArray[np.bool_]  # (H, W)


def grain_table(seed: int, length: int = 262_147) -> NDArray[np.int8]:
    """Normal noise, 32 is one sigma; a prime length so that rows do not line up."""
    noise = np.random.default_rng(seed).normal(0.0, 32.0, length)
    return np.clip(np.rint(noise), -127, 127).astype(np.int8)


def draw_backdrop(room: Room, camera: Camera, grain: NDArray[np.int8], oversample: int = 2) -> Backdrop:
    """The empty room; drawn `oversample` times finer and averaged, so that far tiles do not shimmer."""
    wide, high = camera.width * oversample, camera.height * oversample
    canvas = np.empty((high, wide, 3), dtype=np.uint8)
    depth = np.empty((high, wide), dtype=np.float32)
    floor = np.empty((high, wide), dtype=np.bool_)
    view = (camera.focal_px * oversample, camera.eye, camera.axes)
    frames = _frames(room.boxes, camera, oversample)
    rr.draw_room(canvas, depth, floor, view, room.boxes, frames, room.faces, room.materials, room.lamps, grain)
    if oversample == 1:
        return Backdrop(canvas, depth, floor)
    folded = canvas.reshape(camera.height, oversample, camera.width, oversample, 3).astype(np.uint32)
    mean = (folded.sum(axis=(1, 3)) + oversample * oversample // 2) // (oversample * oversample)
    step = oversample // 2
    return Backdrop(
        mean.astype(np.uint8),
        np.ascontiguousarray(depth[step::oversample, step::oversample]),
        np.ascontiguousarray(floor[step::oversample, step::oversample]),
    )


def _frames(boxes: Values, camera: Camera, oversample: int) -> NDArray[np.int64]:
    """(B, 4) where each box may be seen; the whole picture for one that reaches behind the camera."""
    picks = np.array([(i, j, k) for i in (0, 3) for j in (1, 4) for k in (2, 5)])
    corners = boxes[:, picks]
    behind = ((corners - camera.eye) @ camera.axes[2] < 0.1).any(axis=1)
    seen = camera.project(corners)[:, :, :2] * oversample
    low, high = np.floor(seen.min(axis=1)) - 1, np.ceil(seen.max(axis=1)) + 1
    out = np.clip(np.concatenate((low, high), axis=1), -1e6, 1e6).astype(np.int64)
    out[behind] = (-1_000_000, -1_000_000, 1_000_000, 1_000_000)
    return out


def material(
    kind: int, pitch: float, first: tuple[float, float, float], second: tuple[float, float, float], grain: float, seed: int
) -> tuple[float, ...]:
    """A row of `Room.materials`; colours are reflectances in 0..1."""
    return (kind, pitch, *first, *second, grain, seed)


_FURNITURE: Final = (  # box in metres, material of its sides, of its top
    ((-6.5, 7.0, 0.0, -3.9, 7.2, 3.4), 1, 1),
    ((-0.7, 7.0, 0.0, 6.5, 7.2, 3.4), 1, 1),
    ((-3.9, 7.0, 2.5, -0.7, 7.2, 3.4), 5, 1),
    ((-7.0, 11.0, 0.0, 7.0, 11.2, 3.4), 6, 1),
    ((-4.8, 1.0, 0.0, -4.6, 7.0, 3.4), 1, 1),
    ((4.6, 1.0, 0.0, 4.8, 7.0, 3.4), 1, 1),
    ((-0.2, 6.55, 0.0, 2.2, 7.0, 1.9), 2, 3),
    ((2.5, 6.45, 0.0, 4.5, 7.0, 1.6), 7, 3),
    ((3.4, 5.0, 0.0, 4.6, 6.2, 0.8), 4, 3),
    ((3.6, 5.2, 0.8, 4.3, 5.9, 1.1), 7, 5),
    ((-4.6, 4.95, 0.0, -4.25, 6.6, 1.9), 2, 3),
    ((-3.6, 3.1, 0.0, -2.7, 4.8, 0.8), 4, 3),
    ((-3.45, 3.3, 0.8, -2.95, 3.8, 1.05), 2, 5),
    ((-3.5, 4.1, 0.8, -3.0, 4.6, 1.0), 2, 5),
    ((-0.7, 2.85, 0.0, -0.15, 3.6, 0.95), 4, 3),
    ((-0.6, 3.0, 0.95, -0.35, 3.3, 1.25), 8, 8),
    ((-3.7, 7.02, 0.0, -0.9, 8.2, 0.012), 8, 8),
)
_LAMPS: Final = (
    (0, 0, 0, 0.36),
    (-2.2, 3.0, 3.2, 0.62),
    (1.8, 3.2, 3.2, 0.6),
    (-2.0, 6.0, 3.2, 0.5),
    (2.6, 5.6, 3.2, 0.66),
    (-2.0, 9.2, 3.6, 0.95),
)


def demo_room(seed: int) -> Room:
    """The shop of the simulated source; the seed varies colours and goods, never the plan."""
    rng = np.random.default_rng([seed, 0x5B0B])
    floors = (
        material(rr.TILES, 0.45, (0.62, 0.6, 0.56), (0.42, 0.4, 0.38), 0.02, seed % 997),
        material(rr.PLANKS, 0.14, (0.58, 0.44, 0.3), (0.34, 0.25, 0.17), 0.03, seed % 997),
        material(rr.TILES, 0.6, (0.72, 0.71, 0.69), (0.58, 0.57, 0.55), 0.02, seed % 997),
        material(rr.CARPET, 0.0, (0.4, 0.41, 0.44), (0.4, 0.41, 0.44), 0.04, seed % 997),
    )
    wall = 0.62 + 0.2 * rng.random()
    tint = rng.uniform(-0.06, 0.06, 3)
    materials = [
        floors[int(rng.integers(len(floors)))],
        material(rr.FLAT, 1.0, (wall + tint[0], wall + tint[1], wall + tint[2]), (0.5, 0.5, 0.5), 0.01, 3),
        material(rr.GOODS, 0.36, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.02, int(rng.integers(1000))),
        material(rr.FLAT, 1.0, (0.78, 0.74, 0.68), (0.5, 0.5, 0.5), 0.02, 5),
        material(rr.PLANKS, 0.3, (0.5, 0.37, 0.26), (0.3, 0.22, 0.15), 0.02, int(rng.integers(1000))),
        material(rr.POSTER, 0.22, tuple(rng.uniform(0.2, 0.8, 3)), tuple(rng.uniform(0.2, 0.8, 3)), 0.02, int(rng.integers(1000))),
        material(rr.GLASS, 1.3, (0.55, 0.6, 0.63), (0.2, 0.2, 0.2), 0.03, 7),
        material(rr.CLOTHES, 0.4, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.02, int(rng.integers(1000))),
        material(rr.CARPET, 0.0, (0.22, 0.22, 0.24), (0.2, 0.2, 0.2), 0.05, 9),
    ]
    return Room(
        np.array([box for box, _, _ in _FURNITURE]),
        np.array([*((sides, top) for _, sides, top in _FURNITURE), (0, 0)], dtype=np.int64),
        np.array(materials),
        np.array(_LAMPS),
    )
