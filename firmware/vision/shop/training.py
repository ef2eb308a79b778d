"""Random rooms with random people from high cameras, for training a detector: pixels and the boxes of what is seen.

Domain variety before beauty: camera height, tilt and lens, floors, furniture, crowding, posture, exposure, night vision's
grey, blur, compression, a recorder's time stamp. Boxes enclose what is visible of a person, as annotators draw them, unlike
`SimulatedShop.boxes`, whose foot points count. Everything is drawn from the `rng` handed in.
"""

from __future__ import annotations

import io
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from firmware.vision.shop import room_raster as rr
from firmware.vision.shop.body import Poses, seated, walking
from firmware.vision.shop.camera import Camera, axes_of
from firmware.vision.shop.drawing import Light, draw
from firmware.vision.shop.look import random_looks
from firmware.vision.shop.room import Room, draw_backdrop, grain_table, material

Values = NDArray[np.float64]
Chance = np.random.Generator
PEOPLE_MAX: Final = 40  # the densest picture of a shop's queue that still has visible people
VISIBLE_MIN: Final = 0.12  # less of a person than this is no example of one
HEIGHT_PX_MIN: Final = 6.0  # smaller is a smudge at every model's stride


def render_training_scene(rng: Chance, size: tuple[int, int] = (416, 416)) -> tuple[NDArray[np.uint8], Values]:
    """One picture and its people.

    Args:
        rng: where all randomness comes from.
        size: width and height of the picture, pixels.

    Returns:
        (H, W, 3) uint8 RGB, and (N, 5) float64: x0, y0, x1, y1 in 0..1 round what is seen of each person, and the visible share
        of the person (not hidden, not outside) for those who want to leave doubtful ones out.
    """
    camera = _camera(rng, size)
    span = (rng.uniform(5.0, 14.0), rng.uniform(5.0, 15.0))  # of the room, metres
    boxes, faces, materials = _furniture(rng, span, float(camera.eye[2]))
    poses, chairs = _people(rng, camera, np.array(boxes))
    tops = len(materials) - 2
    boxes += chairs
    faces += [(tops, tops)] * len(chairs)
    room = Room(np.array(boxes), np.array([*faces, (0, 0)], dtype=np.int64), np.array(materials), _lamps(rng, span))
    grain = grain_table(int(rng.integers(1 << 31)), 65_537)
    backdrop = draw_backdrop(room, camera, grain, oversample=2 if rng.random() < 0.15 else 1)
    looks = random_looks(rng, len(poses.x_m), children=0.06)
    drawn = draw(backdrop, room, camera, (looks, poses), _light(rng, float(backdrop.canvas.mean())), grain, int(rng.integers(60_000)))
    wide, high = size
    share = drawn.extents / np.array([wide, high, wide, high])
    keep = (drawn.visible >= VISIBLE_MIN) & (drawn.extents[:, 3] - drawn.extents[:, 1] >= HEIGHT_PX_MIN)
    return _developed(rng, drawn.pixels), np.column_stack((share, drawn.visible))[keep]


def _camera(rng: Chance, size: tuple[int, int]) -> Camera:
    high = rng.uniform(2.1, 5.5)
    pitch = math.radians(rng.uniform(12.0, 50.0) if rng.random() < 0.75 else rng.uniform(50.0, 88.0))
    across = math.radians(rng.uniform(48.0, 105.0))
    focal = max(size) / 2 / math.tan(across / 2)
    axes = axes_of(rng.uniform(-0.6, 0.6), pitch, rng.normal(0.0, 0.04))
    return Camera(*size, focal, np.array([0.0, 0.0, high]), axes)


def _colour(rng: Chance, low: float = 0.1, high: float = 0.9, spread: float = 0.08) -> tuple[float, float, float]:
    shade = rng.uniform(low, high)
    red, green, blue = np.clip(shade + rng.normal(0.0, spread, 3), 0.02, 0.98)
    return float(red), float(green), float(blue)


def _surface(rng: Chance, kinds: tuple[int, ...], spread: float = 0.08) -> tuple[float, ...]:
    kind = int(rng.choice(kinds))
    pitch = float(
        {rr.PLANKS: rng.uniform(0.08, 0.25), rr.CARPET: rng.choice([0.0, 0.5]), rr.GOODS: rng.uniform(0.25, 0.5)}.get(
            kind, rng.uniform(0.15, 0.9)
        )
    )
    return material(
        kind, pitch, _colour(rng, spread=spread), _colour(rng, spread=spread), float(rng.uniform(0.0, 0.06)), int(rng.integers(1000))
    )


def _furniture(
    rng: Chance, span: tuple[float, float], eye_m: float
) -> tuple[list[tuple[float, ...]], list[tuple[int, int]], list[tuple[float, ...]]]:
    """Boxes, their materials' numbers, and the materials; number 0 is the floor's, the last one the ceiling's."""
    wide, deep = span
    near = -rng.uniform(0.3, 3.0)
    left = -wide * rng.uniform(0.3, 0.7)
    materials = [
        _surface(rng, (rr.TILES, rr.TILES, rr.PLANKS, rr.CARPET, rr.FLAT), 0.05),
        _surface(rng, (rr.FLAT, rr.FLAT, rr.FLAT, rr.FLAT, rr.BRICKS, rr.GLASS, rr.POSTER), 0.05),
        *(_surface(rng, (rr.GOODS, rr.GOODS, rr.CLOTHES, rr.POSTER), 0.2) for _ in range(3)),
        *(_surface(rng, (rr.FLAT, rr.PLANKS, rr.POSTER), 0.15) for _ in range(4)),
        _surface(rng, (rr.FLAT, rr.TILES), 0.03),  # the ceiling's
    ]
    tall = eye_m + rng.uniform(0.1, 1.0)
    boxes: list[tuple[float, ...]] = [
        (left - 0.2, near, 0, left, deep, tall),
        (left + wide, near, 0, left + wide + 0.2, deep, tall),
        (left, deep, 0, left + wide, deep + 0.2, tall),
        (left, near - 0.2, 0, left + wide, near, tall),
        (left, near, tall, left + wide, deep, tall + 0.2),
    ]
    faces = [(1, 1)] * 4 + [(9, 9)]
    for _ in range(int(rng.integers(0, 16))):
        shelf = rng.random() < 0.45
        long, thick = rng.uniform(0.6, 3.5), rng.uniform(0.3, 0.6) if shelf else rng.uniform(0.4, 1.2)
        across, along = (long, thick) if rng.random() < 0.5 else (thick, long)
        x, y = rng.uniform(left, left + wide - across), rng.uniform(near + 1.0, deep - along)
        if abs(x + across / 2) < 1.2 and abs(y + along / 2) < 1.2:
            continue  # not in the camera's face
        boxes.append((x, y, 0, x + across, y + along, rng.uniform(1.2, 2.1) if shelf else rng.uniform(0.4, 1.1)))
        faces.append((int(rng.integers(2, 5)) if shelf else int(rng.integers(5, 9)), int(rng.integers(5, 9))))
    return boxes, faces, materials


def _lamps(rng: Chance, span: tuple[float, float]) -> Values:
    count = int(rng.integers(1, 7))
    wide, deep = span
    spread = (
        rng.uniform(-wide / 2, wide / 2, count),
        rng.uniform(0.0, deep, count),
        rng.uniform(2.4, 4.0, count),
        rng.uniform(0.2, 1.0, count),
    )
    return np.vstack(([0.0, 0.0, 0.0, rng.uniform(0.12, 0.6)], np.stack(spread, axis=1)))


def _people(rng: Chance, camera: Camera, boxes: Values) -> tuple[Poses, list[tuple[float, ...]]]:
    """Where people stand, walk and sit so that they are in the picture, and the chairs under them."""
    wanted = int(min(PEOPLE_MAX, rng.choice([0, rng.integers(1, 4), rng.integers(3, 10), rng.integers(8, 36)], p=[0.05, 0.25, 0.4, 0.3])))
    sitting_room = rng.random() < 0.3
    places: list[tuple[float, float]] = []
    apart = rng.uniform(0.4, 1.2)
    for _ in range(wanted * 12):
        if len(places) >= wanted:
            break
        place = _floor_place(rng, camera, places if rng.random() < 0.35 else [])
        free = place is not None and all(math.hypot(place[0] - x, place[1] - y) > apart for x, y in places)
        if place is not None and free and not _blocked(place, boxes):
            places.append(place)
    where = np.array(places).reshape(-1, 2)
    count = len(where)
    heading = rng.uniform(-math.pi, math.pi, count) if rng.random() < 0.7 else rng.normal(rng.uniform(-3.0, 3.0), 0.4, count)
    stride = np.where(rng.random(count) < 0.55, rng.uniform(0.4, 1.15, count), 0.0)
    busy = np.where(rng.random(count) < 0.35, rng.random(count), 0.0)
    upright = walking(where, heading, rng.uniform(0, 2 * math.pi, count), stride, busy)
    sits = rng.random(count) < (0.8 if sitting_room else 0.03)
    down = seated(where, heading, rng.random(count))
    pair = sits[:, None]
    stoop = np.where(rng.random(count) < 0.08, rng.uniform(0.3, 1.1, count), 0.0)
    poses = Poses(
        where[:, 0],
        where[:, 1],
        heading,
        np.where(pair, down.hip, upright.hip),
        np.where(pair, down.knee, upright.knee),
        np.where(pair, down.shoulder, upright.shoulder + stoop[:, None]),
        np.where(pair, down.elbow, upright.elbow),
        rng.uniform(0.08, 0.3, count),
        np.where(sits, down.lean, upright.lean + stoop),
        np.where(sits, down.nod, upright.nod) + rng.normal(0.0, 0.15, count),
        rng.normal(0.0, 0.4, count),
    )
    chairs = [_chair(x, y, turn) for (x, y), turn, sit in zip(places, heading, sits, strict=True) if sit]
    return poses, chairs


def _chair(x: float, y: float, heading: float) -> tuple[float, ...]:
    back_x, back_y = x - 0.06 * math.sin(heading), y - 0.06 * math.cos(heading)
    return (back_x - 0.2, back_y - 0.2, 0.0, back_x + 0.2, back_y + 0.2, 0.44)


def _floor_place(rng: Chance, camera: Camera, near: list[tuple[float, float]]) -> tuple[float, float] | None:
    """A point of the floor under a random pixel, or beside somebody."""
    if near:
        x, y = near[int(rng.integers(len(near)))]
        return x + rng.normal(0.0, 0.7), y + rng.normal(0.0, 0.7)
    column, row = rng.uniform(-0.05, 1.05) * camera.width, rng.uniform(0.1, 1.25) * camera.height
    ray = camera.axes.T @ np.array([(column - camera.width / 2) / camera.focal_px, (row - camera.height / 2) / camera.focal_px, 1.0])
    if ray[2] > -0.02:
        return None
    far = -camera.eye[2] / ray[2]
    x, y = far * ray[0], far * ray[1]
    return (float(x), float(y)) if math.hypot(x, y) < 18.0 else None


def _blocked(place: tuple[float, float], boxes: Values) -> bool:
    x, y = place
    if not (boxes[0, 3] + 0.3 < x < boxes[1, 0] - 0.3 and boxes[3, 4] + 0.3 < y < boxes[2, 1] - 0.3):
        return True  # behind a wall
    boxes = boxes[boxes[:, 2] < 1.0]  # not the ceiling
    return bool(((boxes[:, 0] - 0.2 < x) & (x < boxes[:, 3] + 0.2) & (boxes[:, 1] - 0.2 < y) & (y < boxes[:, 4] + 0.2)).any())


def _light(rng: Chance, mean: float) -> Light:
    """Exposure as a camera would choose it for a room of this mean level, more or less well."""
    level = rng.uniform(65.0, 150.0) / max(mean, 8.0)
    warm = rng.normal(0.0, 0.09)
    tint = rng.normal(0.0, 0.03)
    toward = (rng.normal(0.0, 0.6), rng.normal(0.0, 0.6), 1.0)
    ambient = rng.uniform(0.35, 0.75)
    gain = (level * (1 + warm), level * (1 + tint), level * (1 - warm))
    return Light(gain, rng.uniform(0.8, 1.25), float(rng.choice([1.0, 3.0, 6.0, 12.0])), toward, ambient, rng.uniform(0.2, 0.7))


def _developed(rng: Chance, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey of a night camera, soft lenses, a recorder's stamp, compression."""
    image = Image.fromarray(pixels)
    if rng.random() < 0.28:
        image = image.convert("L").convert("RGB")
    if rng.random() < 0.55:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.3))))
    if rng.random() < 0.2:  # a small camera's picture, enlarged
        share = rng.uniform(0.4, 0.8)
        small = image.resize((max(32, int(image.width * share)), max(32, int(image.height * share))), Image.Resampling.BILINEAR)
        image = small.resize(image.size, Image.Resampling.BILINEAR)
    if rng.random() < 0.25:
        day = f"20{rng.integers(10, 40)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
        text = f"CAM{rng.integers(1, 17):02d} {day} {rng.integers(24):02d}:{rng.integers(60):02d}"
        corner = (int(rng.uniform(0.02, 0.5) * image.width), int(rng.choice([0.02, 0.93]) * image.height))
        ImageDraw.Draw(image).text(corner, text, fill=(240, 240, 240))
    if rng.random() < 0.6:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(25, 92)))
        image = Image.open(buffer)
    out = np.array(image)
    if rng.random() < 0.5:
        out = _vignetted(out, float(rng.uniform(0.1, 0.5)))
    return out


def _vignetted(pixels: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    high, wide = pixels.shape[:2]
    y, x = np.linspace(-1, 1, high)[:, None], np.linspace(-1, 1, wide)[None, :]
    return (pixels * (1 - strength * 0.5 * (x * x + y * y))[:, :, None]).astype(np.uint8)
