"""Forgotten people are told from labelled ones."""

from __future__ import annotations

import numpy as np
import pytest

from models_tflite.training import doubts

LABELS = np.array([[10, 10, 30, 60], [100, 10, 120, 60]], np.float32)


@pytest.mark.parametrize(
    ("box", "known"), [((8, 12, 33, 70), True), ((10, 10, 30, 30), True), ((50, 10, 70, 60), False), ((28, 10, 48, 60), False)]
)
def test_near_is_the_same_person(box: tuple[int, ...], known: bool) -> None:
    """A looser box and a part of a person are known; another place and a touching neighbour are not."""
    assert doubts.near(np.array(box, np.float32), LABELS) is known


def test_without_labels_nobody_is_known() -> None:
    """A picture without labels has nobody near."""
    assert not doubts.near(LABELS[0], LABELS[:0])
