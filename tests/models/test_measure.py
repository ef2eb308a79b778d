"""Figures done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models_tflite.training import measure
from models_tflite.training.measure import Found

TRUTH = [np.array([[0.1, 0.1, 0.3, 0.5], [0.6, 0.1, 0.8, 0.5]])]


def found(*rows: tuple[float, float, float, float, float]) -> list[Found]:
    table = np.array(rows).reshape(-1, 5)
    return [Found(table[:, :4], table[:, 4])]


def test_perfect_is_one() -> None:
    """Both people found with no false alarm is an average precision of one."""
    assert measure.average_precision(found((0.1, 0.1, 0.3, 0.5, 0.9), (0.6, 0.1, 0.8, 0.5, 0.8)), TRUTH) == 1.0


def test_false_alarm_between_two_finds() -> None:
    """Right, wrong, right: half the people at precision one, half at two thirds."""
    rows = ((0.1, 0.1, 0.3, 0.5, 0.9), (0.4, 0.6, 0.5, 0.9, 0.85), (0.6, 0.1, 0.8, 0.5, 0.8))
    assert measure.average_precision(found(*rows), TRUTH) == pytest.approx((1 + 2 / 3) / 2)


def test_second_box_on_one_person_is_a_false_alarm() -> None:
    """A person is found at most once."""
    rows = ((0.1, 0.1, 0.3, 0.5, 0.9), (0.1, 0.1, 0.3, 0.49, 0.85))
    assert measure.average_precision(found(*rows), TRUTH) == pytest.approx(0.5)


def test_heights_leave_others_out() -> None:
    """By height, people of another height are neither right nor wrong."""
    truth = [np.array([[0.1, 0.1, 0.3, 0.5], [0.6, 0.1, 0.65, 0.2]])]
    rows = found((0.1, 0.1, 0.3, 0.5, 0.9))
    assert measure.average_precision(rows, truth, heights=(0.25, 9)) == 1.0
    assert measure.average_precision(rows, truth, heights=(0, 0.25)) == 0.0


def test_recall_stops_at_the_false_alarms_allowed() -> None:
    """What scores below the first false alarm beyond the allowance does not count."""
    rows = ((0.1, 0.1, 0.3, 0.5, 0.9), (0.4, 0.6, 0.5, 0.9, 0.85), (0.6, 0.1, 0.8, 0.5, 0.8))
    assert measure.recall_at(found(*rows), TRUTH, 0.1) == pytest.approx((0.5, 0.9))
    assert measure.recall_at(found(*rows), TRUTH, 1.0) == pytest.approx((1.0, 0.8))


def test_suppression_keeps_the_better_of_two() -> None:
    """Of two boxes that overlap by more than allowed the better stays, and neighbours stay."""
    rows = found((0.1, 0.1, 0.3, 0.5, 0.7), (0.1, 0.1, 0.3, 0.52, 0.9), (0.6, 0.1, 0.8, 0.5, 0.5))[0]
    assert sorted(measure.suppress(rows, 0.55).scores.tolist()) == [0.5, 0.9]


def test_nothing_found_is_zero() -> None:
    """No box at all is an average precision of zero, a recall of zero, and as many miscounted as there are."""
    assert measure.average_precision(found(), TRUTH) == 0.0
    assert measure.recall_at(found(), TRUTH)[0] == 0.0
    assert measure.counting_error(found(), TRUTH, 0.5) == 2.0
