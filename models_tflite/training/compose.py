"""Geometry of augmentation: training pictures put together from windows of labelled ones.

A canvas is one window, or a grid of windows that shrinks everybody; people cut out along their outlines are set into it, upright or leaning
as a wide lens under a ceiling shows them; counters and shelves hide legs. Windows are cropped, stretched and mirrored; who is cut to a
sliver is neither person nor background. Colours and noise are left to `appearance`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from models_tflite.training.pictures import Picture

VISIBLE_MIN = 0.4  # share of a box inside the window for it to stay a person
SLIVER_MIN = 0.06  # below it, what is left of a person is background
# How many windows a side, and how often: high cameras see small people.
GRIDS = ((1, 0.42), (2, 0.27), (3, 0.14), (4, 0.09), (5, 0.05), (6, 0.03))
PASTE_CHANCE = 0.35
PASTE_HEIGHTS = (12.0, 110.0)  # pixels at 320
PASTES_MAX = 14
HIDE_CHANCE = 0.4
HIDINGS_MAX = 3

Draw = Callable[[np.random.Generator], Picture]


@dataclass(frozen=True)
class Canvas:
    """A composed picture. pixels uint8 [s, s, 3]; boxes, ignored float32 [n, 4] corners in pixels."""

    pixels: np.ndarray
    boxes: np.ndarray
    ignored: np.ndarray


def compose(rng: np.random.Generator, draw: Draw, draw_outlined: Draw | None, size: int) -> Canvas:
    """One training picture of side `size` pixels from pictures that `draw` yields; those of `draw_outlined` have cut-outs."""
    counts, chances = zip(*GRIDS, strict=True)
    grid = int(rng.choice(counts, p=np.array(chances) / sum(chances)))
    marks_x, marks_y = cuts(rng, grid, size), cuts(rng, grid, size)
    pixels = np.empty((size, size, 3), np.uint8)
    boxes, ignored = [], []
    for top, bottom in pairwise(marks_y):
        for left, right in pairwise(marks_x):
            part, kept, slivers = window(rng, draw(rng), right - left, bottom - top)
            pixels[top:bottom, left:right] = part
            offset = np.array([left, top, left, top], np.float32)
            boxes.append(kept + offset)
            ignored.append(slivers + offset)
    canvas = Canvas(pixels, np.concatenate(boxes), np.concatenate(ignored))
    if draw_outlined and rng.random() < PASTE_CHANCE:
        canvas = paste_people(rng, draw_outlined, canvas)
    return hide(rng, canvas) if rng.random() < HIDE_CHANCE else canvas


def cuts(rng: np.random.Generator, grid: int, size: int) -> list[int]:
    """Where a canvas is cut into `grid` stripes: grid + 1 marks from 0 to `size`."""
    inner = (np.arange(1, grid) + rng.uniform(-0.25, 0.25, grid - 1)) * size / grid
    return [0, *np.round(inner).astype(int).tolist(), size]


def window(rng: np.random.Generator, picture: Picture, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random window of a picture at `width` x `height`: (pixels, boxes, slivers), coordinates in the window."""
    full_h, full_w = picture.pixels.shape[:2]
    share = float(np.exp(rng.uniform(np.log(0.55), np.log(1.2))))
    stretch = float(np.exp(rng.normal(0, 0.14)))
    span_w, span_h = full_w * share * stretch, full_h * share / stretch
    if width < height * 0.75 or height < width * 0.75:  # a slender cell takes a slender window
        span_w, span_h = (span_w * width / height, span_h) if width < height else (span_w, span_h * height / width)
    left = rng.uniform(min(0, full_w - span_w), max(0, full_w - span_w))
    top = rng.uniform(min(0, full_h - span_h), max(0, full_h - span_h))
    pixels = cut(rng, picture.pixels, (left, top, left + span_w, top + span_h), (width, height))
    scale = np.array([width / span_w, height / span_h] * 2, np.float32)
    every = np.concatenate([picture.boxes, picture.ignored]) - np.array([left, top, left, top], np.float32)
    every *= scale
    if rng.random() < 0.5:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
        every = every[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32) + np.array([width, 0, width, 0], np.float32)
    people = len(picture.boxes)
    boxes, slivers = clip_boxes(every[:people], width, height)
    unsure, _ = clip_boxes(every[people:], width, height)
    return pixels, boxes, np.concatenate([slivers, unsure])


def clip_boxes(boxes: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """(people, slivers): boxes [n, 4] cut to the window, by the share of each that is inside."""
    limits = np.array([width, height, width, height], np.float32)
    inside = np.clip(boxes, 0, limits)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    share = np.prod(np.maximum(inside[:, 2:] - inside[:, :2], 0), axis=1) / np.maximum(area, 1e-6)
    return inside[share >= VISIBLE_MIN], inside[(share < VISIBLE_MIN) & (share > SLIVER_MIN)]


def cut(rng: np.random.Generator, pixels: np.ndarray, span: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """The part `span` (left, top, right, bottom) of a picture, resized to `size` (w, h); grey of some shade where it leaves the picture."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = (round(value) for value in span)
    inner = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if left < 0 or top < 0 or right > width or bottom > height:
        border = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
        inner = cv2.copyMakeBorder(inner, *border, cv2.BORDER_CONSTANT, value=[int(rng.integers(0, 200))] * 3)
    shrinks = inner.shape[1] > 1.6 * size[0]  # area averaging costs; a mild shrink does not need it
    return cv2.resize(inner, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def paste_people(rng: np.random.Generator, draw: Draw, canvas: Canvas) -> Canvas:
    """Sets a group of small people, cut out along their outlines, where nobody stands yet.

    From above, people are foreshortened and lean away from the middle of the picture.
    """
    size = canvas.pixels.shape[0]
    pixels, boxes = canvas.pixels.copy(), list(canvas.boxes)
    base = float(np.exp(rng.uniform(*np.log(PASTE_HEIGHTS)))) * size / 320
    steep = rng.random() < 0.5
    squash, lean = (rng.uniform(0.5, 1.0), rng.uniform(0, 0.6)) if steep else (1.0, 0.0)
    for _ in range(int(rng.integers(2, PASTES_MAX))):
        picture = draw(rng)
        source = picture.cutouts[int(rng.integers(len(picture.cutouts)))]
        tall = base * float(np.exp(rng.normal(0, 0.2)))
        wide = tall * float((source[2] - source[0]) / (source[3] - source[1]))
        tall *= squash
        if source[3] - source[1] < 0.7 * tall or max(wide, tall) > 0.6 * size or wide < 3:
            continue
        middle = rng.uniform(0, size, 2)
        angle = lean * (middle[0] / size - 0.5) * 2 + float(rng.normal(0, 0.06))
        place = set_in(
            pixels, np.array(boxes, np.float32).reshape(-1, 4), picture, (source, middle, (wide, tall), angle, rng.random() < 0.5)
        )
        if place is not None:
            boxes.append(place)
    return Canvas(pixels, np.array(boxes, np.float32).reshape(-1, 4), canvas.ignored)


def set_in(pixels: np.ndarray, boxes: np.ndarray, picture: Picture, how: tuple) -> np.ndarray | None:
    """Draws one cut-out person into `pixels`; returns the box [4] of what is seen, or None where there is no room.

    how: the person's box in `picture`, the middle on the canvas, (width, height) there, the angle in radians, whether mirrored.
    """
    source, middle, (wide, tall), angle, mirrored = how
    size = pixels.shape[0]
    reach = int(np.ceil(np.hypot(wide, tall) / 2)) + 1
    corner = np.floor(middle).astype(int) - reach
    # From picture to patch: centre, scale (mirrored or not), turn.
    scale = np.array([(-wide if mirrored else wide) / (source[2] - source[0]), tall / (source[3] - source[1])])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    shift = middle - corner - turn @ ((source[:2] + source[2:]) / 2)
    patch = cutout(picture, source, np.column_stack([turn, shift]), 2 * reach)
    low, high = np.maximum(corner, 0), np.minimum(corner + 2 * reach, size)
    if (high <= low).any():
        return None
    part = patch[low[1] - corner[1] : high[1] - corner[1], low[0] - corner[0] : high[0] - corner[0]]
    alpha = part[..., 3:].astype(np.float32) / 255
    solid = alpha[..., 0] > 0.5
    if solid.sum() < max(6, 0.55 * (patch[..., 3] > 127).sum()):
        return None
    across, down = np.flatnonzero(solid.any(0)), np.flatnonzero(solid.any(1))
    place = np.array([low[0] + across[0], low[1] + down[0], low[0] + across[-1] + 1, low[1] + down[-1] + 1], np.float32)
    if len(boxes) and overlap(boxes, place).max() > 0.3:
        return None
    ground = pixels[low[1] : high[1], low[0] : high[0]]
    # Half-way to the light of the place: a bright cut-out in a dark corner would give the paste away.
    gain = np.clip((float(ground[solid].mean()) + 60) / (float(part[..., :3][solid].mean()) + 60), 0.6, 1.5)
    ground[:] = np.clip(part[..., :3] * (gain * alpha) + ground * (1 - alpha), 0, 255).astype(np.uint8)
    return place


def cutout(picture: Picture, source: np.ndarray, turn: np.ndarray, side: int) -> np.ndarray:
    """uint8 [side, side, 4] of one person turned by an affine [2, 3]; alpha from the outline inside the person's box."""
    left, top = np.maximum(np.floor(source[:2]).astype(int), 0)
    right, bottom = np.ceil(source[2:]).astype(int)
    person = np.dstack([picture.pixels[top:bottom, left:right], picture.mask[top:bottom, left:right]])
    turn = turn.copy()
    turn[:, 2] += turn[:, :2] @ (left, top)
    shrink = 1 / max(float(np.sqrt(abs(np.linalg.det(turn[:, :2])))), 1e-6)
    if shrink > 1.6:  # area averaging before the turn: small people are not to be made of single pixels
        small = (max(1, round(person.shape[1] / shrink)), max(1, round(person.shape[0] / shrink)))
        turn[:, :2] *= np.array([person.shape[1] / small[0], person.shape[0] / small[1]])
        person = cv2.resize(person, small, interpolation=cv2.INTER_AREA)
    return cv2.warpAffine(person, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def overlap(boxes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """For each box [n, 4], the shared area with `place` as a share of the smaller of the two."""
    shared = np.prod(np.maximum(np.minimum(boxes[:, 2:], place[2:]) - np.maximum(boxes[:, :2], place[:2]), 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(np.minimum(areas, np.prod(place[2:] - place[:2])), 1e-6)


def hide(rng: np.random.Generator, canvas: Canvas) -> Canvas:
    """Sets plain slabs (counters, shelves, backs of chairs) before the lower parts of some people."""
    pixels, boxes, ignored = canvas.pixels, canvas.boxes.copy(), canvas.ignored
    size = pixels.shape[0]
    for _ in range(int(rng.integers(1, HIDINGS_MAX + 1))):
        if not len(boxes):
            break
        box = boxes[int(rng.integers(len(boxes)))]
        wide, high = box[2] - box[0], box[3] - box[1]
        share = rng.uniform((0.05, 0.2, 0.05, 0.02), (1.2, 0.55, 1.2, 0.3))
        slab = np.array([box[0] - wide * share[0], box[3] - high * share[1], box[2] + wide * share[2], box[3] + high * share[3]])
        slab = np.clip(np.round(slab), 0, size).astype(int)
        if slab[2] - slab[0] < 2 or slab[3] - slab[1] < 2:
            continue
        paint(rng, pixels[slab[1] : slab[3], slab[0] : slab[2]])
        boxes, lost = behind(boxes, slab.astype(np.float32))
        ignored = np.concatenate([ignored, lost])
    return Canvas(pixels, boxes, ignored)


def paint(rng: np.random.Generator, part: np.ndarray) -> None:
    """Fills a part of a picture [h, w, 3] with one colour that slopes a little."""
    colour = rng.uniform(15, 235) + rng.normal(0, 12, 3)
    slope = (
        np.linspace(0, rng.normal(0, 30), part.shape[0])[:, None, None] + np.linspace(0, rng.normal(0, 30), part.shape[1])[None, :, None]
    )
    part[:] = np.clip(colour + slope, 0, 255).astype(np.uint8)


def behind(boxes: np.ndarray, slab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(people, left out) after a slab [4] stands before them: cut at its upper edge, left out where too little is seen."""
    over = np.maximum(np.minimum(boxes[:, 2], slab[2]) - np.maximum(boxes[:, 0], slab[0]), 0)
    down = np.maximum(np.minimum(boxes[:, 3], slab[3]) - np.maximum(boxes[:, 1], slab[1]), 0)
    wide, high = np.maximum(boxes[:, 2] - boxes[:, 0], 1e-6), np.maximum(boxes[:, 3] - boxes[:, 1], 1e-6)
    lost = over * down / (wide * high) > 0.65
    cut = (over / wide > 0.9) & (down > 0) & (boxes[:, 3] <= slab[3] + 1) & (boxes[:, 1] < slab[1]) & ~lost
    seen = boxes.copy()
    seen[cut, 3] = slab[1]
    return seen[~lost], boxes[lost]
