"""Greedy non-maximum suppression: of boxes that overlap too much, the best scored stays. Kernels on arrays, pure.

Rules: best score first, equal scores in the order given; at most PEOPLE_MAX stay, which bounds the cost when every cell of
a model fires. A box that a tile's border cut is a piece of a person: it yields to any whole box that holds most of it,
and two pieces of one person are joined first. Soft suppression is left out: docs/models.md says why.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

PEOPLE_MAX: Final = 300  # in one frame: more do not fit a camera's view as boxes that can be told apart
LEFT: Final = 1  # bits of a box's cut sides
TOP: Final = 2
RIGHT: Final = 4
BOTTOM: Final = 8
_INSIDE_MIN: Final = 0.6  # share of a cut piece inside a kept box from which it is the same person
_FLUSH_MIN: Final = 0.5  # one-dimensional overlap along the border from which two pieces are one person


@njit(cache=True, error_model="numpy")
def suppress(boxes: Array, scores: Array, cut: Array, count: int, iou_max: float, kept_boxes: Array, kept_scores: Array) -> int:
    """Greedy suppression by intersection over union, whole boxes before cut ones; how many were kept.

    boxes (capacity, 4) x0 y0 x1 y1, scores (capacity,) and cut (capacity,) uint8 hold `count` candidates: cut says which
    sides an inner tile border cut, 0 without tiles; a score below 0 is no candidate. A box that overlaps a kept one by more
    than iou_max is dropped. kept_boxes (most, 4) and kept_scores (most,) receive what stays, best first.
    """
    rank = np.empty(count)
    for i in range(count):
        rank[i] = (1.0 if cut[i] else 0.0) - scores[i] / 2.0  # scores are at most 1: every whole box comes before every piece
    n = 0
    for i in np.argsort(rank, kind="mergesort"):
        if n == kept_scores.shape[0]:
            break
        if scores[i] >= 0.0 and not _is_known(boxes, cut, i, iou_max, kept_boxes, n):
            for k in range(4):
                kept_boxes[n, k] = boxes[i, k]
            kept_scores[n] = scores[i]
            n += 1
    _sort(kept_boxes, kept_scores, n)
    return n


@njit(cache=True, error_model="numpy")
def _is_known(boxes: Array, cut: Array, i: int, iou_max: float, kept_boxes: Array, n: int) -> bool:
    """Whether box i is a person already among the n kept boxes."""
    x0, y0, x1, y1 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
    own = (x1 - x0) * (y1 - y0)
    for k in range(n):
        width = min(x1, kept_boxes[k, 2]) - max(x0, kept_boxes[k, 0])
        if width <= 0.0:
            continue
        height = min(y1, kept_boxes[k, 3]) - max(y0, kept_boxes[k, 1])
        if height <= 0.0:
            continue
        common = width * height
        if cut[i] != 0 and common > _INSIDE_MIN * own:
            return True
        if common > iou_max * (area(kept_boxes, k) + own - common):
            return True
    return False


@njit(cache=True, error_model="numpy")
def _sort(boxes: Array, scores: Array, n: int) -> None:
    """Best first, in place; already so but for pieces kept after whole boxes."""
    for i in range(1, n):
        x0, y0, x1, y1, score = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3], scores[i]
        j = i
        while j > 0 and scores[j - 1] < score:
            scores[j] = scores[j - 1]
            for k in range(4):
                boxes[j, k] = boxes[j - 1, k]
            j -= 1
        boxes[j, 0], boxes[j, 1], boxes[j, 2], boxes[j, 3], scores[j] = x0, y0, x1, y1, score


@njit(cache=True, error_model="numpy")
def join_pieces(boxes: Array, scores: Array, cut: Array, count: int) -> None:
    """Join pieces of one person from both sides of a tile border, in place: arguments as `suppress`.

    A piece cut on its right meets one cut on its left (or bottom and top) that shares area with it and lies flush along
    the border. The better scored of the two becomes their hull, the other's score -1.
    """
    for i in range(count):
        for j in range(count):
            if i == j or scores[i] < 0.0 or scores[j] < 0.0 or shared(boxes, i, j) <= 0.0:
                continue
            across = cut[i] & RIGHT and cut[j] & LEFT and _flush(boxes, i, j, 1)
            down = cut[i] & BOTTOM and cut[j] & TOP and _flush(boxes, i, j, 0)
            if across or down:
                keep, drop = (i, j) if scores[i] >= scores[j] else (j, i)
                cut[keep] = _outer_cuts(boxes, cut, i, j)
                for k in range(2):
                    boxes[keep, k] = min(boxes[i, k], boxes[j, k])
                    boxes[keep, k + 2] = max(boxes[i, k + 2], boxes[j, k + 2])
                scores[drop] = -1.0


@njit(cache=True, error_model="numpy")
def _outer_cuts(boxes: Array, cut: Array, i: int, j: int) -> int:
    """Which sides of the hull of pieces i and j are cut: each as the piece that reaches out further is."""
    left = cut[i] if boxes[i, 0] <= boxes[j, 0] else cut[j]
    top = cut[i] if boxes[i, 1] <= boxes[j, 1] else cut[j]
    right = cut[i] if boxes[i, 2] >= boxes[j, 2] else cut[j]
    bottom = cut[i] if boxes[i, 3] >= boxes[j, 3] else cut[j]
    return (left & LEFT) | (top & TOP) | (right & RIGHT) | (bottom & BOTTOM)


@njit(cache=True, error_model="numpy")
def _flush(boxes: Array, i: int, j: int, axis: int) -> bool:
    """Whether two boxes cover about the same stretch of an axis (0 across, 1 down)."""
    common = min(boxes[i, axis + 2], boxes[j, axis + 2]) - max(boxes[i, axis], boxes[j, axis])
    hull = max(boxes[i, axis + 2], boxes[j, axis + 2]) - min(boxes[i, axis], boxes[j, axis])
    return common > _FLUSH_MIN * hull


@njit(cache=True, error_model="numpy")
def shared(boxes: Array, i: int, j: int) -> float:
    """Area that boxes i and j have in common."""
    width = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0])
    height = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    return width * height


@njit(cache=True, error_model="numpy")
def area(boxes: Array, i: int) -> float:
    """Area of box i."""
    return (boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1])
