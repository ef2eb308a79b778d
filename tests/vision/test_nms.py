"""Suppression: the best box of each person stays, pieces at tile borders become one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.average_precision import overlap
from firmware.vision.nms import BOTTOM, LEFT, RIGHT, TOP, join_pieces, suppress

Array = NDArray[np.float64]


def kept(
    boxes: list[list[float]], scores: list[float], iou_max: float = 0.5, cut: list[int] | None = None, most: int = 300
) -> list[tuple[float, list[float]]]:
    out_boxes, out_scores = np.zeros((most, 4)), np.zeros(most)
    flags = np.array(cut or [0] * len(scores), np.uint8)
    n = suppress(np.array(boxes, float).reshape(-1, 4), np.array(scores, float), flags, len(scores), iou_max, out_boxes, out_scores)
    return [(float(s), b.tolist()) for b, s in zip(out_boxes[:n], out_scores[:n], strict=True)]


def by_definition(boxes: Array, scores: Array, iou_max: float) -> list[int]:
    left, found = list(np.argsort(-scores, kind="stable")), []
    while left:
        best = left.pop(0)
        found.append(int(best))
        left = [i for i in left if overlap(boxes[[best]], boxes[[i]])[0, 0] <= iou_max]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_as_the_definition_says(seed: int) -> None:
    """On random crowds: exactly what greedy suppression by its definition keeps, best first."""
    draw = np.random.default_rng(seed)
    corner = draw.random((60, 2)) * 0.5
    boxes, scores = np.hstack([corner, corner + 0.1 + draw.random((60, 2)) * 0.3]), np.round(draw.random(60), 2)
    expected = by_definition(boxes, scores, 0.4)
    assert [s for s, _ in kept(boxes.tolist(), scores.tolist(), 0.4)] == [scores[i] for i in expected]
    assert [b for _, b in kept(boxes.tolist(), scores.tolist(), 0.4)] == [boxes[i].tolist() for i in expected]


def test_nothing_in_nothing_out() -> None:
    """No candidate, nobody."""
    assert kept(np.zeros((0, 4)).tolist(), []) == []


def test_capacity_keeps_the_best() -> None:
    """With room for two, the two best of five apart stay."""
    boxes = [[i / 5, 0, i / 5 + 0.1, 1] for i in range(5)]
    assert [s for s, _ in kept(boxes, [0.1, 0.5, 0.3, 0.9, 0.2], most=2)] == [0.9, 0.5]


def test_piece_yields_to_the_whole_person() -> None:
    """A better scored piece inside a whole box goes; the same two boxes uncut both stay."""
    boxes, scores = [[0.4, 0.1, 0.6, 0.9], [0.4, 0.1, 0.5, 0.5]], [0.3, 0.8]
    assert kept(boxes, scores, cut=[0, RIGHT | BOTTOM]) == [(0.3, boxes[0])]
    assert len(kept(boxes, scores)) == 2


def test_lone_piece_stays_in_its_rank() -> None:
    """A piece that no whole box covers is a person, listed by its score."""
    boxes = [[0.1, 0.1, 0.2, 0.5], [0.4, 0.1, 0.5, 0.5]]
    assert [s for s, _ in kept(boxes, [0.3, 0.8], cut=[0, RIGHT])] == [0.8, 0.3]


def joined(boxes: list[list[float]], scores: list[float], cut: list[int]) -> tuple[Array, Array, NDArray[np.uint8]]:
    b, s, c = np.array(boxes, float), np.array(scores, float), np.array(cut, np.uint8)
    join_pieces(b, s, c, len(s))
    return b, s, c


def test_two_halves_become_one() -> None:
    """Pieces from both sides of a border, flush and overlapping, become their hull with the better score, uncut."""
    boxes, scores, cut = joined([[0.3, 0.2, 0.6, 0.8], [0.4, 0.22, 0.7, 0.78]], [0.6, 0.7], [RIGHT, LEFT])
    assert scores.tolist() == [-1.0, 0.7]
    assert boxes[1].tolist() == [0.3, 0.2, 0.7, 0.8]
    assert cut[1] == 0


def test_four_quarters_become_one() -> None:
    """A person in the middle of four tiles is one person."""
    boxes = [[0.3, 0.3, 0.6, 0.6], [0.4, 0.3, 0.7, 0.6], [0.3, 0.4, 0.6, 0.7], [0.4, 0.4, 0.7, 0.7]]
    boxes_out, scores, cut = joined(boxes, [0.5, 0.6, 0.7, 0.8], [RIGHT | BOTTOM, LEFT | BOTTOM, RIGHT | TOP, LEFT | TOP])
    ((_, box),) = kept(boxes_out.tolist(), scores.tolist(), cut=cut.tolist())
    assert box == pytest.approx([0.3, 0.3, 0.7, 0.7])


def test_neighbours_at_a_border_stay_two() -> None:
    """Pieces that are not flush, do not touch, or were cut on the same side are different people."""
    for boxes, cut in (
        ([[0.3, 0.1, 0.6, 0.4], [0.4, 0.35, 0.7, 0.9]], [RIGHT, LEFT]),
        ([[0.3, 0.2, 0.5, 0.8], [0.55, 0.2, 0.7, 0.8]], [RIGHT, LEFT]),
        ([[0.3, 0.2, 0.6, 0.8], [0.4, 0.2, 0.6, 0.8]], [RIGHT, RIGHT]),
    ):
        assert joined(boxes, [0.6, 0.7], cut)[1].tolist() == [0.6, 0.7]
