"""What the relinker remembers of people, of places and of the camera's habits."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.analytics import relink_memory as memory
from firmware.analytics.relink_memory import Rules


def test_the_filter_finds_the_pace_of_a_steady_walk() -> None:
    """After two seconds at 0.2 heights of the frame a second the speed is known to a twentieth, and its variance fell."""
    known = np.zeros((1, memory.KNOWN_COLUMNS))
    memory.begin(known, 0, 0.1, 0.5, 0.3, 0.0, Rules())
    doubt = known[0, memory.K_V]
    for i in range(1, 21):
        memory.observe(known, 0, 0.1 + 0.02 * i, 0.5, 0.3, 0.1 * i, Rules())
    assert known[0, memory.K_SPEED_X] == pytest.approx(0.2, rel=0.05)
    assert known[0, memory.K_V] < doubt / 3


def test_nobody_can_be_placed_after_long() -> None:
    """The variance of where somebody is seen grows with the time unseen."""
    known = np.zeros((1, memory.KNOWN_COLUMNS))
    memory.begin(known, 0, 0.1, 0.5, 0.3, 0.0, Rules())
    spreads = [memory.spread(known, 0, dt, Rules().acceleration, Rules().jitter) for dt in (0.0, 0.1, 1.0, 4.0)]
    assert spreads == sorted(spreads)
    assert spreads[3] > 100 * spreads[0]


def test_missed_frames_are_told_from_long_absences() -> None:
    """Two frames until the next sight are one miss in two looks; a minute is neither."""
    habits = np.array(memory.HABITS_START)
    habits[memory.FRAME_S] = 0.1
    looks, misses = habits[memory.LOOKS], habits[memory.MISSES]
    memory.note_sight(habits, 0.2, 1, 1.5)
    assert (habits[memory.LOOKS] - looks, habits[memory.MISSES] - misses) == pytest.approx((2.0, 1.0))
    memory.note_sight(habits, 60.0, 1, 1.5)
    assert habits[memory.LOOKS] - looks == pytest.approx(2.0)


def test_places_fade_with_the_hours() -> None:
    """After an hour of watching, what was learned about places counts half."""
    places, habits = np.ones((memory.LAYERS, memory.CELLS_Y, memory.CELLS_X)), np.array(memory.HABITS_START)
    for i in range(7300):
        memory.note_time(places, habits, 0.5 * i)
    assert places.max() == places.min() == 0.5


def test_out_of_view_belongs_to_the_border() -> None:
    """A foot below the picture is in the last row of cells."""
    assert memory.cell(-0.5, 1.7) == (memory.CELLS_Y - 1, 0)


def test_the_one_lost_longest_makes_room() -> None:
    """Of three, two of them out of view, the one unseen for longer goes, and the others keep their order."""
    room = memory.new_memory(3, 3)
    room.counters[memory.LIVE] = 3
    room.known[:, memory.K_ID] = (7, 8, 9)
    room.known[:, memory.K_LAST_S] = (1.0, 0.5, 0.1)
    room.known[:, memory.K_ROW] = (-1, -1, 0)
    memory.forget_longest_lost(room)
    assert room.gone[0] == 8
    assert room.known[:2, memory.K_ID].tolist() == [7, 9]


def test_a_turn_is_noticed_once() -> None:
    """A second to the right, a second to the left: one turn, noticed when they walk back; standing still is none."""
    known = np.zeros((1, memory.KNOWN_COLUMNS))
    memory.begin(known, 0, 0.1, 0.5, 0.3, 0.0, Rules())
    turns = []
    for i in range(1, 31):
        x = 0.1 + 0.03 * (min(i, 10) - max(min(i, 20) - 10, 0))
        memory.observe(known, 0, x, 0.5, 0.3, 0.1 * i, Rules())
        turns.append(memory.turned_round(known, 0, Rules().walk))
    assert sum(turns) == 1
    assert 10 < turns.index(True) < 20


@pytest.mark.parametrize(("worth", "chance"), [(0.0, 0.5), (-20.0, 1.0), (20.0, 0.0), (2.2, 0.25)])
def test_odds_are_a_chance(worth: float, chance: float) -> None:
    """Even odds are a half, odds of three to one a quarter against."""
    assert memory.chance_against(worth) == pytest.approx(chance, abs=0.02)


def test_who_stood_is_remembered_for_longer_than_who_walked() -> None:
    """Ten seconds after the last sight, who stood in mid-view may be found again; who walked, or was seen once, may not."""
    room = memory.new_memory(3, 3)
    for p, step in enumerate((0.0, 0.03)):
        memory.begin(room.known, p, 0.5, 0.5, 0.3, 0.0, Rules())
        for i in range(1, 31):
            memory.observe(room.known, p, 0.5 + step * i, 0.5, 0.3, 0.1 * i, Rules())
            memory.note_place(room.places, memory.STAYS, *memory.way(room.known, p, 1.8, 0.3), 1.0)
    memory.begin(room.known, 2, 0.5, 0.5, 0.3, 3.0, Rules())
    assert [memory.is_over(room, p, 10.0, 1.8, Rules()) for p in range(3)] == [False, True, True]
    assert memory.is_over(room, 0, 30.0, 1.8, Rules())
