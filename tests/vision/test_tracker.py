"""The tracker keeps one id on one person, in bounded memory, whatever the clock does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.config import TrackerConfig
from firmware.vision.detection import Detections, no_detections
from firmware.vision.track import Tracks
from firmware.vision.tracker import Tracker

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


def test_a_track_is_confirmed_only_after_its_trial() -> None:
    """A single flash of a box is never listed; a box seen for confirm_s is."""
    tracker = Tracker(TrackerConfig(confirm_s=0.2))
    assert len(tracker.step(seen(0.0, person(0.5))).ids) == 0
    assert len(tracker.step(seen(0.1, person(0.5))).ids) == 0
    assert tracker.step(seen(0.2, person(0.5))).ids.tolist() == [1]


def test_a_track_coasts_then_ends_once() -> None:
    """Unseen, a track is listed as not seen until lost_s_max; then its id is reported as ended, once."""
    tracker = Tracker(TrackerConfig(lost_s_max=1.0))
    walk(tracker, np.full(10, 0.5), 10)
    steps = [tracker.step(no_detections(1.0 + k / 10, aspect=1.0)) for k in range(15)]
    assert [len(tracks.ids) for tracks in steps] == [1] * 9 + [0] * 6 or [len(tracks.ids) for tracks in steps] == [1] * 10 + [0] * 5
    assert not any(tracks.seen.any() for tracks in steps)
    assert [ended for tracks in steps for ended in tracks.ended] == [1]
