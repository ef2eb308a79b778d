"""Augmentation: boxes follow their people, and chance is in the seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from models_tflite.training import synthetic
from models_tflite.training.pictures import Picture

pytest.importorskip("cv2", reason="augmentation needs OpenCV: make model-setup")
from models_tflite.training import appearance, compose


def square() -> Picture:
    """A white square on black; the box is the square."""
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[60:140, 80:120] = 255
    return Picture("square", pixels, np.array([[80, 60, 120, 140]], np.float32))


@pytest.mark.parametrize("seed", range(12))
def test_box_follows_the_person(seed: int) -> None:
    """Wherever a window is cut, stretched or mirrored, the kept box encloses the white it belongs to."""
    pixels, boxes, _ = compose.window(np.random.default_rng(seed), square(), 160, 160)
    white = np.argwhere(pixels[:, :, 0] > 230)
    if len(boxes) and len(white):
        top, left = white.min(axis=0)
        bottom, right = white.max(axis=0) + 1
        assert boxes[0] == pytest.approx([left, top, right, bottom], abs=3.5)


def test_slivers_are_neither_person_nor_background() -> None:
    """A box of which a fifth is inside the window is ignored, one with a half stays, cut at the border."""
    kept, slivers = compose.clip_boxes(np.array([[-80, 0, 20, 100], [-50, 0, 50, 100]], np.float32), 100, 100)
    assert kept.tolist() == [[0, 0, 50, 100]]
    assert slivers.tolist() == [[0, 0, 20, 100]]


def test_same_seed_same_picture() -> None:
    """A composed picture is a function of its seed."""
    given = synthetic.blobs(5, 1)

    def draw(rng: np.random.Generator) -> Picture:
        return given[int(rng.integers(len(given)))]

    first, second = (compose.compose(np.random.default_rng(4), draw, 128) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.boxes, second.boxes)
    assert first.pixels.shape == (128, 128, 3)


@pytest.mark.parametrize("seed", range(8))
def test_boxes_stay_inside(seed: int) -> None:
    """No box leaves the canvas, whatever is composed or pasted."""
    given = synthetic.blobs(9, 2)
    canvas = compose.compose(np.random.default_rng(seed), lambda rng: given[int(rng.integers(len(given)))], 160)
    assert (canvas.boxes >= 0).all()
    assert (canvas.boxes <= 160).all()
    assert (canvas.boxes[:, 2:] > canvas.boxes[:, :2]).all()


@pytest.mark.parametrize("seed", range(8))
def test_spoiling_moves_nothing(seed: int) -> None:
    """A spoiled picture keeps its shape and its 8 bits."""
    spoiled = appearance.spoil(np.random.default_rng(seed), square().pixels)
    assert spoiled.shape == (200, 200, 3)
    assert spoiled.dtype == np.uint8
