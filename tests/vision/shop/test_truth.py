"""What really happened, against worlds drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.vision.shop import plan
from firmware.vision.shop.path import STEP_S, Path
from firmware.vision.shop.truth import SETTLE_S, truth_of
from firmware.vision.shop.world import World, live


def walk(*places: tuple[float, float, float], start_s: float = 0.0) -> Path:
    """A path through (time, x, y), straight between."""
    times, xs, ys = (np.array(column) for column in zip(*places, strict=True))
    grid = np.arange(0.0, times[-1] + STEP_S / 2, STEP_S)
    x, y = np.interp(grid, times, xs), np.interp(grid, times, ys)
    return Path("shopper", start_s, x, y, x * 0, x * 0, x * 0, x * 0)


def world_of(*paths: Path) -> World:
    return World(paths, (), (), max(path.end_s for path in paths) + 1)


LINE_Y = plan.LINE[0][1]
DOOR_X = -2.0


def test_a_walk_through_the_door_is_one_crossing_at_its_time() -> None:
    """In at 3.5 s: the moment at which the foot point passes the line."""
    truth = truth_of(world_of(walk((0, DOOR_X, LINE_Y + 3.5), (7, DOOR_X, LINE_Y - 3.5))), 100.0)
    assert [(c.direction, round(c.t_s, 3)) for c in truth.crossings] == [("in", 3.5)]
    assert (truth.count("in"), truth.count("out"), truth.inside) == (1, 0, 1)


def test_the_lines_extension_does_not_count() -> None:
    """Passing the line's height beside the door is no crossing."""
    truth = truth_of(world_of(walk((0, 2.0, LINE_Y + 2), (4, 2.0, LINE_Y - 2))), 100.0)
    assert truth.crossings == ()


def test_a_peek_is_two_crossings_and_settles_to_nothing() -> None:
    """Over the line and back within the settling time."""
    peek = walk((0, DOOR_X, LINE_Y + 1), (1, DOOR_X, LINE_Y - 0.3), (2, DOOR_X, LINE_Y + 1))
    truth = truth_of(world_of(peek), 100.0)
    assert len(truth.crossings) == 2
    assert truth.settled == ()


def test_a_stay_longer_than_settling_is_an_in_and_an_out() -> None:
    """Two settled crossings, one each way."""
    stay = walk(
        (0, DOOR_X, LINE_Y + 1), (1, DOOR_X, LINE_Y - 1), (1 + SETTLE_S + 2, DOOR_X, LINE_Y - 1), (4 + SETTLE_S, DOOR_X, LINE_Y + 1)
    )
    truth = truth_of(world_of(stay), 100.0)
    assert [c.direction for c in truth.settled] == ["in", "out"]


def test_a_visit_has_begin_and_end() -> None:
    """Ten seconds at the display, at the times of entering and leaving its zone."""
    (left, low), (right, _), (_, high), _ = plan.DISPLAY
    x, y = (left + right) / 2, (low + high) / 2
    truth = truth_of(world_of(walk((0, right + 1, y), (1, right - 0.1, y), (9, x, y), (11, right + 1, y))), 100.0)
    (visit,) = truth.of("display")
    assert visit.begin_s == pytest.approx(1 / 1.1, abs=0.06)
    assert visit.end_s == pytest.approx(9 + 2 * (right - x) / (right + 1 - x), abs=0.06)


def test_short_stays_are_none_and_short_gaps_are_closed() -> None:
    """0.3 s in the zone is no visit; 0.6 s outside between two stays does not split one."""
    (_, low), (right, _), (_, high), _ = plan.DISPLAY
    y, inside, outside = (low + high) / 2, right - 0.01, right + 0.01
    brush = walk((0, outside, y), (1, outside, y), (1.01, inside, y), (1.3, inside, y), (1.31, outside, y), (3, outside, y))
    assert truth_of(world_of(brush), 100.0).visits == ()
    split = walk(
        (0, inside, y),
        (2, inside, y),
        (2.01, outside, y),
        (2.6, outside, y),
        (2.61, inside, y),
        (5, inside, y),
        (5.01, outside, y),
        (9, outside, y),
    )
    (visit,) = truth_of(world_of(split), 100.0).visits
    assert visit.end_s - visit.begin_s == pytest.approx(5.0, abs=0.1)


def test_what_has_not_ended_is_not_told() -> None:
    """Asked in the middle of a visit, the truth knows of the crossing before and of no visit."""
    world = live(1, people=20, minutes=10.0)
    first = truth_of(world, world.duration_s).of("display")[0]
    middle = truth_of(world, (first.begin_s + first.end_s) / 2)
    assert first not in middle.visits
    assert middle.count("in") >= 1


@pytest.mark.parametrize(("seed", "people"), [(1, 20), (2, 20), (11, 20), (1, 60), (5, 60), (2, 100), (5, 100)])
def test_a_whole_run_adds_up(seed: int, people: int) -> None:
    """Everybody who came in went out, even of a crowd; nobody is left inside; queue outcomes are those of the till's own book."""
    world = live(seed, people=people, minutes=10.0)
    truth = truth_of(world, world.duration_s)
    assert truth.count("in") == truth.count("out") == pytest.approx(people, abs=people // 50)  # in a crush somebody peeks for long
    assert truth.inside == 0
    assert world.duration_s < 660
    outcomes = [visit.outcome for visit in truth.of("till")]
    assert outcomes.count("served") == len(world.served)
    assert outcomes.count("abandoned") == len(world.abandoned)
