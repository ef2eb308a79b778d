"""Perturbed truth is a detector's, not a random number generator's: seeded, and wrong in the ways it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.perturbed import STANDARD, Truth, perturbed, read_truth, thinned

FRAMES = 200
GT = "1,1,10,20,30,90,1,1,0.5\n1,2,50,20,30,90,0,7,1\n2,1,11,20,30,90,1,1,1\n"


def truth_of(visibility: float) -> Truth:
    """Ten people who stand still for FRAMES frames."""
    frames, ids = np.repeat(np.arange(1, FRAMES + 1), 10), np.tile(np.arange(10), FRAMES)
    boxes = np.column_stack((100.0 * ids, np.full(len(ids), 50.0), np.full(len(ids), 80.0), np.full(len(ids), 200.0)))
    return Truth(frames, ids, boxes, np.full(len(ids), visibility), 10.0, (1920, 1080))


def found(truth: Truth, seed: int = 1) -> float:
    """Detections for each true box, without ghosts."""
    return sum(len(boxes) for boxes, _ in perturbed(truth, STANDARD._replace(ghosts=0), seed)) / len(truth.frames)


def test_the_same_seed_gives_the_same_detections() -> None:
    """And another seed others."""
    one, same, other = (perturbed(truth_of(1.0), STANDARD, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(one, other, strict=True))


def test_people_are_missed_the_more_the_less_is_visible() -> None:
    """Nearly all when visible, few when hidden."""
    assert found(truth_of(1.0)) > 0.9 > found(truth_of(0.3)) > found(truth_of(0.05))


def test_scores_fall_with_what_is_hidden_and_are_in_0_to_1() -> None:
    """Hidden people have low scores: what second associations live on."""
    means = []
    for visibility in (1.0, 0.3):
        scores = np.concatenate([scores for _, scores in perturbed(truth_of(visibility), STANDARD, 1)])
        assert scores.min() >= 0
        assert scores.max() <= 1
        means.append(scores.mean())
    assert means[0] > means[1] + 0.1


def test_boxes_jitter_by_about_the_stated_share() -> None:
    """Of their height, in the centre."""
    boxes = np.concatenate([boxes for boxes, _ in perturbed(truth_of(1.0), STANDARD._replace(ghosts=0), 1)])
    centre_y = boxes[:, 1] + boxes[:, 3] / 2
    assert centre_y.std() / 200 == pytest.approx(STANDARD.jitter, rel=0.15)


def test_ghosts_are_as_many_as_stated() -> None:
    """For each true box, on average over time."""
    with_ghosts = sum(len(boxes) for boxes, _ in perturbed(truth_of(1.0), STANDARD._replace(ghosts=0.3), 1)) / (10 * FRAMES)
    assert with_ghosts - found(truth_of(1.0)) == pytest.approx(0.3, abs=0.12)


def test_rows_that_are_not_considered_are_left_out() -> None:
    """Seventh column 0: a statue, a reflection."""
    truth = read_truth(GT, 30.0, (100, 100))
    assert truth.ids.tolist() == [1, 1]
    assert truth.visibility.tolist() == [0.5, 1.0]


def test_thinning_keeps_every_nth_frame_and_the_seconds() -> None:
    """Three times fewer frames, a third of the rate."""
    thin = thinned(truth_of(1.0), 3)
    assert thin.fps == pytest.approx(10 / 3)
    assert int(thin.frames.max()) == (FRAMES + 2) // 3
