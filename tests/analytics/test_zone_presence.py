"""Zones: who is inside since when, and where they came from."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from firmware.analytics.geometry import inside_polygon
from firmware.analytics.presence_kernel import contains
from firmware.analytics.zone_presence import VisitChange, ZonePresence
from firmware.config import ZoneConfig
from tests.walkers import Foot, people_at

SQUARE = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))  # sides: 0 top, 1 right, 2 bottom, 3 left
AREA = ZoneConfig("display", SQUARE)


def walk(
    presence: ZonePresence, way: dict[float, Foot | None], fps: float = 10.0, *, gone_after_s: float | None = 4.0
) -> list[VisitChange]:
    """Person 1 along (time: foot), straight between; None: out of sight from then on, given up `gone_after_s` later."""
    times = sorted(way)
    last_s, changes = times[-1] + 8.0, []
    born: tuple[float, Foot] | None = None
    unseen_s: float | None = None
    gone = False
    for frame in range(math.ceil(last_s * fps)):
        t_s = frame / fps
        foot = _foot(way, times, t_s)
        if foot is not None and not gone:
            born = born or (t_s, foot)
            unseen_s = t_s
            changes += presence.step(people_at(t_s, {1: foot}, born={1: born})).changes
        elif gone_after_s is not None and unseen_s is not None and not gone and t_s - unseen_s >= gone_after_s:
            gone = True
            changes += presence.step(people_at(t_s, {}, gone=[1])).changes
        else:
            changes += presence.step(people_at(t_s, {})).changes
    return changes


def _foot(way: dict[float, Foot | None], times: list[float], t_s: float) -> Foot | None:
    if t_s < times[0] or t_s > times[-1]:
        return None
    for start, end in itertools.pairwise(times):
        if start <= t_s <= end:
            a, b = way[start], way[end]
            if a is None:
                return None
            if b is None:
                return a
            share = (t_s - start) / (end - start)
            return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
    return None


def test_times_are_those_of_the_steps_in_and_out_not_of_the_holds() -> None:
    """A person who crosses at a steady pace is inside exactly from side to side, though reported later."""
    changes = walk(ZonePresence((AREA,)), {1.0: (0.1, 0.5), 9.0: (0.9, 0.5)})  # 0.1 a second: in at 3.0, out at 7.0
    assert [change.kind for change in changes] == ["began", "ended"]
    assert changes[1].entry_s == pytest.approx(3.0, abs=1e-6)
    assert changes[1].end_s == pytest.approx(7.0, abs=1e-6)


def test_who_stands_on_the_edge_has_not_left() -> None:
    """In, then half a minute a hair outside the left side, where boxes jitter to and fro, then away: one visit, to the end of it."""
    edge = 0.3 - 0.003  # a hundredth of a box height
    changes = walk(ZonePresence((AREA,)), {1.0: (0.9, 0.5), 5.0: (0.5, 0.5), 7.0: (edge, 0.5), 37.0: (edge, 0.5), 38.0: (0.1, 0.5)})
    assert [change.kind for change in changes] == ["began", "ended"]
    assert changes[1].end_s == pytest.approx(37.0, abs=0.2)
    assert changes[1].end_side == 3


def test_who_stands_beside_the_zone_has_left() -> None:
    """A third of a box height outside is no edge: the visit ends when they stepped out, though they stay there."""
    changes = walk(ZonePresence((AREA,)), {1.0: (0.9, 0.5), 5.0: (0.5, 0.5), 8.0: (0.2, 0.5), 38.0: (0.2, 0.5)})
    assert [change.kind for change in changes] == ["began", "ended"]
    assert changes[1].end_s == pytest.approx(7.0, abs=0.01)


def test_sides_of_entry_and_exit_are_told() -> None:
    """Who comes in from the left and leaves at the bottom used sides 3 and 2."""
    changes = walk(ZonePresence((AREA,)), {1.0: (0.1, 0.5), 4.0: (0.5, 0.5), 8.0: (0.5, 0.95)})
    assert (changes[1].entry_side, changes[1].end_side) == (3, 2)


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_the_same_answers_at_every_frame_rate(fps: float) -> None:
    """Times of entry and exit do not depend on how often one looks."""
    changes = walk(ZonePresence((AREA,)), {1.0: (0.13, 0.5), 9.0: (0.93, 0.5)}, fps)
    assert changes[-1].entry_s == pytest.approx(2.7, abs=1e-6)
    assert changes[-1].end_s == pytest.approx(6.7, abs=1e-6)


def test_who_appears_and_vanishes_inside_has_no_sides() -> None:
    """Nobody saw how they came or left; the visit lasts from the first to the last sight."""
    changes = walk(ZonePresence((AREA,)), {1.0: (0.5, 0.5), 4.0: (0.5, 0.55)})
    assert [(c.entry_side, c.end_side) for c in changes] == [(None, None), (None, None)]
    assert changes[1].end_s - changes[1].entry_s == pytest.approx(3.0)


def test_a_short_look_is_no_visit() -> None:
    """Inside for less than enter_s: nothing is reported."""
    assert walk(ZonePresence((AREA,)), {1.0: (0.25, 0.5), 1.5: (0.33, 0.5), 2.0: (0.25, 0.5), 5.0: (0.2, 0.5)}) == []


def test_a_short_break_belongs_to_the_visit() -> None:
    """Outside for less than exit_s: one visit, from the first step in to the last step out."""
    way: dict[float, Foot | None] = {1.0: (0.2, 0.5), 3.0: (0.4, 0.5), 3.5: (0.27, 0.5), 4.0: (0.4, 0.5), 6.0: (0.5, 0.5), 8.0: (0.5, 0.1)}
    changes = walk(ZonePresence((AREA,)), way)
    assert [change.kind for change in changes] == ["began", "ended"]
    assert changes[1].end_s == pytest.approx(7.0, abs=1e-6)


def test_a_long_break_makes_two_visits() -> None:
    """Outside for longer than exit_s: the visit ended when they stepped out."""
    way: dict[float, Foot | None] = {1.0: (0.2, 0.5), 3.0: (0.4, 0.5), 4.0: (0.2, 0.5), 6.0: (0.2, 0.5), 7.0: (0.4, 0.5), 9.0: (0.4, 0.9)}
    changes = walk(ZonePresence((AREA,)), way)
    assert [change.kind for change in changes] == ["began", "ended", "began", "ended"]
    assert changes[1].end_s == pytest.approx(3.5, abs=1e-6)
    assert changes[2].entry_s == pytest.approx(6.5, abs=1e-6)


def test_a_break_longer_than_one_slow_frame_still_splits() -> None:
    """At one frame in two seconds a person seen out and in again was away for longer than exit_s."""
    presence = ZonePresence((AREA,))
    feet: list[Foot] = [(0.2, 0.5), (0.5, 0.5), (0.5, 0.5), (0.2, 0.5), (0.5, 0.5), (0.5, 0.5)]
    changes = [change for i, foot in enumerate(feet) for change in presence.step(people_at(2.0 * i, {1: foot})).changes]
    assert [change.kind for change in changes] == ["began", "ended", "began"]


def test_out_of_sight_inside_and_found_again_is_one_visit() -> None:
    """Hidden for three seconds behind a shelf and re-linked: the visit and its dwell go on."""
    presence, changes = ZonePresence((AREA,)), []
    for frame in range(120):
        t_s = frame / 10
        feet: dict[int, Foot] = {} if 4.0 <= t_s < 7.0 else {7: (0.05 + 0.1 * min(t_s, 4.0) + 0.1 * max(t_s - 8.0, 0.0), 0.5)}
        changes += presence.step(people_at(t_s, feet, born={7: (0.0, (0.05, 0.5))})).changes
    changes += presence.step(people_at(12.0, {}, gone=[7])).changes
    assert [change.kind for change in changes] == ["began", "ended"]
    assert changes[1].end_s - changes[1].entry_s == pytest.approx(10.5 - 2.5, abs=0.01)


def test_found_again_outside_is_an_exit_between_the_two_sights() -> None:
    """Hidden inside, re-linked outside: the exit lies on the way between, and its side is known."""
    presence = ZonePresence((AREA,))
    changes = [c for i in range(11) for c in presence.step(people_at(i / 10, {1: (0.5, 0.5)})).changes]
    changes += presence.step(people_at(2.0, {1: (0.9, 0.5)})).changes + presence.step(people_at(4.0, {1: (0.9, 0.5)})).changes
    assert changes[-1].kind == "ended"
    assert changes[-1].end_side == 1
    assert changes[-1].end_s == pytest.approx(1.5)


def test_a_prediction_alone_moves_nobody() -> None:
    """A coasting box that drifts out of the zone and is found inside again was never outside."""
    presence, changes = ZonePresence((AREA,)), []
    for frame in range(60):
        t_s = frame / 10
        drift = 2.0 <= t_s < 4.5
        foot = (0.5 + (0.2 * (t_s - 2.0) if drift else 0.0), 0.5)
        changes += presence.step(people_at(t_s, {1: foot}, coasting=[1] if drift else [])).changes
    assert [change.kind for change in changes] == ["began"]


def test_a_prediction_tells_how_somebody_left_who_is_never_seen_again() -> None:
    """The track coasts out over side 1 and dies: the visit ended there."""
    presence, changes = ZonePresence((AREA,)), []
    for frame in range(30):
        t_s = frame / 10
        foot = (0.4 + 0.1 * t_s, 0.5)
        changes += presence.step(people_at(t_s, {1: foot}, coasting=[1] if t_s > 2.55 else [])).changes
    changes += presence.step(people_at(3.5, {})).changes + presence.step(people_at(6.0, {}, gone=[1])).changes
    assert (changes[-1].kind, changes[-1].end_side) == ("ended", None)  # it never left: 0.69
    presence, changes = ZonePresence((AREA,)), []
    for frame in range(36):
        t_s = frame / 10
        foot = (0.4 + 0.1 * t_s, 0.5)
        changes += presence.step(people_at(t_s, {1: foot}, coasting=[1] if t_s > 2.55 else [])).changes
    changes += presence.step(people_at(7.0, {}, gone=[1])).changes
    assert (changes[-1].kind, changes[-1].end_side) == ("ended", 1)
    assert changes[-1].end_s == pytest.approx(3.0)


def test_the_zone_up_to_the_views_border_holds_people_who_are_cut_by_it() -> None:
    """A box that reaches below the picture stands in the zone drawn to its edge, and who vanishes there left by that side."""
    whole = ZoneConfig("view", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    changes = walk(ZonePresence((whole,)), {1.0: (0.5, 1.03), 4.0: (0.5, 0.5), 7.0: (0.5, 1.03)})
    assert [(c.kind, c.entry_side, c.end_side) for c in changes] == [("began", 2, None), ("ended", 2, 2)]
    assert (changes[1].entry_s, changes[1].end_s) == pytest.approx((1.0, 7.0))


def test_shorter_visits_than_the_minimum_are_not_reported() -> None:
    """dwell_s_min = 3: four seconds are a visit with its whole dwell, two seconds are none."""
    zone = ZoneConfig("display", SQUARE, dwell_s_min=3.0)
    long = walk(ZonePresence((zone,)), {1.0: (0.1, 0.5), 9.0: (0.9, 0.5)})
    assert [(c.kind, round(c.end_s - c.entry_s, 6)) for c in long][-1] == ("ended", 4.0)
    assert walk(ZonePresence((zone,)), {1.0: (0.1, 0.5), 5.0: (0.9, 0.5)}) == []


def test_furniture_is_nobody_and_disowns_its_visit() -> None:
    """Found to be still: the open visit is voided, the count falls to zero, and no new visit begins."""
    presence, changes = ZonePresence((AREA,)), []
    for frame in range(50):
        changes += (step := presence.step(people_at(frame / 10, {1: (0.5, 0.5)}, still=[1] if frame >= 30 else []))).changes
    assert [change.kind for change in changes] == ["began", "voided"]
    assert step.counts == ((0, 0),)


def test_zones_overlap_and_keep_their_own_settings() -> None:
    """One person, two zones, two visits with their own times."""
    inner = ZoneConfig("inner", ((0.4, 0.3), (0.6, 0.3), (0.6, 0.7), (0.4, 0.7)), enter_s=1.0)
    changes = walk(ZonePresence((AREA, inner)), {0.0: (0.1, 0.5), 8.0: (0.9, 0.5)})
    ended = {change.zone: (round(change.entry_s, 6), round(change.end_s, 6)) for change in changes if change.kind == "ended"}
    assert ended == {0: (2.0, 6.0), 1: (3.0, 5.0)}


def test_people_are_counted_now_staff_apart() -> None:
    """Three shoppers and one clerk inside, one outside."""
    presence = ZonePresence((AREA,))
    feet: dict[int, Foot] = {1: (0.4, 0.4), 2: (0.5, 0.5), 3: (0.6, 0.6), 4: (0.5, 0.6), 5: (0.1, 0.1)}
    for frame in range(10):
        step = presence.step(people_at(frame / 10, feet, staff=[4]))
    assert step.counts == ((3, 1),)


def test_finish_ends_every_visit_where_it_was_last_seen() -> None:
    """At the end of a recording nobody stays open."""
    presence = ZonePresence((AREA,))
    for frame in range(21):
        presence.step(people_at(frame / 10, {1: (0.5, 0.5)}))
    (change,) = presence.finish(2.5).changes
    assert (change.kind, change.end_s, change.end_side) == ("ended", 2.0, None)
    assert presence.finish(3.0).changes == ()


def test_capacity_is_a_limit_not_an_error() -> None:
    """More people than there is room for: those who fit are counted."""
    presence = ZonePresence((AREA,), people_max=4)
    feet = {i: (0.32 + 0.03 * i, 0.5) for i in range(8)}
    for frame in range(10):
        step = presence.step(people_at(frame / 10, feet))
    assert step.counts == ((4, 0),)


def test_rows_close_up_when_people_go() -> None:
    """A hundred people come and go two at a time: each has exactly one visit, and no row is left behind."""
    presence, changes = ZonePresence((AREA,), people_max=8), []
    for frame in range(1000):
        first = frame // 20
        feet = {first + k: (0.5, 0.5 + 0.01 * k) for k in range(2)}
        gone = [first - 1] if frame % 20 == 0 and first else []
        changes += presence.step(people_at(frame / 10, feet, gone=gone)).changes
    changes += presence.finish(100.0).changes
    ended = [change.person for change in changes if change.kind == "ended"]
    assert sorted(ended) == list(range(51))


def test_the_kernel_agrees_with_the_geometry_of_the_checks() -> None:
    """Point in polygon, compiled and vectorised, on a thousand points of a concave zone."""
    polygon = ((0.1, 0.1), (0.9, 0.2), (0.5, 0.4), (0.8, 0.9), (0.2, 0.7))
    points = np.random.default_rng(5).uniform(0, 1, (1000, 2))
    corners = np.array([[(*point, 0.0) for point in polygon]])
    assert [contains(corners, 5, 0, x, y) for x, y in points.tolist()] == inside_polygon(points, polygon).tolist()
