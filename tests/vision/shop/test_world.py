"""Who walks where."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.vision.shop import plan
from firmware.vision.shop.path import STEP_S, Path
from firmware.vision.shop.world import BODY_M, World, live


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [live(seed, people=20, minutes=10.0) for seed in (1, 2, 3)]


def test_one_seed_is_one_world(worlds: list[World]) -> None:
    """The same seed lives the same run to the last bit, another one another."""
    again = live(1, people=20, minutes=10.0)
    for path, other in zip(again.paths, worlds[0].paths, strict=True):
        np.testing.assert_array_equal(path.x_m, other.x_m)
        np.testing.assert_array_equal(path.heading, other.heading)
    assert again.paths[0].start_s != worlds[1].paths[0].start_s


def test_as_many_come_as_were_asked_for(worlds: list[World]) -> None:
    """Twenty shoppers, single or in pairs, besides those who only look in or pass by."""
    for world in worlds:
        shoppers = [path for path in world.paths if path.part in {"shopper", "pair"}]
        assert len(shoppers) == 20
        assert {path.part for path in world.paths} >= {"shopper", "peeker", "passer"}
    assert any(path.part == "pair" for world in worlds for path in world.paths)


def test_nobody_is_quicker_than_a_person(worlds: list[World]) -> None:
    """Walking pace: never over 2.2 m/s, and nobody jumps."""
    for world in worlds:
        for path in world.paths:
            assert np.hypot(np.diff(path.x_m), np.diff(path.y_m)).max() / STEP_S < 2.2


def test_nobody_walks_through_anybody(worlds: list[World]) -> None:
    """Two people's middles keep apart but for a brush in passing, though paths are smoothed."""
    for world in worlds:
        touching = 0
        for t_s in np.arange(0.0, world.duration_s, 0.2):
            here = np.array([path.at(float(t_s))[:2] for path in world.paths if path.start_s <= t_s < path.end_s]).reshape(-1, 2)
            for index in range(len(here)):
                touching += int((np.hypot(*(here[:index] - here[index]).T) < 0.7 * BODY_M).sum())
        assert touching <= 2


def test_everybody_leaves_and_the_run_ends_after_them(worlds: list[World]) -> None:
    """All have gone by the end, to where no camera sees them."""
    for world in worlds:
        assert max(path.end_s for path in world.paths) <= world.duration_s
        for path in world.paths:
            assert abs(path.x_m[-1]) > plan.CORRIDOR_END_X - 1.5
            assert path.y_m[-1] > 7.2


def test_people_wait_are_served_and_some_give_up(worlds: list[World]) -> None:
    """Over three runs people are served in the order in which they came, some after a wait behind others, and some give up."""
    assert sum(len(world.served) for world in worlds) > 10
    assert sum(len(world.abandoned) for world in worlds) > 0
    for world in worlds:
        joined = [begin for _, begin, _ in world.served]
        assert joined == sorted(joined)
        assert all(end - begin >= 11.0 for _, begin, end in world.served)


def test_rates_sample_one_world(worlds: list[World]) -> None:
    """Between two samples of a path lies the straight line, so that 5, 10 and 30 a second see the same walk."""
    path = worlds[0].paths[0]
    t_s = path.start_s + 5 * STEP_S
    before, middle, after = (np.array(path.at(t)) for t in (t_s, t_s + STEP_S / 2, t_s + STEP_S))
    np.testing.assert_allclose(middle[:2], (before[:2] + after[:2]) / 2, atol=1e-9)


def test_times_outside_a_path_are_its_ends() -> None:
    """Asked for a time before or after, a path gives its first or last place."""
    ramp = np.arange(3.0)
    path = Path("passer", 10.0, ramp, ramp, ramp * 0, ramp, ramp, ramp)
    assert path.at(0.0)[0] == 0.0
    assert path.at(99.0)[0] == 2.0


def test_an_empty_shop_is_a_world_too() -> None:
    """Nobody comes: no paths, and the run lasts its minutes."""
    world = live(1, people=0, minutes=0.5)
    assert world.paths == ()
    assert world.duration_s == pytest.approx(30.0)
