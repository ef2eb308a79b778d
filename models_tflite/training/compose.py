"""Geometry of augmentation: training pictures put together from windows of labelled ones.

A canvas is one window, or a grid of windows that shrinks everybody; small cut-outs of people are pasted into it. Windows are cropped,
stretched and mirrored; who is cut to a sliver is neither person nor background. Colours and noise are left to `appearance`.
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
PASTE_HEIGHTS = (12.0, 90.0)

Draw = Callable[[np.random.Generator], Picture]


@dataclass(frozen=True)
class Canvas:
    """A composed picture. pixels uint8 [s, s, 3]; boxes, ignored float32 [n, 4] corners in pixels."""

    pixels: np.ndarray
    boxes: np.ndarray
    ignored: np.ndarray


def compose(rng: np.random.Generator, draw: Draw, size: int) -> Canvas:
    """One training picture of side `size` pixels from pictures that `draw` yields."""
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
    if rng.random() < PASTE_CHANCE:
        canvas = paste_people(rng, draw, canvas)
    return canvas


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
    """Pastes a group of small people, cut from other pictures with soft edges, where nobody stands yet."""
    size = canvas.pixels.shape[0]
    pixels, boxes = canvas.pixels.copy(), list(canvas.boxes)
    base = float(np.exp(rng.uniform(*np.log(PASTE_HEIGHTS))))
    for _ in range(int(rng.integers(2, 12))):
        picture = draw(rng)
        if not len(picture.boxes):
            continue
        source = picture.boxes[int(rng.integers(len(picture.boxes)))]
        wide, high = source[2] - source[0], source[3] - source[1]
        height = base * float(np.exp(rng.normal(0, 0.25)))
        width = height * wide / max(high, 1.0)
        if high < 0.8 * height or width < 4 or width > 1.6 * height or max(width, height) > size * 0.6:
            continue
        left, top = rng.uniform(0, size - width), rng.uniform(0, size - height)
        place = np.array([left, top, left + width, top + height], np.float32)
        if boxes and overlap(np.array(boxes), place).max() > 0.25:
            continue
        blend(rng, pixels, place, picture, source)
        boxes.append(place)
    return Canvas(pixels, np.array(boxes, np.float32).reshape(-1, 4), canvas.ignored)


def overlap(boxes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """For each box [n, 4], the shared area with `place` as a share of the smaller of the two."""
    shared = np.prod(np.maximum(np.minimum(boxes[:, 2:], place[2:]) - np.maximum(boxes[:, :2], place[:2]), 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(np.minimum(areas, np.prod(place[2:] - place[:2])), 1e-6)


def blend(rng: np.random.Generator, pixels: np.ndarray, place: np.ndarray, picture: Picture, source: np.ndarray) -> None:
    """Writes the person `source` of `picture` at `place`, with the person's mask where the picture has one, else a soft ellipse."""
    left, top, right, bottom = np.round(place).astype(int)
    width, height = max(int(right - left), 3), max(int(bottom - top), 5)
    left, top = min(left, pixels.shape[1] - width), min(top, pixels.shape[0] - height)
    person = cut(rng, picture.pixels[:, :, :3], tuple(source), (width, height))
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    alpha = np.clip((1.15 - (across**4 + down**4)) * 3, 0, 1)[..., None].astype(np.float32)
    ground = pixels[top : top + height, left : left + width]
    # Half-way to the light of the place: a bright cut-out in a dark corner would give the paste away.
    gain = np.clip((float(ground.mean()) + 60) / (float(person.mean()) + 60), 0.6, 1.5)
    ground[:] = np.clip(person * (gain * alpha) + ground * (1 - alpha), 0, 255).astype(np.uint8)
