"""Outlines: which ones are trusted."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="augmentation needs OpenCV: make model-setup")
from models_tflite.training import masks
from models_tflite.training.pictures import Picture


class Seer:
    """Sees a person in one rectangle of the picture."""

    def __init__(self, *corners: int) -> None:
        self.corners = corners

    def people(self, pixels: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The whole picture at its own size."""
        seen = np.zeros(pixels.shape[:2], bool)
        left, top, right, bottom = self.corners
        seen[top:bottom, left:right] = True
        return seen, np.array([[1, 0, 0], [0, 1, 0]], np.float32)


PICTURE = Picture("one", np.zeros((200, 200, 3), np.uint8), np.array([[50, 40, 100, 160]], np.float32))


def test_outline_that_agrees_is_kept() -> None:
    """A region whose bounds are about the label's becomes the mask, and the person a cut-out."""
    (made,) = masks.outlined([PICTURE], Seer(52, 42, 98, 155))
    assert made.cutouts.tolist() == [[50, 40, 100, 160]]
    assert made.mask is not None
    assert (int((made.mask > 127).sum()), bool(made.mask[100, 75])) == (46 * 113, True)


@pytest.mark.parametrize("corners", [(55, 45, 75, 100), (20, 40, 160, 160), (0, 0, 1, 1)])
def test_outline_that_disagrees_is_not_used(corners: tuple[int, ...]) -> None:
    """Half a person, two persons in one region, nobody: no cut-out."""
    (made,) = masks.outlined([PICTURE], Seer(*corners))
    assert made.mask is None
    assert not len(made.cutouts)


def test_people_in_a_crowd_are_not_cut_out() -> None:
    """Where a neighbour takes a third of the box, an outline would hold two people."""
    boxes = np.array([[50, 40, 100, 160], [80, 40, 130, 160], [150, 40, 180, 160]], np.float32)
    assert [masks.crowded(boxes, index) for index in range(3)] == [True, True, False]
