"""One picture of people in a room."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware.vision.shop.body import walking
from firmware.vision.shop.camera import look_down
from firmware.vision.shop.drawing import Drawn, Light, draw
from firmware.vision.shop.look import random_looks
from firmware.vision.shop.room import demo_room, draw_backdrop, grain_table

CAMERA = look_down(160, 120, 2.8, math.radians(30))
ROOM, GRAIN = demo_room(1), grain_table(1, 9973)
BACKDROP = draw_backdrop(ROOM, CAMERA, GRAIN, oversample=1)


def picture(*places: tuple[float, float], light: Light | None = None, start: int = 0) -> Drawn:
    count = len(places)
    poses = walking(np.array(places, dtype=float).reshape(-1, 2), np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count))
    return draw(
        BACKDROP,
        ROOM,
        CAMERA,
        (random_looks(np.random.default_rng(1), count, children=0.0), poses),
        light or Light(noise=0.0),
        GRAIN,
        start,
    )


def test_the_same_arguments_give_the_same_bytes_and_leave_the_backdrop_alone() -> None:
    """Drawing is a function: nothing of one picture stays in the next."""
    before = BACKDROP.canvas.copy()
    first = picture((0.0, 4.0))
    picture((1.0, 5.0), (2.0, 5.0))
    np.testing.assert_array_equal(picture((0.0, 4.0)).pixels, first.pixels)
    np.testing.assert_array_equal(BACKDROP.canvas, before)


def test_somebody_in_the_open_is_seen_whole() -> None:
    """Nobody and nothing before them: visible share 1, and the picture changes inside the box only (and in the shadow's)."""
    found = picture((0.5, 4.5))
    assert found.visible[0] == pytest.approx(1.0)
    changed = (found.pixels != picture().pixels).any(axis=2)
    x0, y0, x1, y1 = found.boxes[0]
    assert changed[int(y0) : int(y1), int(x0) : int(x1)].mean() > 0.3
    assert not changed[: int(y0) - 2].any()


def test_who_stands_behind_is_seen_in_part() -> None:
    """Straight behind another, less than half is seen; the one in front is whole."""
    found = picture((0.5, 3.4), (0.75, 4.5))
    assert found.visible[0] == pytest.approx(1.0)
    assert found.visible[1] < 0.5


def test_who_stands_outside_is_not_seen() -> None:
    """Beside the picture, and behind the wall: visible share 0."""
    found = picture((9.0, 4.0), (3.0, 8.5))
    assert found.visible.tolist() == [0.0, 0.0]


def test_who_is_cut_by_the_border_is_seen_in_part() -> None:
    """A body of which half is outside counts half."""
    x = float(CAMERA.width / 2 / CAMERA.focal_px * (4.0 * math.cos(math.radians(30)) + 2.8 / 2))
    assert 0.2 < picture((x, 4.0)).visible[0] < 0.8


def test_exposure_and_colour_of_the_light() -> None:
    """Twice the gain is a brighter picture, warm light a redder one, noise a rougher one that differs by `start`."""
    plain = picture().pixels.astype(float)
    assert picture(light=Light(gain=(1.4, 1.4, 1.4), noise=0.0)).pixels.mean() > 1.2 * plain.mean()
    warm = picture(light=Light(gain=(1.2, 1.0, 0.8), noise=0.0)).pixels.astype(float)
    assert warm[..., 0].mean() / warm[..., 2].mean() > 1.3 * plain[..., 0].mean() / plain[..., 2].mean()
    noisy = picture(light=Light(noise=4.0)).pixels.astype(float)
    assert 2.5 < (noisy - plain).std() < 6.0
    assert (picture(light=Light(noise=4.0), start=100).pixels != noisy).any()


def test_an_empty_room_has_nobody() -> None:
    """No people, no boxes, of the right shapes."""
    found = picture()
    assert found.boxes.shape == found.extents.shape == (0, 4)
    assert found.visible.shape == (0,)
