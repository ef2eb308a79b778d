"""Assignment of people to cells."""

from __future__ import annotations

import numpy as np
import pytest

from models_tflite.training import targets

NOBODY = np.zeros((0, 4), np.float32)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_each_person_has_one_peak_at_the_centre() -> None:
    """A small person peaks once on the fine head, in the cell of the box centre, and not at all on the coarse one."""
    (fine, _, _), (coarse, _, _) = targets.assign(boxes((40, 40, 52, 70)), NOBODY, 128)
    assert [tuple(cell) for cell in np.argwhere(fine == 1)] == [(13, 11)]
    assert not coarse.any()


def test_distances_give_the_box_back() -> None:
    """Wherever distances are taught, the cell's centre and its distances are the person's box."""
    box = (31.0, 20.0, 61.0, 78.0)
    for stride, (_, edge, weight) in zip(targets.STRIDES, targets.assign(boxes(box), NOBODY, 128), strict=True):
        for y, x in np.argwhere(weight > 0):
            left, top, right, bottom = edge[:, y, x]
            again = [(x + 0.5 - left) * stride, (y + 0.5 - top) * stride, (x + 0.5 + right) * stride, (y + 0.5 + bottom) * stride]
            assert again == pytest.approx(box, abs=1e-3)


def test_people_weigh_the_same() -> None:
    """A large person and a small one have the same total weight, however many cells they cover."""
    (_, _, fine), (_, _, coarse) = targets.assign(boxes((4, 4, 14, 34), (40, 10, 110, 120)), NOBODY, 128)
    assert fine.sum() == pytest.approx(1.0)
    assert coarse.sum() == pytest.approx(1.0)


def test_sizes_between_the_heads_are_taught_to_both() -> None:
    """Nobody falls between the heads: a person of 60 pixels is a peak on both."""
    for peak, _, _ in targets.assign(boxes((40, 30, 64, 90)), NOBODY, 128):
        assert (peak == 1).sum() == 1


def test_the_tiny_and_the_ignored_are_not_asked() -> None:
    """Cells of a five-pixel person and of an ignored box are neither person nor background."""
    (fine, _, weight), _ = targets.assign(boxes((20, 20, 23, 25)), boxes((60, 60, 80, 100)), 128)
    assert (fine == -1).any()
    assert (fine[15:25, 15:20] == -1).all()
    assert not weight.any()


def test_a_person_before_an_ignored_one_still_counts() -> None:
    """A bump that overlaps an ignored box wins its cells."""
    (fine, _, _), _ = targets.assign(boxes((60, 60, 72, 90)), boxes((50, 50, 90, 100)), 128)
    assert (fine == 1).sum() == 1
