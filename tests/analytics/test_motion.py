"""How somebody moved over a few sights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware.analytics.motion import Jitter, Odds, Sight, fit_line, thin


def sights(ds: list[float], step_s: float = 0.1) -> list[Sight]:
    return [Sight(i * step_s, d, 0.5 + 0.01 * i) for i, d in enumerate(ds)]


def test_a_straight_walk_is_fitted_exactly() -> None:
    """Pace, place and drift of sights on a straight line come back unharmed."""
    fit = fit_line(sights([0.1 + 0.08 * i for i in range(10)]), 0.02)
    assert fit.pace == pytest.approx(0.8)
    assert fit.at(0.0) == pytest.approx(0.1)
    assert fit.along_at(1.0) == pytest.approx(0.6)


def test_the_error_of_the_pace_is_what_jitter_makes_of_it() -> None:
    """Over many draws of jitter, paces spread as much as one standard error says."""
    rng = np.random.default_rng(1)
    paces = [fit_line(sights(rng.normal(0, 0.03, 8).tolist()), 0.03).pace for _ in range(2000)]
    said = fit_line(sights([0.0] * 8), 0.03).pace_error
    assert np.std(paces) == pytest.approx(said, rel=0.06)


def test_one_moment_has_no_pace() -> None:
    """Two sights at the same time: pace zero, and no certainty about it."""
    fit = fit_line([Sight(1.0, 0.2, 0.5), Sight(1.0, 0.4, 0.5)], 0.02)
    assert (fit.pace, fit.pace_error) == (0.0, math.inf)


@pytest.mark.parametrize("deviation", [0.01, 0.04, 0.08])
def test_jitter_is_measured_while_walking(deviation: float) -> None:
    """The deviation of a foot on a steady walk, within a fifth, after a hundred sights."""
    rng = np.random.default_rng(2)
    jitter, kept = Jitter(), []
    for i, off in enumerate(rng.normal(0, deviation, 100)):
        sight = Sight(0.1 * i, 0.1 * i + float(off), 0.5)
        jitter.take(kept, sight)
        kept = [*kept, sight][-2:]
    assert jitter.deviation == pytest.approx(deviation, rel=0.2)


def test_thinning_keeps_the_ends() -> None:
    """Too many sights are halved; the first and the last stay."""
    many = sights([float(i) for i in range(49)])
    few = thin(many, 48)
    assert few[0] == many[0]
    assert few[-1] == many[-1]
    assert len(few) <= 26
    assert thin(few, 48) is few


def test_being_unseen_for_long_is_unlikely() -> None:
    """Where three in ten boxes are missed, one frame unseen is likely and ten are not; a way of no length always is."""
    odds = Odds()
    for i in range(200):
        odds.tick(0.2 * i)
        odds.sighted(2 if i % 2 else 1)
    assert odds.unseen(0.2, 0.1)
    assert not odds.unseen(2.0, 0.1)
    assert odds.unseen(-1.0, 0.1)


def test_before_two_frames_nothing_is_likely() -> None:
    """Without a frame rate nobody can say how often a person should have been seen."""
    odds = Odds()
    odds.tick(0.0)
    assert not odds.unseen(0.1, 0.1)
