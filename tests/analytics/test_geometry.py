"""Plane geometry: which side, how far, through which segment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.analytics.geometry import (
    along_shares,
    box_heights,
    foot_points,
    inside_polygon,
    is_cut,
    left_distances,
    meeting_share,
    polygon_depths,
    side_crossed,
    standing_height,
)

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
UNIT = st.floats(0.0, 1.0, allow_nan=False, width=32)
POINTS = st.tuples(UNIT, UNIT)


def points(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def test_left_of_a_line_from_left_to_right_is_up() -> None:
    """Someone at the left end who looks right along the line has the upper half of the picture at the left hand."""
    above, below = left_distances(points((0.5, 0.3), (0.5, 0.9)), (0.1, 0.8), (0.9, 0.8), 4 / 3)
    assert above == pytest.approx(0.5)
    assert below == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        ((0.1, 0.5), (0.9, 0.5), (0.5, 0.1)),  # looking right: left is up
        ((0.9, 0.5), (0.1, 0.5), (0.5, 0.9)),  # looking left: left is down
        ((0.5, 0.1), (0.5, 0.9), (0.9, 0.5)),  # looking down: left is right in the picture
        ((0.5, 0.9), (0.5, 0.1), (0.1, 0.5)),  # looking up: left is left
    ],
)
def test_left_is_as_seen_in_the_picture(start: tuple[float, float], end: tuple[float, float], left: tuple[float, float]) -> None:
    """For each of the four ways to look, the named point lies to the left and its mirror image to the right."""
    mirror = (1 - left[0], 1 - left[1])
    distances = left_distances(points(left, mirror), start, end, 16 / 9)
    assert distances[0] > 0 > distances[1]


def test_distances_are_true_lengths_in_a_wide_picture() -> None:
    """In a picture twice as wide as high, half the width is one whole height."""
    assert left_distances(points((0.0, 0.5)), (0.5, 1.0), (0.5, 0.0), 2.0)[0] == pytest.approx(1.0)


def test_a_line_without_length_has_no_sides() -> None:
    """Start and end on one spot give distance zero, never a division by zero."""
    assert left_distances(points((0.3, 0.4)), (0.5, 0.5), (0.5, 0.5), 1.0)[0] == 0.0
    assert along_shares(points((0.3, 0.4)), (0.5, 0.5), (0.5, 0.5), 1.0)[0] == 0.0


@given(point=POINTS, start=POINTS, end=POINTS)
def test_turning_a_line_round_turns_its_sides_round(
    point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]
) -> None:
    """Left of A to B is right of B to A."""
    there = left_distances(points(point), start, end, 1.5)[0]
    back = left_distances(points(point), end, start, 1.5)[0]
    assert there == pytest.approx(-back, abs=1e-9)


def test_along_shares_count_from_start_to_end() -> None:
    """0 beside the start, 1 beside the end, beyond them on the extensions."""
    shares = along_shares(points((0.2, 0.1), (0.8, 0.9), (0.5, 0.5), (1.1, 0.5)), (0.2, 0.5), (0.8, 0.5), 4 / 3)
    assert shares == pytest.approx([0.0, 1.0, 0.5, 1.5])


def test_a_way_meets_the_segment_but_not_its_extension() -> None:
    """Through the middle of the segment: met half way; beside its end: not met."""
    assert meeting_share((0.5, 0.4), (0.5, 0.6), (0.2, 0.5), (0.8, 0.5)) == pytest.approx(0.5)
    assert meeting_share((0.9, 0.4), (0.9, 0.6), (0.2, 0.5), (0.8, 0.5)) is None
    assert meeting_share((0.5, 0.4), (0.5, 0.45), (0.2, 0.5), (0.8, 0.5)) is None
    assert meeting_share((0.1, 0.4), (0.2, 0.4), (0.2, 0.5), (0.8, 0.5)) is None


def test_inside_and_depth_of_a_square() -> None:
    """The middle is inside and half a side deep, in true lengths; outside is negative."""
    spots = points((0.5, 0.5), (0.5, 0.3), (0.1, 0.5), (0.5, 0.85))
    assert inside_polygon(spots, SQUARE).tolist() == [True, True, False, False]
    assert polygon_depths(spots, SQUARE, 2.0) == pytest.approx([0.25, 0.05, -0.3, -0.1])


def test_neighbours_share_a_border_without_overlap() -> None:
    """A point on the border between two polygons lies in exactly one of them."""
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    right = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
    border = points(*((0.5, y) for y in np.linspace(0.01, 0.99, 50)))
    assert (inside_polygon(border, left) ^ inside_polygon(border, right)).all()


@pytest.mark.parametrize(("outer", "side"), [((0.5, 0.1), 0), ((0.9, 0.5), 1), ((0.5, 0.9), 2), ((0.1, 0.5), 3)])
def test_the_side_by_which_a_way_leaves(outer: tuple[float, float], side: int) -> None:
    """From the middle of a square through each of its sides, numbered from point i to point i+1."""
    assert side_crossed((0.5, 0.5), outer, SQUARE) == side
    assert side_crossed(outer, (0.5, 0.5), SQUARE) == side


def test_a_way_within_leaves_by_no_side() -> None:
    """Two points inside meet no side."""
    assert side_crossed((0.4, 0.4), (0.6, 0.6), SQUARE) is None


def test_feet_and_heights_of_boxes() -> None:
    """The foot point is the bottom centre; a box without height still has one to divide by."""
    boxes = np.array([[0.2, 0.1, 0.4, 0.5], [0.2, 0.5, 0.4, 0.5]])
    assert foot_points(boxes) == pytest.approx(np.array([[0.3, 0.5], [0.3, 0.5]]))
    assert box_heights(boxes)[0] == pytest.approx(0.4)
    assert box_heights(boxes)[1] > 0


def test_who_is_cut_by_the_bottom_edge_is_at_least_as_tall_as_people_are_there() -> None:
    """A head at the bottom edge belongs to a whole person; a box within the view, and a taller one, are what they are."""
    head, whole, tall = np.array([0.4, 0.8, 0.5, 1.0]), np.array([0.4, 0.5, 0.5, 0.9]), np.array([0.4, 0.1, 0.5, 1.0])
    assert [round(standing_height(box, 0.6), 9) for box in (head, whole, tall)] == [0.6, 0.4, 0.9]


def test_cut_are_boxes_at_the_sides_and_the_bottom_of_the_view() -> None:
    """A box at the top edge stands whole beneath it: its feet are seen."""
    boxes = ([0.0, 0.2, 0.1, 0.5], [0.9, 0.2, 1.0, 0.5], [0.4, 0.7, 0.5, 1.0], [0.4, 0.0, 0.5, 0.5], [0.4, 0.2, 0.5, 0.5])
    assert [is_cut(np.array(box)) for box in boxes] == [True, True, True, False, False]
