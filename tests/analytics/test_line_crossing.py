"""One line: who crossed it, who only seemed to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from firmware.analytics.line_crossing import LineCounter, LineStep
from firmware.analytics.people import People
from firmware.analytics.relink import Relinker
from firmware.analytics.relink_memory import Rules
from firmware.config import LineConfig
from firmware.vision.track import Tracks

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


def tracks_of(t_s: float, feet: dict[int, tuple[float, float]], born: dict[int, tuple[float, tuple[float, ...]]]) -> Tracks:
    """Tracks under the given ids, as a tracker would hand them on."""
    boxes = {key: (x - BOX[0] / 2, y - BOX[1], x + BOX[0] / 2, y) for key, (x, y) in sorted(feet.items())}
    for key, box in boxes.items():
        born.setdefault(key, (t_s, box))
    corners, count = np.array(list(boxes.values())).reshape(-1, 4), len(boxes)
    firsts = np.array([born[key][1] for key in boxes]).reshape(-1, 4)
    births = np.array([born[key][0] for key in boxes])
    return Tracks(
        t_s, np.array(list(boxes), np.int64), corners, np.full(count, 0.9), np.ones(count, np.bool_), births, firsts, np.zeros(count)
    )


def count_tracks(
    frames: list[dict[int, tuple[float, float]]], fps: float = 10.0, relinker: Relinker | None = None
) -> tuple[int, int, int, int, int]:
    """In, out, ambiguous, provisional in and out of frames of feet under ids, through re-linking and line."""
    relinker, counter, born = relinker or Relinker(), LineCounter(LINE), {}
    steps = [counter.step(relinker.step(tracks_of(i / fps, feet, born))) for i, feet in enumerate(frames)]
    steps.append(counter.finish(len(frames) / fps))
    settled = [crossing.direction for step in steps for crossing in step.settled]
    seen = [crossing.direction for step in steps for crossing in step.provisional]
    return settled.count("in"), settled.count("out"), sum(s.ambiguous for s in steps), seen.count("in"), seen.count("out")


def together(*ways: tuple[int, list[tuple[float, float]]]) -> list[list[tuple[float, float] | None]]:
    """Ways that begin at different frames, side by side: a foot or nobody, each frame."""
    frames = max(start + len(way) for start, way in ways)
    return [[way[i - start] if 0 <= i - start < len(way) else None for start, way in ways] for i in range(frames)]


def test_a_crowd_is_counted_exactly() -> None:
    """Three in, two out, one who stands on the line, one peek and one who turns back: 3 in, 2 out, 1 ambiguous."""
    rng = np.random.default_rng(5)
    stand = [(0.2 + dx, 0.5 + dy) for dx, dy in rng.normal(0, 0.008, (120, 2))]
    ways = [(0, straight(0.95, 0.1, x=x)) for x in (0.35, 0.5, 0.65)] + [(50, straight(0.1, 0.95, x=x)) for x in (0.4, 0.6)]
    ways += [
        (10, stand),
        (90, straight(0.95, 0.4, x=0.8) + straight(0.4, 0.95, x=0.8)),
        (0, straight(0.95, 0.6, x=0.85) + straight(0.6, 0.95, x=0.85)),
    ]
    frames = [{i: foot for i, foot in enumerate(feet) if foot} for feet in together(*ways)]
    assert count_tracks(frames)[:3] == (3, 2, 1)


def hesitant(walker: int) -> list[dict[int, tuple[float, float]]]:
    """Somebody who comes to the line, stands on it for two seconds, and goes on; the id changes twice while they stand."""
    x = 0.3 + 0.04 * walker
    way = straight(0.9, 0.51, 1.5, x=x) + [(x, 0.505)] * 20 + straight(0.5, 0.1, 1.5, x=x)
    return [{100 * walker + (i > 20) + (i > 28): foot} for i, foot in enumerate(way)] + [{}] * 60


def hidden(walker: int) -> list[dict[int, tuple[float, float]]]:
    """Somebody who is hidden from before the band to beyond it, and goes on under a new id."""
    way = straight(0.9, 0.1, x=0.3 + 0.04 * walker)
    return [{100 * walker + (i > 14): foot} if foot[1] > 0.57 or foot[1] < 0.43 else {} for i, foot in enumerate(way)] + [{}] * 60


@pytest.mark.parametrize("ways", [hesitant, hidden])
def test_side_and_visit_are_inherited_by_a_new_track(ways: Callable[[int], list[dict[int, tuple[float, float]]]]) -> None:
    """Ten people none of whose tracks crosses the line: ten crossings, for each new track inherits the side; without that, none."""
    frames = [frame for walker in range(10) for frame in ways(walker)]
    assert count_tracks(frames)[:3] == (10, 0, 0)
    strangers = Relinker(rules=Rules()._replace(doubt=1e9))
    assert count_tracks(frames, relinker=strangers)[:2] == (0, 0)


def test_ids_exchanged_on_the_line_change_nothing() -> None:
    """Two who pass each other on the line, a shoulder apart, and exchange ids there: one in, one out."""
    up, down = straight(0.9, 0.1, x=0.42), straight(0.1, 0.9, x=0.6)
    frames = [{1: up[i], 2: down[i]} if i < 15 else {2: up[i], 1: down[i]} for i in range(30)]
    assert count_tracks(frames)[:3] == (1, 1, 0)


def test_two_abreast_are_two() -> None:
    """Side by side over the line, their ids exchanged on it: two crossings."""
    one, other = straight(0.9, 0.1, x=0.45), straight(0.9, 0.1, x=0.55)
    frames = [{1: one[i], 2: other[i]} if i < 14 else {2: one[i], 1: other[i]} for i in range(30)]
    assert count_tracks(frames)[:3] == (2, 0, 0)


def test_a_peek_under_two_ids_is_nothing() -> None:
    """Over the line, a new id beyond it, and back: the visit is inherited, and its net is nothing."""
    way = straight(0.9, 0.35) + straight(0.35, 0.9)
    frames = [{1 if i < 28 else 2: foot} for i, foot in enumerate(way)]
    assert count_tracks(frames) == (0, 0, 0, 1, 1)


def test_wide_jitter_widens_the_band() -> None:
    """Small boxes that jitter by a tenth of their height, on the line for a minute: nothing is settled, little provisional."""
    rng = np.random.default_rng(11)
    way = [(0.5 + dx, 0.5 + dy) for dx, dy in rng.normal(0, 0.03, (600, 2))]
    counts = walk(LineCounter(LINE), {1: way})
    assert (counts["in"], counts["out"]) == (0, 0)
    assert counts["provisional in"] + counts["provisional out"] <= 12  # about a hundred with a fixed band


def test_predictions_are_no_sights() -> None:
    """A coasting box that sails over the line crosses nothing."""
    counter = LineCounter(LINE)
    for i, (x, y) in enumerate(straight(0.9, 0.62, 1.5)):
        counter.step(frame(i / 10, (1, x, y)))
    for i in range(10):
        step = counter.step(replace(frame(1.5 + i / 10, (1, 0.5, 0.6 - 0.04 * i)), seen=np.zeros(1, np.bool_)))
        assert step == LineStep()


def test_furniture_neither_crosses_nor_is_ambiguous() -> None:
    """Someone `still` on the line is a mannequin: not even the audit knows it."""
    counter = LineCounter(LINE)
    for i in range(20):
        still = replace(frame(i / 10, (1, 0.5, 0.5)), still=np.ones(1, np.bool_))
        assert counter.step(still) == LineStep()
    assert counter.finish(2.0) == LineStep()


def test_staff_is_said_with_the_crossing() -> None:
    """What is known when the crossing settles counts: staff who were recognised only after crossing."""
    counter = LineCounter(LINE)
    settled = []
    for i, (x, y) in enumerate(straight(0.9, 0.1)):
        people = frame(i / 10, (1, x, y))
        settled += counter.step(replace(people, staff=np.full(1, i > 25))).settled
    settled += counter.finish(3.0).settled
    assert [crossing.staff for crossing in settled] == [True]


def head_first(near_height: float, line: LineConfig, way: list[tuple[float, float]]) -> dict[str, int]:
    """A person eight tenths of the view tall walks `way`; what of their box lies below the view is not seen."""
    counter, counts = LineCounter(line, near_height=near_height), {"in": 0, "out": 0, "ambiguous": 0}
    steps: list[LineStep] = []
    for i, (x, y) in enumerate(way):
        boxes = np.array([[x - 0.1, y - 0.8, x + 0.1, y]]).clip(0.0, 1.0)
        steps.append(counter.step(replace(frame(i / 10, (1, x, y)), boxes=boxes, birth_boxes=boxes)))
    for step in [*steps, counter.finish(len(way) / 10)]:
        counts["ambiguous"] += step.ambiguous
        for crossing in step.settled:
            counts[crossing.direction] += 1
    return counts


def test_whoever_comes_in_under_the_camera_is_counted_although_the_feet_are_not_seen() -> None:
    """The head appears at the bottom edge, beside where the line meets that edge; then they stand, and leave to the right."""
    line = LineConfig("way in", (0.35, 0.75), (0.62, 1.0))
    comes = list(zip([0.6] * 15, np.linspace(1.5, 0.9, 15).tolist(), strict=True))
    way = comes + [(0.6, 0.9)] * 40 + [(float(x), 0.9) for x in np.linspace(0.6, 0.9, 10)]
    assert head_first(0.8, line, way) == {"in": 1, "out": 0, "ambiguous": 0}
    assert head_first(0.0, line, way)["in"] == 0


def test_a_line_that_ends_at_the_bottom_edge_goes_on_below_it() -> None:
    """Feet below the view pass it where nobody could draw it; a line that ends within the view ends there."""
    way = [(float(x), 1.2) for x in np.linspace(0.2, 0.7, 20)]
    assert head_first(0.8, LineConfig("way in", (0.45, 1.0), (0.45, 0.4), in_side="right"), way)["in"] == 1
    assert head_first(0.8, LineConfig("way in", (0.45, 0.9), (0.45, 0.4), in_side="right"), way)["in"] == 0


def test_whoever_first_shows_at_the_edge_of_the_view_came_from_there() -> None:
    """Creeping over the line from just beyond the band: at the edge it is clear where they came from, in mid-view it is not."""
    line, slow = LineConfig("door", (0.0, 0.5), (1.0, 0.5)), straight(0.55, 0.4, 2.5, x=0.05)
    assert walk(LineCounter(line), {1: slow})["in"] == 1
    counts = walk(LineCounter(line), {1: [(0.5, y) for _, y in slow]})
    assert (counts["in"], counts["ambiguous"]) == (0, 1)


def test_who_stops_or_turns_before_the_line_did_not_walk_over_it_unseen() -> None:
    """Last seen a step before it at a steady pace they are over it by the next frame; not if their last step was none, or one back."""
    steady = [0.84, 0.76, 0.68, 0.60, 0.52]
    for last, crossed in (([], 1), ([0.52], 0), ([0.56], 0)):
        assert walk(LineCounter(LINE), {1: [(0.5, y) for y in steady + last]}, fps=5.0)["in"] == crossed


def test_who_peeks_and_is_lost_on_the_way_back_went_back() -> None:
    """The last second holds the way there, too; the last three sights are a walk back over the line, and nothing is counted."""
    there, back = [0.78, 0.68, 0.58, 0.48, 0.44], [0.48, 0.52]
    assert walk(LineCounter(LINE), {1: [(0.5, y) for y in there]}, fps=5.0)["in"] == 1
    counts = walk(LineCounter(LINE), {1: [(0.5, y) for y in there + back]}, fps=5.0)
    assert (counts["in"], counts["out"], counts["provisional in"]) == (0, 0, 1)
