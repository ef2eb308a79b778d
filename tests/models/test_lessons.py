"""What teachers make of labels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow: make model-setup")
from models_tflite.training import lessons, teachers
from models_tflite.training.measure import Found
from models_tflite.training.pictures import Picture

LABELS = np.array([[10, 10, 30, 60], [100, 10, 120, 60]], np.float32)


class FakeTeachers:
    """Sees what it is given, in 0..1."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def look(self, pixels: np.ndarray, *, tiled: bool = False) -> Found:
        """The same whatever it looks at."""
        del tiled
        assert pixels.shape == (100, 200, 3)
        return self.found


def found(*rows: tuple[float, ...]) -> Found:
    """Boxes in pixels of a 200 x 100 picture and scores."""
    every = np.array(rows, np.float32)
    return Found(every[:, :4] / np.array([200, 100, 200, 100], np.float32), every[:, 4])


def picture() -> Picture:
    """Two labelled people on grey."""
    return Picture("some", np.full((100, 200, 3), 90, np.uint8), LABELS)


@pytest.mark.parametrize(
    ("box", "known"), [((8, 12, 33, 70), True), ((10, 10, 30, 30), True), ((50, 10, 70, 60), False), ((28, 10, 48, 60), False)]
)
def test_near_is_the_same_person(box: tuple[int, ...], known: bool) -> None:
    """A looser box and a part of a person are known; another place and a touching neighbour are not."""
    assert lessons.near(np.array(box, np.float32), LABELS) is known


def test_without_labels_nobody_is_known() -> None:
    """A picture without labels has nobody near."""
    assert not lessons.near(LABELS[0], LABELS[:0])


def test_loose_label_becomes_the_teachers_box() -> None:
    """The matched label moves, the other stays, whom the labels forgot becomes a person or a doubt by score."""
    seen = found((12, 12, 28, 58, 0.8), (50, 20, 70, 80, 0.6), (150, 20, 170, 80, 0.3), (180, 2, 190, 30, 0.1))
    (made,) = lessons.corrected([picture()], FakeTeachers(seen))
    assert made.boxes.tolist() == pytest.approx(np.array([[12, 12, 28, 58], [100, 10, 120, 60], [50, 20, 70, 80]]), abs=1e-4)
    assert made.ignored == pytest.approx(np.array([[150, 20, 170, 80]]), abs=1e-4)


def test_one_box_serves_one_label() -> None:
    """Of two labels under one box, the better match takes it."""
    labels = np.array([[10, 10, 30, 60], [12, 10, 34, 62]], np.float32)
    made = lessons.tightened(labels, Found(np.array([[12, 11, 33, 61]], np.float32), np.array([0.9], np.float32)))
    assert made.tolist() == [[10, 10, 30, 60], [12, 11, 33, 61]]


def test_careful_labels_stay() -> None:
    """Doubting moves no label; forgotten people are left out of the loss."""
    (made,) = lessons.doubted([picture()], FakeTeachers(found((12, 12, 28, 58, 0.8), (50, 20, 70, 80, 0.6))))
    assert made.boxes is LABELS
    assert made.ignored == pytest.approx(np.array([[50, 20, 70, 80]]), abs=1e-4)


def test_fused_box_lies_between_two_opinions() -> None:
    """Boxes that mean one person become their mean weighted by score; a score of one opinion alone is halved."""
    first, second = found((10, 10, 30, 60, 0.6), (100, 10, 120, 60, 0.8)), found((13, 10, 33, 60, 0.3))
    made = teachers.fuse([first, second])
    order = np.argsort(made.boxes[:, 0])
    assert (made.boxes[order] * np.array([200, 100, 200, 100])).ravel().tolist() == pytest.approx(
        [11, 10, 31, 60, 100, 10, 120, 60], abs=1e-3
    )
    assert made.scores[order].tolist() == pytest.approx([0.45, 0.4])
