"""A camera that moves is found out from the boxes; people who walk are not a camera that moves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.vision.kalman import STRIDE
from firmware.vision.sway import TRACKS_MIN, steady
from firmware.vision.track_store import AHEAD, BOX, FILTER, HIGH, KIND, LAST, MISSES, Rules, Space, new_space

JITTER = 0.005


def crowd(count: int, moves: NDArray[np.float64], seed: int = 3) -> Space:
    """`count` tracks anywhere, and a detection of each, moved by `moves` (count, 2) and jittered."""
    rng, space = np.random.default_rng(seed), new_space(128)
    places = np.column_stack((rng.uniform(0, 1.7, count), rng.uniform(0.2, 0.8, count)))
    for start in (AHEAD, LAST):
        space.tracks[:count, start : start + 2], space.tracks[:count, start + 2 : start + 4] = places, (0.08, 0.2)
    space.tracks[:count, FILTER], space.tracks[:count, FILTER + STRIDE] = places[:, 0], places[:, 1]
    space.sight[:count, BOX : BOX + 2] = places + moves + rng.normal(0, JITTER, (count, 2))
    space.sight[:count, BOX + 2 : BOX + 4] = (0.08, 0.2)
    space.links[:count, KIND] = HIGH
    return space


def shift(space: Space, count: int) -> NDArray[np.float64]:
    before = space.tracks[:count, AHEAD : AHEAD + 2].copy()
    steady(space.tracks, count, space.sight, space.links, count, space.votes, Rules())
    moved = space.tracks[:count, AHEAD : AHEAD + 2] - before
    assert np.ptp(moved, axis=0) == pytest.approx(0, abs=1e-12)
    return moved[0]


@pytest.mark.parametrize("sway", [(0.02, 0.0), (0.0, -0.05), (0.15, 0.1), (-0.28, 0.03)])
def test_a_shift_of_the_whole_picture_moves_every_track(sway: tuple[float, float]) -> None:
    """From a tremble of a tenth of a box to a jerk of more than a whole one, within the jitter of the boxes."""
    assert shift(crowd(20, np.tile(sway, (20, 1))), 20) == pytest.approx(sway, abs=2 * JITTER)


def test_a_camera_that_hangs_still_moves_nothing() -> None:
    """Jitter alone shifts no track by more than a fraction of it."""
    shifts = np.array([shift(crowd(20, np.zeros((20, 2)), seed), 20) for seed in range(20)])
    assert np.median(np.abs(shifts)) == 0.0
    assert np.abs(shifts).max() < JITTER


def test_people_who_walk_all_ways_move_nothing() -> None:
    """Everybody steps somewhere else: no common shift."""
    moves = np.random.default_rng(1).normal(0, 0.03, (20, 2))
    assert np.abs(shift(crowd(20, moves), 20)).max() < 0.02


def test_few_tracks_decide_nothing() -> None:
    """Four people who set off together are people."""
    count = TRACKS_MIN - 1
    assert shift(crowd(count, np.tile((0.05, 0.0), (count, 1))), count).tolist() == [0.0, 0.0]


def test_tracks_out_of_sight_move_along() -> None:
    """Filter, last observation and prediction of a hidden track shift with the picture."""
    space = crowd(12, np.tile((0.1, 0.0), (12, 1)))
    space.tracks[11, MISSES], space.sight[11, BOX] = 5.0, 50.0
    before = space.tracks[11].copy()
    moved = shift(space, 12)
    assert moved[0] == pytest.approx(0.1, abs=2 * JITTER)
    for column in (AHEAD, LAST, FILTER):
        assert space.tracks[11, column] - before[column] == pytest.approx(moved[0])
    assert space.tracks[11, FILTER + STRIDE] - before[FILTER + STRIDE] == pytest.approx(moved[1])
