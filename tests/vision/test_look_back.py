"""A confirmed track finds the first box that nobody could place, and only its own."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.vision.detection import Detections
from firmware.vision.track import Tracks
from firmware.vision.tracker import Tracker

STEP = 0.06  # of the view, each fifth of a second: a brisk walk for a box of three tenths
PLACES = {0: 0.10, 4: 0.10 + 4 * STEP, 5: 0.10 + 5 * STEP}  # seen, missed for four fifths of a second, and seen again


def box(x: float, height: float = 0.3) -> list[float]:
    return [x, 0.8 - height, x + 0.06, 0.8]


def walked(places: dict[int, list[list[float]]], frames: int) -> Tracks:
    """The tracks of the last of so many frames, five a second."""
    tracker = Tracker()
    for frame in range(frames):
        boxes = np.array(places.get(frame, [])).reshape(-1, 4)
        tracks = tracker.step(Detections(frame / 5, boxes, np.full(len(boxes), 0.9), aspect=1.5))
    return tracks


def test_the_birth_of_a_track_is_the_first_box_on_its_way() -> None:
    """Seen once, missed three times, then followed: it was born when and where it was first seen."""
    tracks = walked({frame: [box(x)] for frame, x in PLACES.items()}, 6)
    assert tracks.born_s.tolist() == [0.0]
    assert tracks.birth_boxes[0] == pytest.approx(box(0.10))


@pytest.mark.parametrize("first", [box(0.6), box(0.10, height=0.15), [0.10, 0.1, 0.16, 0.4]])
def test_a_box_elsewhere_or_of_another_size_was_somebody_else(first: list[float]) -> None:
    """Ahead instead of behind, a child before an adult, a head's height away: the track was born where it was followed from."""
    tracks = walked({0: [first], **{frame: [box(x)] for frame, x in PLACES.items() if frame}}, 6)
    assert tracks.born_s.tolist() == [0.8]


def test_what_is_too_long_ago_is_forgotten() -> None:
    """After more than a second the pace of two boxes says nothing about where they came from."""
    tracks = walked({0: [box(0.0)], 6: [box(6 * STEP)], 7: [box(7 * STEP)]}, 8)
    assert tracks.born_s.tolist() == [1.2]


def test_a_box_is_the_first_of_one_track_only() -> None:
    """Of two who walk on side by side from there, the one that fits better has it."""
    places = {frame: [box(x), [x, 0.52, x + 0.06, 0.82]] if frame else [box(x)] for frame, x in PLACES.items()}
    assert sorted(walked(places, 6).born_s.tolist()) == [0.0, 0.8]


def test_whoever_is_followed_from_the_start_keeps_their_birth() -> None:
    """Without a gap there is nothing to look for."""
    tracks = walked({frame: [box(0.1 + frame * STEP)] for frame in range(6)}, 6)
    assert tracks.born_s.tolist() == [0.0]
