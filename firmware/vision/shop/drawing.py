"""One picture: a backdrop, the people in it, shadows, light and the sensor. Pure: the same arguments, the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware.vision.shop import raster
from firmware.vision.shop.body import Poses, parts_of
from firmware.vision.shop.camera import Camera
from firmware.vision.shop.look import Looks
from firmware.vision.shop.room import Backdrop, Room

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Light:
    """What the camera makes of the light.

    Attributes:
        gain: (3,) exposure per channel, 1 is neutral.
        gamma: contrast; 1 neutral, below 1 lifts shadows.
        noise: sigma of the sensor's noise at middle grey, in levels.
        toward: (3,) direction to the lamp, room coordinates.
        ambient, diffuse: how the light splits.
    """

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    noise: float = 2.0
    toward: tuple[float, float, float] = (0.25, -0.35, 0.9)
    ambient: float = 0.56
    diffuse: float = 0.42


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture and what an annotator would write beside it.

    Attributes:
        pixels: (H, W, 3) uint8.
        boxes: (N, 4) px round the whole body, seen or not, unclipped, in the order of the people given.
        extents: (N, 4) px round what is seen of each; zeros for who is not seen.
        visible: (N,) share of each silhouette that is seen: not hidden, not outside the picture.
    """

    pixels: NDArray[np.uint8]
    boxes: Values
    extents: Values
    visible: Values


def draw(
    backdrop: Backdrop, room: Room, camera: Camera, people: tuple[Looks, Poses], light: Light, grain: NDArray[np.int8], start: int
) -> Drawn:
    """Draw people into a room; `start` is where in the grain table this picture's noise begins."""
    canvas, depth = backdrop.canvas.copy(), backdrop.depth.copy()
    boxes, extents, visible = _draw_people(canvas, depth, backdrop.floor, (camera, room), people, light, grain)
    pixels = np.empty_like(canvas)
    curve, swing = _sensor(light)
    raster.expose(canvas, pixels, curve, grain, swing, start)
    return Drawn(pixels, boxes, extents, visible)


def _draw_people(
    canvas: NDArray[np.uint8],
    depth: NDArray[np.float32],
    floor: NDArray[np.bool_],
    place: tuple[Camera, Room],
    people: tuple[Looks, Poses],
    light: Light,
    grain: NDArray[np.int8],
) -> tuple[Values, Values, Values]:
    camera, room = place
    looks, poses = people
    count = len(poses.x_m)
    if not count:
        return np.empty((0, 4)), np.empty((0, 4)), np.empty(0)
    lit = room.light_at(poses.x_m, poses.y_m)
    rows, boxes = parts_of(camera, looks, poses, lit)
    raster.draw_shadows(canvas, floor, _shadows(camera, looks, poses))
    order = np.argsort(-rows[:, :, raster.P0Z].mean(axis=1), kind="stable")
    flat = rows[order].reshape(-1, raster.COLUMNS)
    flat = np.ascontiguousarray(flat[flat[:, raster.LIT] > 0])
    owner, touched = (np.full(depth.shape, -1, dtype=np.int16) for _ in range(2))
    area, seen = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    toward = camera.axes @ (np.array(light.toward) / np.sqrt(np.square(light.toward).sum()))
    raster.draw_parts(canvas, depth, owner, touched, area, flat, np.array([*toward, light.ambient, light.diffuse]), grain)
    extents = np.tile(np.array([camera.width, camera.height, 0, 0], dtype=np.int64), (count, 1))
    raster.count_owners(owner, seen, extents)
    extents[seen == 0] = 0
    return boxes, extents.astype(np.float64), visible_share(boxes, area, seen, camera)


def visible_share(boxes: Values, area: NDArray[np.int64], seen: NDArray[np.int64], camera: Camera) -> Values:
    """(N,) share of each person that is neither hidden nor outside the picture."""
    full = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)
    wide = np.clip(boxes[:, 2], 0, camera.width) - np.clip(boxes[:, 0], 0, camera.width)
    high = np.clip(boxes[:, 3], 0, camera.height) - np.clip(boxes[:, 1], 0, camera.height)
    inside = np.clip(wide * high / full, 0.0, 1.0)
    return np.where(area > 0, np.minimum(1.0, seen / np.maximum(area, 1)) * inside, 0.0)


def _shadows(camera: Camera, looks: Looks, poses: Poses) -> Values:
    """A wide soft shadow and a dark one under the feet of each person."""
    ground = camera.project(np.stack((poses.x_m, poses.y_m, np.zeros_like(poses.x_m)), axis=1))
    scale = camera.focal_px / ground[:, 2] * looks.height_m / 1.7
    away = np.hypot(poses.x_m - camera.eye[0], poses.y_m - camera.eye[1])
    flat = camera.eye[2] / np.sqrt(away * away + camera.eye[2] ** 2)  # sine of the angle at which the floor is seen
    rows = [
        np.stack((ground[:, 0], ground[:, 1], r * scale, r * scale * flat, np.full_like(scale, s)), axis=1)
        for r, s in ((0.75, 0.3), (0.3, 0.45))
    ]
    return np.ascontiguousarray(np.concatenate(rows))


def _sensor(light: Light) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    level = np.arange(256) / 255.0
    curve = np.stack([np.clip(255.0 * np.power(level, light.gamma) * gain, 0, 255) for gain in light.gain])
    swing = light.noise * (0.55 + 0.9 * np.sqrt(level)) / 32.0 * 1024.0
    return np.rint(curve).astype(np.int32), np.rint(swing).astype(np.int32)
