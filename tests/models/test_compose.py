"""Augmentation: boxes follow their people, and chance is in the seed alone."""

from __future__ import annotations

import dataclasses

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


def outlined() -> Picture:
    """The white square with its outline, to be cut out."""
    plain = square()
    return dataclasses.replace(plain, mask=plain.pixels[:, :, 0], cutouts=plain.boxes)


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.7])
def test_cut_out_person_is_labelled_where_seen(angle: float) -> None:
    """However a cut-out leans, its box is the bounds of what it covers, and nothing around it changes."""
    pixels = np.full((160, 160, 3), 30, np.uint8)
    how = (np.array([80, 60, 120, 140], np.float32), np.array([90.0, 70.0]), (20.0, 40.0), angle, False)
    place = compose.set_in(pixels, np.zeros((0, 4), np.float32), outlined(), how)
    seen = np.argwhere(pixels[:, :, 0] > 80)
    top, left = seen.min(axis=0)
    bottom, right = seen.max(axis=0) + 1
    assert place == pytest.approx([left, top, right, bottom], abs=1.01)
    assert place is not None
    assert (place[2] - place[0]) * np.cos(angle) >= 18


def test_cut_out_finds_no_room_where_somebody_stands() -> None:
    """A person is not set before another one."""
    pixels = np.full((160, 160, 3), 30, np.uint8)
    how = (np.array([80, 60, 120, 140], np.float32), np.array([90.0, 70.0]), (20.0, 40.0), 0.0, True)
    assert compose.set_in(pixels, np.array([[75, 45, 105, 95]], np.float32), outlined(), how) is None
    assert (pixels == 30).all()


def test_slab_before_the_legs_shortens_the_box() -> None:
    """Who stands behind a slab is seen down to its upper edge; who is hidden is left out; who stands beside it is untouched."""
    boxes = np.array([[10, 10, 30, 60], [12, 42, 28, 58], [80, 10, 90, 60]], np.float32)
    kept, lost = compose.behind(boxes, np.array([5, 40, 40, 65], np.float32))
    assert kept.tolist() == [[10, 10, 30, 40], [80, 10, 90, 60]]
    assert lost.tolist() == [[12, 42, 28, 58]]


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

    first, second = (compose.compose(np.random.default_rng(4), draw, None, 128) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.boxes, second.boxes)
    assert first.pixels.shape == (128, 128, 3)


@pytest.mark.parametrize("seed", range(8))
def test_boxes_stay_inside(seed: int) -> None:
    """No box leaves the canvas, whatever is composed or pasted."""
    given = synthetic.blobs(9, 2)
    canvas = compose.compose(np.random.default_rng(seed), lambda rng: given[int(rng.integers(len(given)))], lambda _: outlined(), 160)
    assert (canvas.boxes >= 0).all()
    assert (canvas.boxes <= 160).all()
    assert (canvas.boxes[:, 2:] > canvas.boxes[:, :2]).all()


@pytest.mark.parametrize("seed", range(8))
def test_spoiling_moves_nothing(seed: int) -> None:
    """A spoiled picture keeps its shape and its 8 bits."""
    spoiled = appearance.spoil(np.random.default_rng(seed), square().pixels)
    assert spoiled.shape == (200, 200, 3)
    assert spoiled.dtype == np.uint8
