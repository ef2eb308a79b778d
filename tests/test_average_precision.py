"""Average precision: by hand on small cases, and the same as the trainer's own measure."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from firmware.average_precision import Judged, average_precision, overlap

ANN, BOB = [0.1, 0.1, 0.2, 0.5], [0.6, 0.1, 0.7, 0.5]
NOWHERE = [0.3, 0.6, 0.4, 0.9]


def judged(found: list[list[float]], scores: list[float], truth: list[list[float]]) -> Judged:
    return Judged(np.array(found, float).reshape(-1, 4), np.array(scores, float), np.array(truth, float).reshape(-1, 4))


def test_all_found_is_one() -> None:
    """Everybody found and nobody else: 1."""
    assert average_precision([judged([ANN, BOB], [0.9, 0.8], [ANN, BOB])]) == 1.0


def test_a_false_box_first_costs_half() -> None:
    """With the false box scored above the only true one, precision at full recall is a half."""
    assert average_precision([judged([NOWHERE, ANN], [0.9, 0.8], [ANN])]) == 0.5


def test_a_false_box_last_costs_nothing() -> None:
    """A false box below every true one takes nothing away."""
    assert average_precision([judged([ANN, NOWHERE], [0.9, 0.1], [ANN])]) == 1.0


def test_a_person_is_found_once() -> None:
    """A second box on the same person is false."""
    assert average_precision([judged([ANN, ANN, BOB], [0.9, 0.8, 0.7], [ANN, BOB])]) == pytest.approx((1 + 2 / 3) / 2)


def test_scores_are_ranked_over_all_pictures() -> None:
    """A confident false box in an empty picture counts against a timid true one elsewhere."""
    assert average_precision([judged([NOWHERE], [0.9], []), judged([ANN], [0.5], [ANN])]) == 0.5


def test_nobody_anywhere_is_no_number() -> None:
    """Without a person in the truth there is no precision to average; without a box found it is 0."""
    assert math.isnan(average_precision([judged([ANN], [0.9], [])]))
    assert average_precision([judged([], [], [ANN])]) == 0.0


def test_overlap_of_shifted_boxes() -> None:
    """Boxes shifted by half a side share a third; apart, nothing."""
    assert overlap(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0], [5, 5, 6, 6.0]])) == pytest.approx(np.array([[1 / 3, 0.0]]))


@pytest.mark.parametrize("seed", range(5))
def test_same_as_the_trainers_measure(seed: int) -> None:
    """On random pictures our figure is the one that training prints."""
    measure = importlib.import_module("models_tflite.training.measure")
    draw = np.random.default_rng(seed)
    pictures = []
    for _ in range(12):
        corner, side = draw.random((5, 2)) * 0.7, 0.1 + draw.random((5, 2)) * 0.2
        truth = np.hstack([corner, corner + side])
        found = np.vstack([truth + draw.normal(0, 0.02, truth.shape), truth[:2] + 0.3])
        pictures.append(Judged(found, draw.random(len(found)), truth))
    theirs = measure.average_precision([measure.Found(p.found, p.scores) for p in pictures], [p.truth for p in pictures])
    assert average_precision(pictures) == pytest.approx(theirs, abs=1e-9)
    assert 0.05 < theirs < 0.95
