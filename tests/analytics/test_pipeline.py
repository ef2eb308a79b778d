"""The pipeline: what people do becomes events and windows, and only what may leave does."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterable

import msgspec
import numpy as np
import pytest

from firmware.analytics.pipeline import Finished, Pipeline, Step
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import CameraConfig, LineConfig, StillConfig, ZoneConfig
from firmware.errors import ConfigError
from firmware.events import Disclosure, Event, LineCrossed, OccupancyChanged, Window, ZoneEntered, ZoneLeft
from firmware.still_places import StillMap, StillPlace
from firmware.vision.detection import Detections
from tests.walkers import Foot, detections_at

DOOR = LineConfig("door", (0.0, 0.5), (1.0, 0.5))  # in: upward
DISPLAY = ZoneConfig("display", ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)))
TILL = ZoneConfig("till", ((0.1, 0.5), (0.9, 0.5), (0.9, 0.9), (0.1, 0.9)), kind="queue", service_side=0)
CAMERA = CameraConfig("shop", "x.jsonl", line=(DOOR,), zone=(DISPLAY, TILL), purpose="a test")


def make(
    camera: CameraConfig = CAMERA, disclosure: Disclosure = "events", seed: int = 1, epoch_s: tuple[int, int] = (300, 900)
) -> Pipeline:
    return Pipeline(camera, Pseudonyms(random.Random(seed).randbytes, epoch_s), disclosure)


class Run:
    """Everything that a pipeline said about a recording."""

    def __init__(self, pipeline: Pipeline, frames: Iterable[Detections], *, closed: bool = False) -> None:
        self.events: list[Event] = []
        self.windows: list[Window] = []
        self.finished: list[Finished] = []
        t_s = 0.0
        for frame in frames:
            t_s = frame.t_s
            self.take(pipeline.step(frame, closed=closed))
        self.take(pipeline.finish(t_s))

    def take(self, step: Step) -> None:
        self.events += step.events
        self.windows += step.windows
        self.finished += step.finished
        self.live = step.live

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def one_walker(x: float = 0.5, from_s: float = 1.0, fps: float = 10.0, until_s: float = 20.0, pace: float = 0.1) -> list[Detections]:
    """Somebody walks up through the view, from below it at `from_s`, a tenth of it a second."""
    frames = []
    for i in range(round(until_s * fps)):
        y = 1.05 - pace * (i / fps - from_s)
        frames.append(detections_at(i / fps, [(x, y)] if i / fps >= from_s and y > 0.12 else []))
    return frames


def crowd(seed: int, seconds: float = 120.0, people: int = 8, fps: float = 10.0) -> list[Detections]:
    """People who stroll about, come and go, are missed one frame in ten, and jitter."""
    rng = np.random.default_rng(seed)
    feet = rng.uniform(0.05, 0.95, (people, 2))
    speeds = rng.normal(0.0, 0.06, (people, 2))
    present = rng.random(people) < 0.5
    frames = []
    for i in range(round(seconds * fps)):
        feet += speeds / fps
        speeds = np.where((feet < 0.05) | (feet > 0.95), -speeds, speeds)
        feet = feet.clip(0.05, 0.95)
        present ^= rng.random(people) < 0.1 / fps
        seen = present & (rng.random(people) > 0.1)
        frames.append(detections_at(i / fps, [tuple(foot) for foot in feet[seen] + rng.normal(0, 0.003, (int(seen.sum()), 2))]))
    return frames


def test_one_walk_through_the_shop() -> None:
    """In at the door, through the display and the queue: every number, once."""
    run = Run(make(), one_walker())
    (line,) = (event for event in run.of(LineCrossed) if event.stage == "settled")
    assert (line.direction, line.t_ms) == ("in", pytest.approx(6_500, abs=100))
    exits = {event.zone: event for event in run.of(ZoneLeft)}
    assert exits["display"].dwell_ms == pytest.approx(4_000, abs=150)
    assert (exits["display"].side, exits["display"].outcome) == (0, "")
    assert (exits["till"].side, exits["till"].outcome) == (0, "served")
    assert [(f.zone, f.outcome) for f in run.finished] == [(1, "served"), (0, "")]
    assert (run.live.inside, run.live.lines[0].entries, run.live.lines[0].provisional_entries) == (1, 1, 1)


def test_counting_goes_on_where_another_life_stopped() -> None:
    """Who was inside then is inside now, and may leave without a correction."""
    pipeline = make()
    pipeline.resume(3)
    run = Run(pipeline, [detections_at(0.0, [])])
    assert (run.live.inside, run.live.drift) == (3, 0)


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_the_same_numbers_at_every_frame_rate(fps: float) -> None:
    """Seconds, never frames."""
    run = Run(make(), one_walker(fps=fps))
    assert [f.dwell_ms for f in run.finished] == pytest.approx([4_000, 4_000], abs=250)


@pytest.mark.parametrize("seed", range(6))
def test_windows_add_up_to_the_events(seed: int) -> None:
    """A busy shop: what the windows sum to is what the events said, to the millisecond."""
    run = Run(make(seed=seed), crowd(seed))
    settled = [event for event in run.of(LineCrossed) if event.stage == "settled"]
    assert sum(window.lines[0].entries for window in run.windows) == sum(event.direction == "in" for event in settled)
    assert sum(window.lines[0].exits for window in run.windows) == sum(event.direction == "out" for event in settled)
    for index, zone in enumerate(CAMERA.zone):
        sums = [window.zones[index] for window in run.windows]
        left = [event for event in run.of(ZoneLeft) if event.zone == zone.name]
        assert len(left) > 3
        assert sum(s.entries for s in sums) == len([e for e in run.of(ZoneEntered) if e.zone == zone.name]) == sum(s.exits for s in sums)
        assert sum(s.dwell_ms for s in sums) == sum(event.dwell_ms for event in left) == sum(s.occupancy_ms for s in sums)
        assert sum(sum(s.dwell_histogram) for s in sums) == len(left)
        for outcome in ("served", "abandoned"):
            assert sum(getattr(s, outcome) for s in sums) == sum(event.outcome == outcome for event in left)
        assert sum(s.wait_ms for s in sums) == sum(event.dwell_ms for event in left if event.outcome)
        assert max(s.wait_max_ms for s in sums) == max((event.dwell_ms for event in left if event.outcome), default=0)
    assert sum(window.audit.frames for window in run.windows) == 1200
    assert all(window.audit.observed_ms + window.audit.blind_ms == 15_000 for window in run.windows)


def test_occupancy_events_follow_the_zone_and_never_go_below_nobody() -> None:
    """Each says the number now; none repeats the last; the end is empty."""
    run = Run(make(), crowd(3))
    counts = [event.count for event in run.of(OccupancyChanged) if event.zone == "till"]
    assert min(counts) == 0 == counts[-1]
    assert all(a != b for a, b in itertools.pairwise(counts))


def test_at_windows_nothing_about_a_person_leaves() -> None:
    """Disclosure `windows`: the same windows, no event at all, and no pseudonym is even drawn."""
    drawn: list[int] = []

    def draw(size: int) -> bytes:
        drawn.append(size)
        return bytes(size)

    quiet = Run(Pipeline(CAMERA, Pseudonyms(draw), "windows"), crowd(1))
    assert quiet.events == []
    assert len(drawn) == 1  # the epoch's length
    assert quiet.windows == Run(make(), crowd(1)).windows


def test_boxes_leave_only_at_boxes_and_with_a_purpose() -> None:
    """At `events` no box; at `boxes` each within the picture; without a purpose a refusal that says what to do."""
    assert all(event.box is None for event in Run(make(), one_walker()).events if not isinstance(event, OccupancyChanged))
    boxes = [event.box for event in Run(make(disclosure="boxes"), one_walker()).events if not isinstance(event, OccupancyChanged)]
    assert boxes
    assert all(box is not None and all(0.0 <= edge <= 1.0 for edge in box) for box in boxes)
    with pytest.raises(ConfigError, match="purpose"):
        make(msgspec.structs.replace(CAMERA, purpose=""), "boxes")


def stander(seconds: float, foot: Foot = (0.5, 0.4)) -> list[Detections]:
    """Somebody walks into the display, stands there, and walks out over the top."""
    way = [(0.5, 1.05 - 0.1 * i / 10) for i in range(65)]
    way += [(foot[0] + 0.002 * (i % 2), foot[1]) for i in range(round(seconds * 10))]
    way += [(0.5, 0.4 - 0.1 * i / 10) for i in range(25)]
    return [detections_at(i / 10, [here]) for i, here in enumerate(way)] + [detections_at((len(way) + i) / 10, []) for i in range(100)]


def test_a_visit_over_the_end_of_an_epoch_is_partial_and_its_dwell_lives_on() -> None:
    """No event tells that the two names are one person; the histogram knows the whole dwell."""
    run = Run(make(epoch_s=(300, 300)), stander(400.0))
    (entered,), (left,) = ([e for e in run.of(kind) if e.zone == "display"] for kind in (ZoneEntered, ZoneLeft))
    assert entered.pseudonym != left.pseudonym
    assert (left.partial, left.dwell_ms) == (True, None)
    dwells = [f.dwell_ms for f in run.finished if f.zone == 0]
    assert dwells == pytest.approx([404_000], abs=300)
    assert sum(window.zones[0].dwell_ms for window in run.windows) == dwells[0]


def test_nothing_in_events_joins_two_epochs() -> None:
    """An hour of a busy shop in epochs of five minutes: every pseudonym lives in one epoch, every dwell begins in its own,
    and what happened before an epoch began carries no name in it."""
    pipeline = make(epoch_s=(300, 300))
    names: dict[bytes, set[int]] = {}
    said_late = 0
    for frame in crowd(5, seconds=1800.0, people=6, fps=5.0):
        epoch = None
        for event in pipeline.step(frame).events:
            if isinstance(event, OccupancyChanged):
                continue
            epoch = int(frame.t_s * 1000) // 300_000
            began_ms = epoch * 300_000
            if event.t_ms < began_ms:
                assert event.pseudonym == b""
                said_late += 1
            else:
                names.setdefault(event.pseudonym, set()).add(epoch)
            if isinstance(event, ZoneLeft) and event.dwell_ms is not None:
                assert event.t_ms - event.dwell_ms >= began_ms
            assert not (isinstance(event, ZoneLeft) and event.partial and event.dwell_ms is not None)
    assert len(names) > 50
    assert all(len(epochs) == 1 for epochs in names.values())
    assert said_late > 0


def test_a_crossing_that_settles_in_the_next_epoch_has_no_name() -> None:
    """Provisional under the old name at 299 s, settled under none: the two cannot be joined by their time."""
    run = Run(make(epoch_s=(300, 300)), [detections_at(0.0, []), *one_walker(from_s=293.5, until_s=320.0)])
    provisional, settled = run.of(LineCrossed)
    assert provisional.t_ms == settled.t_ms == pytest.approx(299_000, abs=100)
    assert (len(provisional.pseudonym), settled.pseudonym) == (8, b"")


def test_staff_zones_take_staff_out_of_every_number() -> None:
    """Who works behind the counter is staff, there and at the door they leave by."""
    counter = ZoneConfig("counter", ((0.3, 0.1), (0.7, 0.1), (0.7, 0.6), (0.3, 0.6)), staff=True)
    back = [detections_at(i / 10, [(0.5, 0.3 + 0.1 * max(0.0, i / 10 - 5.0))]) for i in range(120)]
    run = Run(make(msgspec.structs.replace(CAMERA, zone=(counter, TILL))), [*back, *(detections_at(12 + i / 10, []) for i in range(80))])
    line, till = (sum(w.lines[0].exits for w in run.windows), sum(w.lines[0].staff_exits for w in run.windows)), run.windows
    assert line == (0, 1)
    assert sum(w.zones[1].staff_entries for w in till) == 1
    assert sum(w.zones[1].entries + w.zones[1].occupancy_ms + w.zones[1].dwell_ms for w in till) == 0
    assert all(event.staff for event in run.events if not isinstance(event, OccupancyChanged))
    assert run.of(OccupancyChanged) == []
    assert run.finished == []


def test_a_staff_door_makes_staff_and_counts_apart() -> None:
    """Through the staff door: no entry, one staff entry, and no shopper in the display behind it."""
    run = Run(make(msgspec.structs.replace(CAMERA, line=(msgspec.structs.replace(DOOR, staff=True),))), one_walker())
    assert [sum(getattr(w.lines[0], field) for w in run.windows) for field in ("entries", "staff_entries")] == [0, 1]
    assert run.live.inside == 0


def test_a_shopper_who_proves_to_be_staff_is_disowned() -> None:
    """Begun as a shopper's visit, ended as staff's: entries and exits balance, no dwell, and the audit says so."""
    counter = ZoneConfig("counter", ((0.0, 0.0), (1.0, 0.0), (1.0, 0.4), (0.0, 0.4)), staff=True)
    run = Run(make(msgspec.structs.replace(CAMERA, zone=(counter, DISPLAY))), one_walker())
    sums = [w.zones[1] for w in run.windows]
    assert (sum(s.entries for s in sums), sum(s.exits for s in sums), sum(s.dwell_ms for s in sums)) == (1, 1, 0)
    assert sum(w.audit.voided for w in run.windows) == 1


def test_occupancy_ends_when_a_shopper_proves_to_be_staff() -> None:
    """In the room since 1 s, behind the counter from 7.5 s on until 40 s: a shopper for 7 seconds, not for 39."""
    counter = ZoneConfig("counter", ((0.0, 0.0), (1.0, 0.0), (1.0, 0.4), (0.0, 0.4)), staff=True)
    room = ZoneConfig("room", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    feet = [(0.5, max(1.05 - 0.1 * (i / 10 - 1.0), 0.35)) for i in range(10, 400)]
    run = Run(make(msgspec.structs.replace(CAMERA, zone=(counter, room))), [detections_at(1 + i / 10, [f]) for i, f in enumerate(feet)])
    assert sum(w.zones[1].occupancy_ms for w in run.windows) == pytest.approx(7_000, abs=300)
    assert [w.zones[1].occupancy_max for w in run.windows] == [1, 0, 0]


def test_a_mannequin_is_no_visitor() -> None:
    """In the display all day: on a learned place from the start, nobody is there, and shoppers beside it count as ever."""
    place = StillMap((StillPlace(0.4, 0.5, 0.3),))
    pipeline = Pipeline(CAMERA, Pseudonyms(random.Random(1).randbytes), still_map=place)
    frames = [
        Detections(f.t_s, np.vstack((f.boxes, [[0.35, 0.2, 0.45, 0.5]])), np.append(f.scores, 0.9)) for f in one_walker(x=0.6, until_s=30)
    ]
    run = Run(pipeline, frames)
    assert sum(w.zones[0].entries for w in run.windows) == 1
    assert max(w.zones[0].occupancy_max for w in run.windows) == 1


def test_a_thing_found_out_ends_its_visit_without_a_dwell() -> None:
    """Nobody knew the mannequin: it is a visitor for still_s, then disowned, once."""
    camera = msgspec.structs.replace(CAMERA, still=StillConfig(still_s=30.0))
    run = Run(make(camera), [detections_at(i / 5, [(0.5, 0.6)]) for i in range(600)])
    (left,) = (event for event in run.of(ZoneLeft) if event.zone == "display")
    assert (left.dwell_ms, left.partial, left.t_ms) == (None, True, pytest.approx(30_000, abs=500))
    assert sum(w.audit.still for w in run.windows) == 1
    assert run.finished == []


def test_closing_the_shop_empties_it() -> None:
    """The balance of the doors does not last over night."""
    pipeline = make()
    run = Run(pipeline, one_walker())
    assert run.live.inside == 1
    step = pipeline.step(detections_at(60.0, []), closed=True)
    assert (step.live.inside, step.live.drift) == (0, 1)


def test_blind_time_is_booked_however_it_is_told() -> None:
    """A gap between frames longer than blind_after_s, and a gap that was announced, count the same; short gaps are observed."""
    gap, told = make(), make()
    before, after = [detections_at(i / 10, []) for i in range(50)], [detections_at(11 + i / 10, []) for i in range(50)]
    silent = Run(gap, before + after)
    spoken = Run.__new__(Run)
    spoken.events, spoken.windows, spoken.finished = [], [], []
    for frame in before:
        spoken.take(told.step(frame))
    for second in range(5, 11):
        spoken.take(told.blind(4.9 if second == 5 else second, second + 1.0))
    for frame in after:
        spoken.take(told.step(frame))
    spoken.take(told.finish(15.9))
    assert [w.audit for w in silent.windows] == [w.audit for w in spoken.windows]
    assert [w.audit.observed_ms for w in silent.windows] == [4_900 + 4_000, 900]
    assert [w.audit.blind_ms for w in silent.windows] == [6_100, 14_100]


def test_blindness_closes_windows_too() -> None:
    """A camera that is covered for a minute still gives its windows, all blind."""
    pipeline = make()
    pipeline.step(detections_at(0.0, []))
    windows = pipeline.blind(0.0, 60.0).windows
    assert [w.audit.blind_ms for w in windows] == [15_000] * 4


def test_time_that_goes_back_is_taken_as_now() -> None:
    """A camera's clock that jumps back breaks nothing: no window is closed twice, no time is negative."""
    frames = one_walker()
    frames[100] = dataclasses.replace(frames[100], t_s=2.0)
    run = Run(make(), frames)
    assert [w.start_ms for w in run.windows] == sorted({w.start_ms for w in run.windows})
    assert sum(w.lines[0].entries for w in run.windows) == 1


def test_drops_and_fallback_are_in_the_audit() -> None:
    """Frames that were lost, and frames that the CPU took over."""
    pipeline = make()
    pipeline.step(dataclasses.replace(detections_at(0.0, []), dropped=3), fallback=True)
    (window,) = pipeline.finish(0.1).windows
    assert (window.audit.dropped_frames, window.audit.fallback_frames, window.audit.frames) == (3, 1, 1)


def test_births_away_from_edges_are_told_apart() -> None:
    """One walks in over the border, one appears in mid-room: two births, one of them inside."""
    room = msgspec.structs.replace(CAMERA, line=())
    frames = [detections_at(i / 10, [(0.5, min(1.2, 1.25 - 0.03 * i / 10)), (0.2, 0.6)]) for i in range(40)]
    run = Run(make(room), frames)
    assert [sum(getattr(w.audit, field) for w in run.windows) for field in ("births", "births_inside")] == [2, 1]


def test_the_live_page_sees_the_queue_now() -> None:
    """Length at once, the longest wait while nobody has been served, an estimate after the first."""
    pipeline, frames = make(), one_walker(until_s=30)
    seen = {round(frame.t_s, 1): pipeline.step(frame).live.zones[1] for frame in frames}
    assert (seen[5.0].count, seen[5.0].wait_estimate_ms) == (1, None)
    assert seen[5.0].longest_wait_ms == pytest.approx(2_250, abs=350)  # made twice a second
    assert (seen[29.0].count, seen[29.0].wait_estimate_ms) == (0, 0)


def test_the_open_window_is_what_would_be_lost() -> None:
    """Read in the middle and added up by hand: the same as what closes."""
    pipeline = make()
    for frame in one_walker(until_s=14.9):
        step = pipeline.step(frame)
    open_window = pipeline.open_window()
    (closed,) = pipeline.finish(14.8).windows
    assert step.windows == ()
    assert open_window is not None
    assert open_window.zones == closed.zones
    assert open_window.audit.frames == closed.audit.frames == 149


def test_what_is_unsettled_is_known_at_every_moment() -> None:
    """In every frame: crossings settled so far and those pending are the provisional ones of somebody who only walks through."""
    pipeline, provisional, settled, pending = make(), 0, 0, 0
    for frame in one_walker():
        for event in pipeline.step(frame).events:
            if isinstance(event, LineCrossed):
                provisional, settled = provisional + (event.stage == "provisional"), settled + (event.stage == "settled")
        sums, events = pipeline.unsettled()
        assert settled + len(events) == provisional
        assert sum(line.entries + line.exits for line in sums) == len(events)
        assert all(isinstance(event, LineCrossed) and event.stage == "settled" for event in events)
        pending = max(pending, len(events))
    assert (provisional, settled, pending) == (1, 1, 1)


def test_pending_crossings_of_windows_alone_are_sums() -> None:
    """Where no event may leave, none crosses as unsettled either."""
    pipeline = make(disclosure="windows")
    seen = [pipeline.unsettled() for frame in one_walker() if pipeline.step(frame)]
    assert any(sums for sums, _ in seen)
    assert not any(events for _, events in seen)


def test_two_runs_say_the_same_bytes() -> None:
    """Same detections, same seed: every event and every window, to the last bit."""
    first, second = Run(make(seed=9), crowd(9)), Run(make(seed=9), crowd(9))
    assert msgspec.json.encode([first.events, first.windows]) == msgspec.json.encode([second.events, second.windows])


def test_feet_tell_where_people_stand_and_not_who_they_are() -> None:
    """Thousandths of the view in the order of the plane; nobody before the first frame."""
    pipeline = make()
    assert pipeline.feet() == ()
    for frame in (detections_at(t / 10, [(0.8, 0.6), (0.2, 0.9)]) for t in range(10)):
        pipeline.step(frame)
    assert [(round(x, -1), round(y, -1)) for x, y in pipeline.feet()] == [(200, 900), (800, 600)]
