"""The kernel of presence: geometry in plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.analytics.geometry import meeting_share, side_crossed
from firmware.analytics.presence_kernel import FIRST, LAST, P_FROM_X, P_TO_Y, PERSON_COLUMNS, contains, distance, meeting

NOTCHED = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.5, 0.5), (0.2, 0.8))
CORNERS = np.array([[(*point, 0.0) for point in NOTCHED]])


def going(*way: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A person on a way from x, y to x, y."""
    person = np.zeros(PERSON_COLUMNS)
    person[P_FROM_X : P_TO_Y + 1] = way
    return person


@pytest.mark.parametrize(
    ("x", "y", "inside"), [(0.5, 0.3, True), (0.5, 0.7, False), (0.3, 0.6, True), (0.1, 0.5, False), (0.5, 0.0, False)]
)
def test_a_notch_is_outside(x: float, y: float, inside: bool) -> None:
    """Even-odd: between the two legs one stands outside."""
    assert contains(CORNERS, 5, 0, x, y) is inside


def test_a_way_through_two_sides_meets_the_first_and_the_last() -> None:
    """Across both legs: out by side 2 at once, out by side 1 in the end."""
    person = going(0.25, 0.6, 0.95, 0.6)
    assert meeting(CORNERS, 5, 0, person, FIRST)[1] == 3.0
    assert meeting(CORNERS, 5, 0, person, LAST)[1] == 1.0


def test_a_way_that_meets_nothing() -> None:
    """Inside all the way."""
    assert meeting(CORNERS, 5, 0, going(0.3, 0.3, 0.6, 0.3), FIRST) == (-1.0, -1.0)


def test_the_kernel_and_the_geometry_of_the_checks_agree_on_sides() -> None:
    """Two thousand random ways out of a square: the same side, the same share."""
    square = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
    corners, rng = np.array([[(*point, 0.0) for point in square]]), np.random.default_rng(2)
    for _ in range(2000):
        inner, outer = tuple(rng.uniform(0.31, 0.69, 2).tolist()), tuple(rng.uniform(0, 1, 2).tolist())
        share, side = meeting(corners, 4, 0, going(*inner, *outer), FIRST)
        expected = side_crossed(inner, outer, square)
        assert (None if side < 0 else int(side)) == expected
        if expected is not None:
            assert share == meeting_share(inner, outer, square[expected], square[(expected + 1) % 4])


def test_distances_are_true_in_a_wide_picture() -> None:
    """Beside a side they are measured across it, beyond a corner to the corner; across, a wide picture counts as wide."""
    square = np.array([[(x, y, 0.0) for x, y in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))]])
    assert distance(square, 4, 0, 0.8, 0.5, 2.0) == pytest.approx(0.2)
    assert distance(square, 4, 0, 0.5, 0.2, 2.0) == pytest.approx(0.1)
    assert distance(square, 4, 0, 0.85, 1.1, 2.0) == pytest.approx(0.5)
