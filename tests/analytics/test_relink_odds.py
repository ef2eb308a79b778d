"""What tracks are worth as the people known."""

from __future__ import annotations

import math

import pytest

from firmware.analytics import relink_memory as memory
from firmware.analytics import relink_odds as odds
from firmware.analytics.relink_memory import Memory, Rules
from firmware.vision.matching import NONE, Graph, new_graph

ASPECT = 16 / 9


def known_at(*feet: tuple[float, float]) -> Memory:
    """People of a third of the picture's height who stood there at 1.0 s, at ten frames a second, each with a track of their own."""
    room = memory.new_memory(8, 8)
    for p, (x, y) in enumerate(feet):
        memory.begin(room.known, p, x, y, 0.3, 0.0, Rules())
        for i in range(1, 11):
            memory.observe(room.known, p, x, y, 0.3, 0.1 * i, Rules())
        room.known[p, memory.K_ID] = p + 1
    room.counters[memory.LIVE] = len(feet)
    room.habits[memory.FRAME_S] = 0.1
    room.habits[memory.WATCHED_S] = 10.0
    return room


def show(
    room: Memory, t_s: float, *tracks: tuple[int, float, float], height: float = 0.3, age_s: float = 0.0
) -> dict[tuple[int, int], float]:
    """Worth of each pair (person, track) of a frame whose tracks are (owner, x, y), born so long ago."""
    for k, (owner, x, y) in enumerate(tracks):
        row = room.tracks[k]
        row[memory.T_OWNER], row[memory.T_BORN_S] = owner, t_s - age_s
        row[memory.T_X], row[memory.T_Y], row[memory.T_HEIGHT] = x, y, height
        row[memory.T_BIRTH_X], row[memory.T_BIRTH_Y], row[memory.T_BIRTH_HEIGHT] = x, y, height
        room.column[k] = k
    graph: Graph = new_graph(8, 64)
    odds.weigh(room, len(tracks), t_s, ASPECT, graph, Rules())
    return {
        (p, int(graph.column[e])): float(graph.weight[e])
        for p in range(int(room.counters[memory.LIVE]))
        for e in range(int(graph.start[p]), int(graph.start[p + 1]))
    }


def test_ones_own_id_is_worth_more_than_anybody_elses() -> None:
    """Two people a step apart: each own id beats the other's, and both beat nothing."""
    worth = show(known_at((0.5, 0.5), (0.56, 0.5)), 1.1, (0, 0.5, 0.5), (1, 0.56, 0.5))
    assert worth[0, 0] > worth[0, 1] > 0.0
    assert worth[1, 1] > worth[1, 0] > 0.0


def test_far_tracks_are_no_pairs() -> None:
    """Somebody else's track across the room costs no edge."""
    assert set(show(known_at((0.2, 0.5), (1.5, 0.5)), 1.1, (0, 0.2, 0.5), (1, 1.5, 0.5))) == {(0, 0), (1, 1)}


def test_an_id_that_jumped_is_worth_nothing() -> None:
    """Two box heights in a tenth of a second."""
    assert show(known_at((0.2, 0.5)), 1.1, (0, 0.8, 0.5)) == {}


def test_the_longer_unseen_the_less_a_newcomer_is_the_lost_one() -> None:
    """A new track where somebody stood: the odds fall with the time unseen, and after `relink_s_max` there are none."""
    worths = [show(known_at((0.5, 0.5)), 1.0 + gap_s, (NONE, 0.5, 0.5)).get((0, 0), 0.0) for gap_s in (0.1, 0.3, 4.1)]
    assert worths[0] > worths[1] > worths[2] == 0.0


def test_where_people_often_appear_a_newcomer_is_rather_somebody_new() -> None:
    """Forty births at this place: the same track after the same gap is worth less."""
    quiet, busy = known_at((0.5, 0.5)), known_at((0.5, 0.5))
    memory.note_place(busy.places, memory.BIRTHS, *memory.cell(0.5 / ASPECT, 0.5), 40.0)
    assert show(quiet, 1.2, (NONE, 0.5, 0.5))[0, 0] > show(busy, 1.2, (NONE, 0.5, 0.5)).get((0, 0), 0.0)


def test_somebody_half_as_tall_is_somebody_else() -> None:
    """Size counts, wherever they stand: a child where an adult was lost."""
    worth = show(known_at((0.5, 0.5)), 1.7, (NONE, 0.5, 0.5), age_s=0.4)
    assert worth[0, 0] > 0.0
    assert (0, 0) not in show(known_at((0.5, 0.5)), 1.7, (NONE, 0.5, 0.5), height=0.15, age_s=0.4)


def test_the_way_back_is_the_way_they_came() -> None:
    """Somebody who walked to the right and is lost: found again to the left on their way is likelier than as far off it."""
    room = known_at((0.5, 0.5))
    for i in range(1, 11):
        memory.observe(room.known, 0, 0.5 + 0.03 * i, 0.5, 0.3, 1.0 + 0.1 * i, Rules())
        memory.turned_round(room.known, 0, Rules().walk)
    on_the_way = show(room, 2.7, (NONE, 0.68, 0.5), age_s=0.4)[0, 0]
    assert on_the_way > show(room, 2.7, (NONE, 0.8, 0.38), age_s=0.4).get((0, 0), 0.0)


@pytest.mark.parametrize("x", [1e-9, 0.3, 1.0, 1.5, 4096.0])
def test_the_logarithm_is_good_enough_for_odds(x: float) -> None:
    """Never more than a tenth of a bit off, and exact at powers of two."""
    assert odds.log2(x) == pytest.approx(math.log2(x), abs=0.1)
    assert odds.log2(2.0**-7) == -7.0


def test_where_people_leave_somebody_who_walked_on_is_not_there_any_more() -> None:
    """One in two leaves each second on the way this one went: half a second later that costs a quarter of the odds, in the hall nothing."""
    door, hall = known_at((0.5, 0.5)), known_at((0.5, 0.5))
    i, j = memory.way(door.known, 0, ASPECT, Rules().ahead_s)
    memory.note_place(door.places, memory.LEAVES, i, j, 1000.0)
    for room in (door, hall):
        memory.note_place(room.places, memory.STAYS, i, j, 2000.0)
    costs = [odds._absence(room, 0, 0.5, ASPECT, Rules()).narrow for room in (hall, door)]
    assert costs[1] - costs[0] == pytest.approx(-2 * math.log(0.75), abs=0.15)


@pytest.mark.parametrize(("frame_s", "fresh"), [(0.2, [True, False, False]), (0.1, [True, True, False]), (1 / 30, [True, True, False])])
def test_who_is_new_is_waited_for_to_the_nearest_frame(frame_s: float, fresh: list[bool]) -> None:
    """Three tenths of a second: at five frames a second the frame before, for the one after may well miss them."""
    room, rules = known_at((0.5, 0.5)), Rules()
    room.habits[memory.FRAME_S], room.tracks[0, memory.T_BORN_S] = frame_s, 1.0
    assert [odds.is_fresh(room, 0, t_s, rules) for t_s in (1.0, 1.2, 1.3)] == fresh
