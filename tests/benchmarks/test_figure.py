"""What a figure says of itself."""

from __future__ import annotations

import json

import pytest

from benchmarks.figure import Sense, figure


@pytest.mark.parametrize(
    ("value", "sense", "bound", "holds"),
    [
        (10.0, "at least", 10, True),
        (9.9, "at least", 10, False),
        (3.0, "at most", 2, False),
        (0.0, "equal", 0, True),
        (1.0, "equal", 0, False),
        (5.0, "shown", 0, True),
        (float("nan"), "at least", 0, False),
        (float("nan"), "shown", 0, False),
    ],
)
def test_a_figure_holds_when_its_value_keeps_the_bound(value: float, sense: Sense, bound: float, holds: bool) -> None:
    """A value is judged by the sense of its bound, and what is not a number never holds."""
    assert figure("x", value, sense, bound).holds is holds


def test_a_figure_is_one_line_of_json_with_six_keys() -> None:
    """`make show` prints name, value, bound, unit, holds and command on one line."""
    line = figure("tracker.speedup.50", 21.3, "at least", 10, unit="times", command="python -m benchmarks.tracking").line()
    assert "\n" not in line
    assert json.loads(line) == {
        "name": "tracker.speedup.50",
        "value": 21.3,
        "bound": "at least 10",
        "unit": "times",
        "holds": True,
        "command": "python -m benchmarks.tracking",
    }


def test_what_is_not_a_number_is_printed_as_null() -> None:
    """JSON has no NaN: the line stays readable by every parser."""
    assert json.loads(figure("x", float("nan"), "at least", 1).line())["value"] is None
