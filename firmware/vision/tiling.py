"""Which parts of a frame go through the model, and how their boxes come back to the frame. Pure.

Tiles make small people larger: 2x2 shows the model everything at 1.7 times the size, for four invokes. Tiles overlap by a
fifth of the frame, so that a person small enough to need tiles is whole in at least one. Rules: boxes are shares of the
whole frame again; a side that lies on a border inside the frame is marked as cut, and `firmware.vision.nms` joins the
pieces. Which tiling a room needs is the manifest's and the installer's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from numba import njit
from numpy.typing import NDArray

from firmware.vision.nms import BOTTOM, LEFT, RIGHT, TOP

Array = NDArray[Any]

OVERLAP: Final = 0.2  # of the frame, between neighbours: a person a fifth of the frame wide is whole in one of them
TILINGS: Final = {"1x1": (1, 1, False), "2x1": (2, 1, False), "2x2": (2, 2, False), "2x2+1": (2, 2, True)}
CUT_SHARE: Final = 0.04  # of a tile: a side nearer to the border was cut by it; boxes end a little short of where a body is cut


@dataclass(frozen=True, slots=True)
class Tile:
    """One part of the frame, in whole pixels of the frame; `cut_sides` are those of its sides that lie inside the frame."""

    x0: int
    y0: int
    x1: int
    y1: int
    cut_sides: int


def tiles(tiling: str, height: int, width: int) -> tuple[Tile, ...]:
    """The tiles of a frame, row by row, the whole last."""
    columns, rows, whole = TILINGS[tiling]
    parts = [
        Tile(x0, y0, x1, y1, (x0 > 0) * LEFT | (y0 > 0) * TOP | (x1 < width) * RIGHT | (y1 < height) * BOTTOM)
        for y0, y1 in _spans(rows, height)
        for x0, x1 in _spans(columns, width)
    ]
    return (*parts, Tile(0, 0, width, height, 0)) if whole else tuple(parts)


def _spans(parts: int, length: int) -> list[tuple[int, int]]:
    """Where each of `parts` begins and ends along an axis."""
    if parts == 1:
        return [(0, length)]
    side = round(length * (1 + OVERLAP * (parts - 1)) / parts)
    return [(round(i * (length - side) / (parts - 1)), round(i * (length - side) / (parts - 1)) + side) for i in range(parts)]


@njit(cache=True)
def place(
    tile_boxes: Array,
    tile_scores: Array,
    count: int,
    tile: tuple[float, float, float, float],
    cut_sides: int,
    boxes: Array,
    scores: Array,
    cut: Array,
    n: int,
) -> int:
    """Append one tile's candidates to the frame's, from index n on; the new number of candidates.

    tile_boxes (capacity, 4) in 0..1 of the tile and tile_scores hold `count` candidates. The tile is (x0, y0, width, height)
    in 0..1 of the frame; cut_sides are its sides inside the frame. boxes, scores and cut (uint8) are the frame's.
    """
    x0, y0, width, height = tile
    for i in range(count):
        touched = 0
        if tile_boxes[i, 0] < CUT_SHARE:
            touched |= LEFT
        if tile_boxes[i, 1] < CUT_SHARE:
            touched |= TOP
        if tile_boxes[i, 2] > 1.0 - CUT_SHARE:
            touched |= RIGHT
        if tile_boxes[i, 3] > 1.0 - CUT_SHARE:
            touched |= BOTTOM
        boxes[n, 0] = x0 + tile_boxes[i, 0] * width
        boxes[n, 1] = y0 + tile_boxes[i, 1] * height
        boxes[n, 2] = x0 + tile_boxes[i, 2] * width
        boxes[n, 3] = y0 + tile_boxes[i, 3] * height
        scores[n] = tile_scores[i]
        cut[n] = touched & cut_sides
        n += 1
    return n
