"""Steps become a smooth way with heading and gait."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware.vision.shop.path import STEP_S, STRIDE_M, path_of

Step = tuple[float, float, float, float, bool]


def straight(seconds: float, speed: float) -> list[Step]:
    return [(speed * number * STEP_S, 0.0, speed * number * STEP_S, 0.0, False) for number in range(int(seconds / STEP_S) + 1)]


def test_a_walker_looks_where_they_go() -> None:
    """Along x the heading is a quarter turn clockwise from y, with a small sway."""
    path = path_of("passer", 0, 0.0, straight(4.0, 1.2))
    assert path.at(2.0)[2] == pytest.approx(math.pi / 2, abs=0.06)


def test_gait_goes_with_the_distance() -> None:
    """One full turn of the phase for two steps' length, however fast; a brisk walker takes full strides."""
    for speed in (0.6, 1.2):
        path = path_of("passer", 0, 0.0, straight(6.0, speed))
        walked = path.at(5.0)[0] - path.at(2.0)[0]
        assert path.at(5.0)[3] - path.at(2.0)[3] == pytest.approx(walked / STRIDE_M * 2 * math.pi, rel=0.02)
        assert path.at(3.0)[4] == pytest.approx(speed / 1.2, abs=0.02)


def test_somebody_who_stands_looks_at_what_they_look_at() -> None:
    """Standing, the heading is towards the thing looked at, and the gait rests."""
    steps: list[Step] = [(0.0, 0.0, -3.0, 0.0, True)] * 120
    path = path_of("shopper", 1, 0.0, steps)
    assert path.at(3.0)[2] == pytest.approx(-math.pi / 2, abs=0.06)
    assert path.at(3.0)[4] == 0.0
    assert path.at(3.0)[5] == pytest.approx(1.0)


def test_a_corner_is_rounded() -> None:
    """A right angle is walked as a curve, near to it, without a jump in heading."""
    steps = [*straight(2.0, 1.0), *((2.0, number * STEP_S, 2.0, number * STEP_S, False) for number in range(1, 60))]
    path = path_of("shopper", 0, 0.0, steps)
    assert np.abs(np.diff(path.heading)).max() < 0.3
    gap = np.hypot(path.x_m - 2.0, path.y_m).min()
    assert 0.0 < gap < 0.2


def test_one_step_is_a_way() -> None:
    """Somebody who was there for a moment has a path that can be asked."""
    path = path_of("passer", 0, 5.0, [(1.0, 2.0, 1.0, 2.0, False)])
    assert path.at(5.0)[:2] == (1.0, 2.0)
