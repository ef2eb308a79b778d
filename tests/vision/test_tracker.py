"""The tracker keeps one id on one person, in bounded memory, whatever the clock does."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.config import TrackerConfig
from firmware.vision.detection import Detections, no_detections
from firmware.vision.track import Tracks
from firmware.vision.tracker import Tracker, warm_up
from tests.vision.tracker_digest import digest

BOX = (0.1, 0.4)  # width and height of a person in these tests, 0..1


def person(x: float, y: float = 0.5, size: tuple[float, float] = BOX) -> list[float]:
    return [x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2]


def seen(t_s: float, *boxes: list[float], score: float = 0.9) -> Detections:
    return Detections(t_s, np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), score), aspect=1.0)


def walk(tracker: Tracker, xs: NDArray[np.float64], fps: float, start_s: float = 0.0) -> Tracks:
    for k, x in enumerate(xs):
        tracks = tracker.step(seen(start_s + k / fps, person(x)))
    return tracks


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_one_walker_keeps_one_id_at_any_frame_rate(fps: float) -> None:
    """A person who crosses the view at a walk is one track, at 5, 10 and 30 frames a second."""
    tracks = walk(Tracker(), np.arange(0.1, 0.9, 0.3 / fps), fps)
    assert tracks.ids.tolist() == [1]
    assert tracks.seen.tolist() == [True]
    assert tracks.born_s.tolist() == [0.0]
    np.testing.assert_allclose(tracks.birth_boxes, [person(0.1)], atol=1e-12)


def test_a_runner_at_five_frames_a_second_is_one_track() -> None:
    """Boxes of two frames that hardly touch: a person who runs a whole box width a frame keeps the id."""
    assert walk(Tracker(), np.arange(0.05, 0.95, 0.075), 5).ids.tolist() == [1]


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_two_who_pass_each_other_keep_their_ids(fps: float) -> None:
    """They overlap fully in the middle; each goes on as before."""
    tracker, steps = Tracker(), round(3 * fps)
    for k in range(steps + 1):
        share = k / steps
        tracks = tracker.step(seen(k / fps, person(0.1 + 0.8 * share, 0.5), person(0.9 - 0.8 * share, 0.52)))
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.boxes[0, 0] > 0.8 or tracks.boxes[1, 0] > 0.8
    first_began_left = tracks.birth_boxes[0, 0] < 0.5
    assert (tracks.boxes[0, 0] > 0.5) == first_began_left


def test_a_person_behind_a_shelf_is_found_again() -> None:
    """A second out of sight while walking on: the same id, and the speed is right afterwards."""
    tracker = Tracker()
    walk(tracker, np.arange(0.1, 0.4, 0.02), 10)
    for k in range(10):
        tracker.step(no_detections(1.5 + k / 10, aspect=1.0))
    tracks = walk(tracker, np.arange(0.60, 0.70, 0.02), 10, start_s=2.5)
    assert tracks.ids.tolist() == [1]
    after = tracker.step(no_detections(3.0, aspect=1.0))
    assert after.boxes[0, 0] > tracks.boxes[0, 0]


def test_a_ghost_of_another_size_does_not_inherit() -> None:
    """A box half as tall where a person was is a track of its own."""
    tracker = Tracker()
    walk(tracker, np.full(10, 0.5), 10)
    for k in range(5):
        tracks = tracker.step(seen(1.0 + k / 10, person(0.5, 0.5, (0.05, 0.2))))
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.seen.tolist() == [False, True]


def test_low_scores_keep_a_track_alive_but_begin_none() -> None:
    """Half hidden, the score drops: the track goes on. A faint box alone is nobody."""
    tracker = Tracker()
    walk(tracker, np.full(10, 0.3), 10)
    for k in range(10):
        tracks = tracker.step(seen(1.0 + k / 10, person(0.3), person(0.8), score=0.2))
    assert tracks.ids.tolist() == [1]
    assert tracks.seen.tolist() == [True]
    assert tracks.scores.tolist() == [0.2]


@pytest.mark.parametrize(
    ("score", "y", "people"), [(0.5, 0.68, 1), (0.7, 0.68, 2), (0.5, 0.28, 2)], ids=["legs", "somebody as sure", "somebody behind"]
)
def test_a_part_of_a_person_begins_no_track(score: float, y: float, people: int) -> None:
    """A box mostly within a larger, far surer one is a part of that person; an equally sure one, or one that stands out, is somebody."""
    tracker = Tracker()
    for k in range(8):
        boxes = np.array([person(0.5, 0.6, (0.2, 0.5)), person(0.5, y, (0.1, 0.24))])
        tracks = tracker.step(Detections(k / 10, boxes, np.array([0.9, score]), aspect=1.0))
    assert len(tracks.ids) == people


def test_a_track_is_confirmed_only_after_its_trial() -> None:
    """A single flash of a box is never listed; a box seen for confirm_s is."""
    tracker = Tracker(TrackerConfig(confirm_s=0.2))
    assert len(tracker.step(seen(0.0, person(0.5))).ids) == 0
    assert len(tracker.step(seen(0.1, person(0.5))).ids) == 0
    assert tracker.sightings().ids.tolist() == [1]
    assert tracker.sightings().confirmed.tolist() == [False]
    assert tracker.step(seen(0.2, person(0.5))).ids.tolist() == [1]


def test_a_trial_that_fails_is_never_mentioned() -> None:
    """A flash is neither listed nor reported as ended, and its id is not used again."""
    tracker = Tracker()
    steps = [tracker.step(seen(0.0, person(0.5)))] + [tracker.step(no_detections(k / 10, aspect=1.0)) for k in range(1, 30)]
    assert all(len(tracks.ids) == 0 and tracks.ended == () for tracks in steps)
    assert walk(tracker, np.full(10, 0.5), 10, start_s=3.0).ids.tolist() == [2]


def test_two_glimpses_far_apart_are_not_a_trial() -> None:
    """At 10 frames a second, what is seen twice with half a second between is two flashes; at 2 a second it is a person."""
    tracker = Tracker()
    for k in range(21):
        tracks = tracker.step(seen(k / 10, person(0.5)) if k % 5 == 0 else no_detections(k / 10, aspect=1.0))
        assert len(tracks.ids) == 0
    assert walk(Tracker(), np.full(5, 0.5), 2).ids.tolist() == [1]


def test_a_track_coasts_then_ends_once() -> None:
    """Unseen, a track is listed as not seen until lost_s_max; then its id is reported as ended, once."""
    tracker = Tracker(TrackerConfig(lost_s_max=1.0))
    walk(tracker, np.full(10, 0.5), 10)
    steps = [tracker.step(no_detections(1.0 + k / 10, aspect=1.0)) for k in range(15)]
    assert [len(tracks.ids) for tracks in steps] == [1] * 10 + [0] * 5
    assert not any(tracks.seen.any() for tracks in steps)
    assert [tracks.ended for tracks in steps] == [()] * 10 + [(1,)] + [()] * 4


def test_after_a_blind_minute_nobody_is_the_same() -> None:
    """However few frames were missed: time ends tracks, frames do not."""
    tracker = Tracker()
    walk(tracker, np.full(10, 0.5), 10)
    tracks = tracker.step(seen(61.0, person(0.5)))
    assert tracks.ended == (1,)
    assert len(tracks.ids) == 0


def test_a_frame_that_comes_twice_or_too_early_does_no_harm() -> None:
    """dt of zero and less: no new track, no number that is none; the time of the frame is handed on as it came."""
    tracker = Tracker()
    walk(tracker, np.arange(0.3, 0.5, 0.02), 10)
    for t_s in (0.9, 0.9, 0.4, 0.95):
        tracks = tracker.step(seen(t_s, person(0.49)))
        assert tracks.t_s == t_s
        assert tracks.ids.tolist() == [1]
        assert np.isfinite(tracks.boxes).all()


def test_an_irregular_clock_is_taken_at_its_word() -> None:
    """Frames come late and early; the walker's place follows their time, and the id stays."""
    tracker, rng, t_s = Tracker(), np.random.default_rng(2), 0.0
    for _ in range(60):
        tracks = tracker.step(seen(t_s, person(0.1 + 0.1 * t_s)))
        t_s += float(rng.uniform(0.02, 0.25))
    assert tracks.ids.tolist() == [1]


def test_boxes_are_calmer_than_detections() -> None:
    """The foot of somebody who stands jitters a quarter less than the detector's, at least."""
    tracker, rng = Tracker(), np.random.default_rng(4)
    feet, raw = [], []
    for k in range(200):
        box = person(0.5, 0.5 + 0.01 * rng.standard_normal())
        feet.append(tracker.step(seen(k / 10, box)).boxes[:, 3])
        raw.append(box[3])
    assert np.std(np.concatenate(feet[20:])) < 0.75 * np.std(raw)


def test_who_turns_is_not_carried_on() -> None:
    """Somebody who walks and turns back at five frames a second: the box never sails farther past them than a tenth of their height."""
    tracker, past = Tracker(), []
    for k in range(20):
        y = 0.3 + 0.05 * min(k, 20 - k)
        boxes = tracker.step(seen(k / 5, person(0.5, y))).boxes
        past += (boxes[:, 3] - person(0.5, y)[3]).tolist()
    assert 0.0 < max(past) < 0.1 * (person(0.5, 0.5)[3] - person(0.5, 0.5)[1])


def test_the_shape_of_the_picture_does_not_matter() -> None:
    """The same scene in a wide and in a square picture gives the same tracks: lengths are measured in box heights."""
    rng = np.random.default_rng(6)
    wide, square = Tracker(), Tracker()
    for k in range(40):
        boxes = np.array([person(0.2 + 0.01 * k), person(0.8 - 0.01 * k, 0.45)]) + 0.005 * rng.standard_normal((2, 4))
        squeezed = boxes * [0.5, 1, 0.5, 1]
        a = square.step(Detections(k / 10, boxes, np.full(2, 0.9), aspect=1.0))
        b = wide.step(Detections(k / 10, squeezed, np.full(2, 0.9), aspect=2.0))
        assert a.ids.tolist() == b.ids.tolist()
        np.testing.assert_allclose(a.boxes * [0.5, 1, 0.5, 1], b.boxes, rtol=1e-12)


def test_boxes_that_are_none_are_left_out() -> None:
    """No area, numbers that are none, infinite ones, scores that are none: no track, no error."""
    tracker, nan = Tracker(), float("nan")
    boxes = np.array([[0.5, 0.5, 0.5, 0.9], [0.6, 0.5, 0.4, 0.9], [nan, 0.1, 0.2, 0.9], [0.1, 0.1, 0.2, np.inf], person(0.7)])
    for k in range(10):
        tracks = tracker.step(Detections(k / 10, boxes, np.array([0.9, 0.9, 0.9, 0.9, nan]), aspect=1.0))
    assert len(tracks.ids) == 0
    assert len(tracker.sightings().ids) == 0


def test_the_order_of_detections_does_not_matter() -> None:
    """Ids are given from left to right of the picture, whatever the order of the detector."""
    boxes = [person(x) for x in (0.15, 0.4, 0.65, 0.9)]
    tracker = Tracker()
    for k in range(10):
        order = np.random.default_rng(k).permutation(4)
        tracks = tracker.step(seen(k / 10, *(boxes[i] for i in order)))
    np.testing.assert_allclose(tracks.boxes, boxes, atol=1e-9)
    assert tracks.ids.tolist() == [1, 2, 3, 4]


def test_what_is_beyond_the_capacity_is_refused_and_counted() -> None:
    """Twelve people, room for eight: the eight of the best scores are tracked, four are counted in every frame."""
    tracker = Tracker(TrackerConfig(capacity=8))
    boxes, scores = np.array([person(0.07 * k + 0.06) for k in range(12)]), np.linspace(0.5, 0.9, 12)
    for k in range(10):
        tracks = tracker.step(Detections(k / 10, boxes, scores, aspect=1.0))
    np.testing.assert_allclose(tracks.scores, scores[4:])
    assert tracker.refused == 40


def test_ids_belong_to_the_tracker() -> None:
    """A second tracker in the same process counts from 1 again."""
    assert walk(Tracker(), np.full(10, 0.5), 10).ids.tolist() == walk(Tracker(), np.full(10, 0.5), 10).ids.tolist() == [1]


def test_the_match_with_the_staff_colour_is_smoothed() -> None:
    """It follows the torso within seconds, not within frames; without a colour it is zero."""
    tracker = Tracker()
    for k in range(11):
        boxes = np.array([person(0.5)])
        tracks = tracker.step(Detections(k / 10, boxes, np.array([0.9]), 1.0, uniform=np.array([0.0 if k < 1 else 1.0])))
    assert 0.4 < tracks.uniform[0] < 0.8
    assert walk(Tracker(), np.full(10, 0.5), 10).uniform.tolist() == [0.0]


def test_what_a_step_returned_stays_as_it_was() -> None:
    """The arrays of an earlier step are not the tracker's own."""
    tracker = Tracker()
    before = walk(tracker, np.full(10, 0.5), 10)
    kept = before.boxes.copy()
    walk(tracker, np.full(10, 0.55), 10, start_s=1.0)
    np.testing.assert_array_equal(before.boxes, kept)


def test_memory_does_not_grow_with_the_frames() -> None:
    """Thousands of frames of people who come and go: the tables are those of the beginning."""
    tracker, rng = Tracker(TrackerConfig(capacity=64)), np.random.default_rng(8)
    tables = {id(array) for array in (*tracker._space[:7], *tracker._space.graph, *tracker._space.work)}
    size = sum(array.nbytes for array in (*tracker._space[:7], *tracker._space.graph, *tracker._space.work))
    for k in range(5000):
        boxes = np.array([person(x, y) for x, y in rng.uniform(0.1, 0.9, (rng.integers(0, 12), 2))]).reshape(-1, 4)
        tracks = tracker.step(Detections(k / 10, boxes, rng.uniform(0, 1, len(boxes)), aspect=1.0))
        assert len(tracks.ids) <= 64
    assert tables == {id(array) for array in (*tracker._space[:7], *tracker._space.graph, *tracker._space.work)}
    assert size == sum(array.nbytes for array in (*tracker._space[:7], *tracker._space.graph, *tracker._space.work))


def test_two_replays_are_the_same_bits_with_and_without_the_compiler() -> None:
    """A crowd with misses, ghosts, a shaking camera and an irregular clock: one digest, here twice, elsewhere in plain Python."""
    here = digest()
    assert digest() == here
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    plain = subprocess.run(
        [sys.executable, "-m", "tests.vision.tracker_digest"], capture_output=True, text=True, env=environment, check=True, timeout=240
    )
    assert plain.stdout.strip() == here


def test_warm_up_leaves_nothing_to_compile() -> None:
    """After it, the first frame of a new tracker calls kernels that are there."""
    from firmware.vision.tracker import _step

    warm_up()
    compiled = len(_step.signatures) if hasattr(_step, "signatures") else 0
    walk(Tracker(), np.full(3, 0.5), 10)
    Tracker().step(no_detections(0.0))
    assert (len(_step.signatures) if hasattr(_step, "signatures") else 0) == compiled


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_who_comes_in_over_the_border_is_one_track_from_the_first_glimpse(fps: float) -> None:
    """A person walks in at the lower border, out of it again at the end: cut boxes grow and shrink, the id stays."""
    tracker, ids = Tracker(), []
    for k in range(round(4 * fps) + 1):
        top = 1.0 - 0.3 * min(k / fps, 4 - k / fps)  # the box is 0.4 high; what lies below 1 is cut off
        if top < 0.9:
            tracks = tracker.step(seen(k / fps, [0.45, top, 0.55, min(top + 0.4, 1.0)]))
            ids += tracks.ids[tracks.seen].tolist()
    assert set(ids) == {1}
    assert tracks.born_s[0] < 0.6
    assert tracks.seen.all()
