"""What is remembered of people at a line, and how they moved over a few sights."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.analytics import line_memory as memory


def sights(ds: list[float], step_s: float = 0.1) -> NDArray[np.float64]:
    """(1, N, 3) sights of one person."""
    return np.array([[(i * step_s, d, 0.5 + 0.01 * i) for i, d in enumerate(ds)]])


def test_a_straight_walk_is_fitted_exactly() -> None:
    """Pace, place and drift of sights on a straight line come back unharmed."""
    fit = memory.fit_line(sights([0.1 + 0.08 * i for i in range(10)]), 0, 0, 10, 0.02)
    assert fit.pace == pytest.approx(0.8)
    assert memory.fitted(fit, 0.0) == pytest.approx(0.1)
    assert memory.fitted_along(fit, 1.0) == pytest.approx(0.6)


def test_the_error_of_the_pace_is_what_jitter_makes_of_it() -> None:
    """Over many draws of jitter, paces spread as much as one standard error says."""
    rng = np.random.default_rng(1)
    paces = [memory.fit_line(sights(rng.normal(0, 0.03, 8).tolist()), 0, 0, 8, 0.03).pace for _ in range(2000)]
    said = memory.fit_line(sights([0.0] * 8), 0, 0, 8, 0.03).pace_error
    assert np.std(paces) == pytest.approx(said, rel=0.06)


def test_one_moment_has_no_pace() -> None:
    """Two sights at the same time: pace zero, and no certainty about it."""
    fit = memory.fit_line(np.array([[(1.0, 0.2, 0.5), (1.0, 0.4, 0.5)]]), 0, 0, 2, 0.02)
    assert (fit.pace, fit.pace_error) == (0.0, math.inf)


@pytest.mark.parametrize("deviation", [0.01, 0.04, 0.08])
def test_jitter_is_measured_while_walking(deviation: float) -> None:
    """The deviation of a foot on a steady walk, within a fifth, after a hundred sights."""
    rng = np.random.default_rng(2)
    state = memory.new_passages(1)
    state.persons[0, memory.P_SQUARE], state.persons[0, memory.P_WEIGHT] = memory.DEVIATION_START**2, memory.WEIGHT_START
    for i, off in enumerate(rng.normal(0, deviation, 100)):
        t_s, d = 0.1 * i, 0.1 * i + float(off)
        memory.take_jitter(state.persons, state.late, 0, t_s, d)
        kept = memory.drop_old(state.late, 0, int(state.persons[0, memory.P_LATE]), t_s, 1.0)
        state.persons[0, memory.P_LATE] = memory.add_sight(state.late, 0, kept, t_s, d, 0.5)
    assert memory.deviation(state.persons, 0) == pytest.approx(deviation, rel=0.2)


def test_thinning_keeps_the_ends() -> None:
    """One sight too many: every second one goes, the first and the last stay."""
    state, count = memory.new_passages(1), 0
    for i in range(memory.SIGHTS_MAX + 1):
        count = memory.add_sight(state.early, 0, count, float(i), float(i), 0.5)
    kept = state.early[0, :count, memory.T].tolist()
    assert kept[0] == 0.0
    assert kept[-1] == memory.SIGHTS_MAX
    assert kept == sorted(kept)
    assert len(kept) <= memory.SIGHTS_MAX // 2 + 2


def test_old_sights_go_but_for_the_last_three() -> None:
    """Seen every 0.7 s, the last second holds one sight; three of two seconds are kept."""
    state, count = memory.new_passages(1), 0
    for i in range(5):
        count = memory.drop_old(state.late, 0, count, 0.7 * i, 1.0)
        count = memory.add_sight(state.late, 0, count, 0.7 * i, 0.0, 0.5)
    assert state.late[0, :count, memory.T].tolist() == pytest.approx([1.4, 2.1, 2.8])


def habits_of(frames: int, frame_s: float, *, every_second_missed: bool) -> NDArray[np.float64]:
    habits = np.array(memory.HABITS_START)
    for i in range(frames):
        memory.tick(habits, frame_s * i)
        memory.sighted(habits, 2.0 if every_second_missed and i % 2 else 1.0)
    return habits


def test_being_unseen_for_long_is_unlikely() -> None:
    """Where three in ten boxes are missed, one frame unseen is likely and ten are not; a way of no length always is."""
    habits = habits_of(200, 0.2, every_second_missed=True)
    assert memory.unseen(habits, 0.2, 0.1)
    assert not memory.unseen(habits, 2.0, 0.1)
    assert memory.unseen(habits, -1.0, 0.1)


def test_before_two_frames_nothing_is_likely() -> None:
    """Without a frame rate nobody can say how often a person should have been seen."""
    assert not memory.unseen(habits_of(1, 0.2, every_second_missed=False), 0.1, 0.1)
