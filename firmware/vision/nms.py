"""Greedy non-maximum suppression: of boxes that overlap too much, the best scored stays. Kernels on arrays, pure.

Rules: best score first, equal scores in the order given; fixed capacity; nothing allocated. A box that a tile's border
cut is a piece of a person: it yields to any whole box that holds most of it, and two pieces of one person are joined
first. The cost is bounded by kept boxes times candidates, so no sort is needed: a frame has tens of candidates, and the
worst case of 8,400 cells that all fire costs 300 passes. Soft suppression is left out: docs/models.md says why.
"""

from __future__ import annotations

from typing import Any, Final

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


@njit(cache=True)
def suppress(boxes: Array, scores: Array, cut: Array, count: int, iou_max: float, kept_boxes: Array, kept_scores: Array) -> int:
    """Greedy suppression by intersection over union, whole boxes before cut ones; how many were kept.

    boxes (capacity, 4) x0 y0 x1 y1, scores (capacity,) and cut (capacity,) uint8 hold `count` candidates: cut says which
    sides an inner tile border cut, 0 without tiles. A box that overlaps a kept one by more than iou_max is dropped.
    kept_boxes (most, 4) and kept_scores (most,) receive what stays, best first; scores is overwritten.
    """
    n = 0
    while n < kept_scores.shape[0]:
        best = _best(scores, cut, count)
        if best < 0:
            break
        score = scores[best]
        scores[best] = -1.0
        for i in range(count):
            if scores[i] >= 0.0 and _same(boxes, cut, best, i, iou_max):
                scores[i] = -1.0
        at = n
        while at > 0 and kept_scores[at - 1] < score:
            kept_scores[at] = kept_scores[at - 1]
            for k in range(4):
                kept_boxes[at, k] = kept_boxes[at - 1, k]
            at -= 1
        kept_scores[at] = score
        for k in range(4):
            kept_boxes[at, k] = boxes[best, k]
        n += 1
    return n


@njit(cache=True)
def _best(scores: Array, cut: Array, count: int) -> int:
    """The best whole box left, else the best cut one, else -1."""
    whole, piece = -1, -1
    whole_score, piece_score = -0.5, -0.5
    for i in range(count):
        if cut[i] == 0:
            if scores[i] > whole_score:
                whole, whole_score = i, scores[i]
        elif scores[i] > piece_score:
            piece, piece_score = i, scores[i]
    return whole if whole >= 0 else piece


@njit(cache=True)
def _same(boxes: Array, cut: Array, kept: int, i: int, iou_max: float) -> bool:
    """Whether box i is the person of the kept box."""
    common = shared(boxes, kept, i)
    if common <= 0.0:
        return False
    if cut[i] != 0 and common > _INSIDE_MIN * area(boxes, i):
        return True
    return common > iou_max * (area(boxes, kept) + area(boxes, i) - common)


@njit(cache=True)
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
                for k in range(2):
                    boxes[keep, k] = min(boxes[i, k], boxes[j, k])
                    boxes[keep, k + 2] = max(boxes[i, k + 2], boxes[j, k + 2])
                cut[keep] = (cut[i] | cut[j]) & ((TOP | BOTTOM) if across else (LEFT | RIGHT))
                scores[drop] = -1.0


@njit(cache=True)
def _flush(boxes: Array, i: int, j: int, axis: int) -> bool:
    """Whether two boxes cover about the same stretch of an axis (0 across, 1 down)."""
    common = min(boxes[i, axis + 2], boxes[j, axis + 2]) - max(boxes[i, axis], boxes[j, axis])
    hull = max(boxes[i, axis + 2], boxes[j, axis + 2]) - min(boxes[i, axis], boxes[j, axis])
    return common > _FLUSH_MIN * hull


@njit(cache=True)
def shared(boxes: Array, i: int, j: int) -> float:
    """Area that boxes i and j have in common."""
    width = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0])
    height = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    return width * height


@njit(cache=True)
def area(boxes: Array, i: int) -> float:
    """Area of box i."""
    return (boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1])
