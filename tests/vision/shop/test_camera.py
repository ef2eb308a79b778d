"""The simulated camera."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware.vision.shop.camera import axes_of, look_down


def test_what_lies_on_the_axis_is_seen_in_the_middle() -> None:
    """A camera 3 m high, tilted 45 degrees, looks at the floor 3 m away."""
    camera = look_down(640, 480, 3.0, math.radians(45))
    assert camera.project(np.array([0.0, 3.0, 0.0])) == pytest.approx([320, 240, math.sqrt(18)])


def test_right_is_right_and_up_is_up() -> None:
    """Farther right is a larger column, higher is a smaller row, farther away is smaller."""
    camera = look_down(640, 480, 2.8, math.radians(30))
    middle, right, high, far = camera.project(np.array([[0.0, 5, 0], [1, 5, 0], [0, 5, 1.7], [0, 8, 0]]))
    assert right[0] > middle[0]
    assert high[1] < middle[1]
    assert far[1] < middle[1]
    assert far[2] > middle[2]


def test_axes_stay_at_right_angles() -> None:
    """Whatever the three turns, the axes are orthonormal and right-handed (right x down = forward)."""
    axes = axes_of(0.7, 0.4, -0.2)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-12)


def test_every_size_sees_at_least_the_same_scene() -> None:
    """A wide picture and a square one show what the usual one shows."""
    for size in ((640, 480), (1280, 720), (320, 320), (160, 120)):
        camera = look_down(*size, 2.8, math.radians(30))
        for x, y in ((-3.0, 3.9), (3.0, 3.9), (0.0, 2.3), (-3.85, 6.45)):
            across, down = camera.floor_share(x, y)
            assert -0.01 <= across <= 1.01
            assert 0.0 <= down <= 1.0
