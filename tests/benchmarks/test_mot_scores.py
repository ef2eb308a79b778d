"""The public scorer is fed rightly."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.mot_scores import Frames, overlaps, score
from benchmarks.perturbed import Truth


def truth() -> Truth:
    frames, ids = np.repeat(np.arange(1, 11), 2), np.tile([3, 9], 10)
    boxes = np.column_stack((ids * 50.0 + frames, np.full(20, 10.0), np.full(20, 40.0), np.full(20, 100.0)))
    return Truth(frames, ids, boxes, np.ones(20), 10.0, (640, 480))


def perfect() -> Frames:
    t = truth()
    return [(t.ids[t.frames == f] + 100, t.boxes[t.frames == f]) for f in range(1, 11)]


def test_overlap_of_a_box_with_itself_is_one_and_with_a_far_one_zero() -> None:
    """And a third for two boxes of the same size, half apart."""
    box = np.array([[0.0, 0, 10, 10]])
    others = np.array([[0.0, 0, 10, 10], [5, 0, 10, 10], [50, 50, 10, 10]])
    np.testing.assert_allclose(overlaps(box, others), [[1, 1 / 3, 0]])


def test_a_perfect_tracker_scores_one() -> None:
    """Whatever its ids are called."""
    pytest.importorskip("trackeval", reason="the scorer lives in the venv of `make bench`")
    scores = score(truth(), perfect())
    assert (scores.hota, scores.idf1, scores.mota, scores.switches, scores.ids) == (pytest.approx(1), 1, 1, 0, 2)


def test_a_switch_costs_identity_and_not_detection() -> None:
    """The ids of the second half are others."""
    pytest.importorskip("trackeval", reason="the scorer lives in the venv of `make bench`")
    torn = [(ids + (1000 if k >= 5 else 0), boxes) for k, (ids, boxes) in enumerate(perfect())]
    scores = score(truth(), torn)
    assert scores.det_a == pytest.approx(1)
    assert scores.switches == 2
    assert scores.idf1 == pytest.approx(0.5)


def test_frames_without_tracks_are_misses() -> None:
    """The list of tracks may be shorter than the truth."""
    pytest.importorskip("trackeval", reason="the scorer lives in the venv of `make bench`")
    assert score(truth(), perfect()[:5]).mota == pytest.approx(0.5)
