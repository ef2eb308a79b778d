"""Who will come."""

from __future__ import annotations

import random
from collections import Counter

from firmware.vision.shop import plan
from firmware.vision.shop.visitors import SETTLED_S, arrivals


def test_the_last_to_come_is_first_in_the_list() -> None:
    """Arrivals are taken from the end, in order of time, with indices in that order."""
    found = arrivals(random.Random(1), people=20, seconds=600.0)
    times = [walker.start_s for walker in found]
    assert times == sorted(times, reverse=True)
    assert [walker.index for walker in found] == list(range(len(found)))[::-1]


def test_everybody_comes_from_outside_and_leaves() -> None:
    """The first place and the last goal of everybody are at the corridor's ends."""
    for walker in arrivals(random.Random(2), people=40, seconds=600.0):
        assert abs(walker.x) > plan.CORRIDOR_END_X - 1
        assert abs(walker.goals[-1].x) > plan.CORRIDOR_END_X - 1


def test_who_comes_in_has_something_to_do() -> None:
    """Every shopper looks, takes or pays, long enough that the way in and the way out are two crossings."""
    for walker in arrivals(random.Random(3), people=200, seconds=6000.0):
        if walker.part in {"shopper", "pair"}:
            doings = [goal for goal in walker.goals if goal.kind != "go"]
            assert doings
            if walker.part == "pair":
                assert doings[0].seconds >= SETTLED_S


def test_pairs_come_two_by_two() -> None:
    """Two of a pair start together, side by side, with the same plans beside each other."""
    pairs = [walker for walker in arrivals(random.Random(4), people=60, seconds=600.0) if walker.part == "pair"]
    assert len(pairs) >= 4
    by_time = Counter(walker.start_s for walker in pairs)
    assert set(by_time.values()) == {2}
    assert {walker.side_m for walker in pairs} == {-0.36, 0.36}


def test_nobody_is_asked_for_nobody_comes() -> None:
    """No people: no peekers and no passers-by either."""
    assert arrivals(random.Random(5), people=0, seconds=600.0) == []
