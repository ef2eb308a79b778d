"""Tracks of a recording, known to the end: trials are kept back, gaps are filled on request."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.hindsight import Hindsight
from firmware.vision.tracker import Sightings


def sighting(*tracks: tuple[int, bool, float]) -> Sightings:
    """Tracks as (id, confirmed, left edge); the filter is 0.02 left of the detection."""
    detected = np.array([[x, 0.0, x + 0.1, 0.3] for _, _, x in tracks]).reshape(-1, 4)
    ids, confirmed = np.array([i for i, _, _ in tracks], np.int64), np.array([c for _, c, _ in tracks], bool)
    return Sightings(ids, confirmed, detected - [0.02, 0, 0.02, 0], detected, np.full(len(tracks), 0.9))


def test_a_trial_that_ends_well_belongs_to_the_track() -> None:
    """The boxes from before the confirmation are written, too."""
    paths = Hindsight()
    for frame, confirmed in ((1, False), (2, False), (3, True)):
        paths.take(frame, sighting((7, confirmed, 0.1 * frame)))
    assert [(frame, track) for frame, track, _, _ in paths.rows()] == [(1, 7), (2, 7), (3, 7)]


def test_a_trial_that_fails_is_not_written_and_is_forgotten() -> None:
    """It leaves no rows, and no memory after a while."""
    paths = Hindsight()
    paths.take(1, sighting((7, False, 0.1), (8, True, 0.5)))
    assert [track for _, track, _, _ in paths.rows()] == [8]
    paths.forget(2)
    assert list(paths.paths) == [8]


def test_a_box_is_half_the_filter_s_and_half_the_detector_s() -> None:
    """0.02 apart: written in the middle."""
    paths = Hindsight()
    paths.take(1, sighting((1, True, 0.5)))
    assert paths.rows()[0][2][0] == pytest.approx(0.49)


def test_gaps_are_filled_only_up_to_the_limit() -> None:
    """Two missing frames are filled along a straight line when two are allowed; three are not."""
    paths = Hindsight()
    for frame, x in ((1, 0.0), (4, 0.3), (8, 0.7)):
        paths.take(frame, sighting((1, True, x)))
    assert [row[0] for row in paths.rows()] == [1, 4, 8]
    filled = paths.rows(gap_frames_max=2)
    assert [row[0] for row in filled] == [1, 2, 3, 4, 8]
    np.testing.assert_allclose([row[2][0] for row in filled], [-0.01, 0.09, 0.19, 0.29, 0.69])


def test_rows_are_ordered_by_frame_and_id() -> None:
    """Whatever the order in which tracks were confirmed."""
    paths = Hindsight()
    paths.take(1, sighting((5, False, 0.1), (6, True, 0.4)))
    paths.take(2, sighting((5, True, 0.1), (6, True, 0.4)))
    assert [row[:2] for row in paths.rows()] == [(1, 5), (1, 6), (2, 5), (2, 6)]
