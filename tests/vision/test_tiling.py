"""Tiles: the whole frame is covered, and boxes come back to where they are."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.vision.nms import BOTTOM, LEFT, RIGHT, TOP
from firmware.vision.tiling import OVERLAP, TILINGS, place, tiles


@pytest.mark.parametrize("tiling", TILINGS)
@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (333, 517)])
def test_tiles_cover_every_pixel(tiling: str, size: tuple[int, int]) -> None:
    """Every pixel is in a tile, no tile leaves the frame, neighbours overlap by the stated share."""
    seen = np.zeros(size, int)
    parts = tiles(tiling, *size)
    for tile in parts:
        assert 0 <= tile.x0 < tile.x1 <= size[1]
        assert 0 <= tile.y0 < tile.y1 <= size[0]
        seen[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
    assert seen.min() >= 1
    if tiling == "2x1":
        assert (parts[0].x1 - parts[1].x0) / size[1] == pytest.approx(OVERLAP, abs=0.01)


def test_only_inner_sides_can_cut() -> None:
    """Each of four tiles can cut on its two sides inside the frame; the whole frame on none."""
    assert [tile.cut_sides for tile in tiles("2x2+1", 480, 640)] == [RIGHT | BOTTOM, LEFT | BOTTOM, RIGHT | TOP, LEFT | TOP, 0]


def placed(box: list[float], cut_sides: int) -> tuple[list[float], int]:
    boxes, scores, cut = np.zeros((4, 4)), np.zeros(4), np.zeros(4, np.uint8)
    n = place(np.array([box]), np.array([0.7]), 1, (0.4, 0.0, 0.6, 0.6), cut_sides, boxes, scores, cut, 2)
    assert (n, scores[2]) == (3, 0.7)
    return boxes[2].tolist(), int(cut[2])


def test_boxes_return_to_the_frame() -> None:
    """A box in the middle of the upper right tile lies there in the frame, uncut."""
    assert placed([0.25, 0.5, 0.75, 1.0 - 0.1], LEFT | BOTTOM) == (pytest.approx([0.55, 0.3, 0.85, 0.54]), 0)


def test_touching_an_inner_border_is_a_cut() -> None:
    """A box that reaches the tile's left and right borders is cut on the left alone: the right one is the frame's."""
    assert placed([0.0, 0.2, 1.0, 0.5], LEFT | BOTTOM)[1] == LEFT
