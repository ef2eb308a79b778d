"""One line: who crossed it, who only seemed to."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.analytics.line_crossing import LineCounter
from firmware.analytics.people import People
from firmware.config import LineConfig

LINE = LineConfig("door", (0.1, 0.5), (0.9, 0.5))  # left is up
BOX = (0.1, 0.3)  # width, height


def frame(t_s: float, *people: tuple[int, float, float], gone: tuple[int, ...] = ()) -> People:
    """People as (id, foot x, foot y)."""
    boxes = np.array([(x - BOX[0] / 2, y - BOX[1], x + BOX[0] / 2, y) for _, x, y in people]).reshape(-1, 4)
    count = len(people)
    no = np.zeros(count, np.bool_)
    ids = np.array([person for person, _, _ in people], np.int64)
    return People(t_s, ids, boxes, np.full(count, 0.8), np.ones(count, np.bool_), no, no, np.full(count, t_s), boxes, gone)


def walk(counter: LineCounter, ways: dict[int, list[tuple[float, float]]], fps: float = 10.0) -> dict[str, int]:
    """Let people walk their ways (a foot point each frame), then end the recording; what was counted."""
    counts = {"in": 0, "out": 0, "provisional in": 0, "provisional out": 0, "ambiguous": 0}
    frames = max(len(way) for way in ways.values())
    steps = [counter.step(frame(i / fps, *((p, *way[i]) for p, way in ways.items() if i < len(way)))) for i in range(frames)]
    for step in [*steps, counter.finish(frames / fps)]:
        for crossing in step.settled:
            counts[crossing.direction] += 1
        for crossing in step.provisional:
            counts[f"provisional {crossing.direction}"] += 1
        counts["ambiguous"] += step.ambiguous
    return counts


def straight(y0: float, y1: float, seconds: float = 3.0, x: float = 0.5, fps: float = 10.0) -> list[tuple[float, float]]:
    return [(x, float(y)) for y in np.linspace(y0, y1, int(seconds * fps))]


def test_walking_up_over_a_line_from_left_to_right_is_in() -> None:
    """In is to the left of start to end: up, for this line; down is out."""
    assert walk(LineCounter(LINE), {1: straight(0.9, 0.1)}) == {
        "in": 1,
        "out": 0,
        "provisional in": 1,
        "provisional out": 0,
        "ambiguous": 0,
    }
    assert walk(LineCounter(LINE), {1: straight(0.1, 0.9)})["out"] == 1


def test_in_can_be_to_the_right() -> None:
    """`in = "right"` turns the directions round."""
    counter = LineCounter(LineConfig("door", (0.1, 0.5), (0.9, 0.5), in_side="right"))
    assert walk(counter, {1: straight(0.1, 0.9)})["in"] == 1


def test_a_crossing_is_provisional_at_once_and_settled_when_the_visit_is_over() -> None:
    """Provisional as soon as the band is left on the far side; settled `settle_s` later, with the crossing's own time."""
    counter = LineCounter(LINE)
    way = straight(0.9, 0.1, 3.0) + [(0.5, 0.1)] * 40
    steps = [counter.step(frame(i / 10, (1, *spot))) for i, spot in enumerate(way)]
    provisional = [i for i, step in enumerate(steps) if step.provisional]
    settled = [i for i, step in enumerate(steps) if step.settled]
    assert len(provisional) == len(settled) == 1
    assert 14 <= provisional[0] <= 17
    assert settled[0] >= provisional[0] + 28
    assert steps[settled[0]].settled[0].t_s == pytest.approx(1.45, abs=0.06)


def test_a_peek_is_provisional_twice_and_settles_to_nothing() -> None:
    """Over the line and back within one visit cancels out."""
    way = straight(0.9, 0.35) + straight(0.35, 0.9)
    assert walk(LineCounter(LINE), {1: way}) == {"in": 0, "out": 0, "provisional in": 1, "provisional out": 1, "ambiguous": 0}


def test_around_the_end_of_the_line_is_no_crossing() -> None:
    """The segment counts, not its extension."""
    assert walk(LineCounter(LINE), {1: straight(0.9, 0.1, x=0.95)})["in"] == 0
    assert walk(LineCounter(LINE), {1: straight(0.9, 0.1, x=0.85)})["in"] == 1


def test_the_way_walked_decides_not_its_ends() -> None:
    """Past the segment and then far beyond its end is a crossing, though the straight way between the ends misses it."""
    way = [(0.85, 0.56), (0.86, 0.52), (0.87, 0.49), (0.93, 0.48), (1.0, 0.47), (1.1, 0.4)]
    start = [(0.85, 0.9), (0.85, 0.8), (0.85, 0.7), (0.85, 0.6)]
    assert walk(LineCounter(LINE), {1: start + way})["in"] == 1


def test_standing_on_the_line_is_nothing_but_ambiguous() -> None:
    """Twenty seconds of jitter on the line: no crossing, one ambiguous visit."""
    rng = np.random.default_rng(3)
    way = [(0.5 + dx, 0.5 + dy) for dx, dy in rng.normal(0, 0.012, (200, 2))]
    counts = walk(LineCounter(LINE), {1: way})
    assert (counts["in"], counts["out"], counts["ambiguous"]) == (0, 0, 1)


def test_vanishing_on_the_line_is_ambiguous() -> None:
    """Who comes to the line, stops there and is not seen again is in the audit, not in the total."""
    counts = walk(LineCounter(LINE), {1: straight(0.9, 0.5) + [(0.5, 0.5)] * 20})
    assert (counts["in"], counts["ambiguous"]) == (0, 1)


def test_appearing_on_the_line_is_ambiguous() -> None:
    """Who appears on the line, stands there and then walks in is in the audit, not in the total."""
    counts = walk(LineCounter(LINE), {1: [(0.5, 0.5)] * 20 + straight(0.5, 0.1)})
    assert (counts["in"], counts["ambiguous"]) == (0, 1)


def test_a_steady_walk_that_begins_just_before_the_line_counts() -> None:
    """First seen inside the band, on the near side, and walking through: that is a crossing seen from end to end."""
    counts = walk(LineCounter(LINE), {1: straight(0.53, 0.1, 2.0)})
    assert (counts["in"], counts["ambiguous"]) == (1, 0)


def test_a_steady_walk_that_ends_just_beyond_the_line_counts() -> None:
    """Last seen inside the band, past the line and walking on."""
    counts = walk(LineCounter(LINE), {1: straight(0.9, 0.475, 2.0)})
    assert (counts["in"], counts["ambiguous"]) == (1, 0)
