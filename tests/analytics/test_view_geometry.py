"""Plane geometry of a camera's view."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.analytics.view_geometry import (
    View,
    apart,
    area,
    aspect_of,
    cells,
    compass,
    inscribed,
    normal_to_in,
    outward,
    self_crossing,
    view_of,
)
from firmware.config import CameraConfig, LineConfig, Point

VIEW = View(16 / 9, 0.1, 0.5)
SQUARE: tuple[Point, ...] = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))


@pytest.mark.parametrize(
    ("start", "end", "way"),
    [
        ((0.1, 0.5), (0.9, 0.5), "up"),
        ((0.9, 0.5), (0.1, 0.5), "down"),
        ((0.5, 0.1), (0.5, 0.9), "right"),
        ((0.5, 0.9), (0.5, 0.1), "left"),
        ((0.1, 0.1), (0.5, 0.1 + 0.4 * 16 / 9), "up and right"),
    ],
)
def test_left_of_a_line_is_left_as_seen_in_the_picture(start: Point, end: Point, way: str) -> None:
    """Who walks from start to end has the side `left` on their left hand, the picture seen from above."""
    left = LineConfig("l", start, end, in_side="left")
    right = LineConfig("l", start, end, in_side="right")
    assert compass(*normal_to_in(left, 16 / 9)) == way
    nx, ny = normal_to_in(right, 16 / 9)
    assert (-nx, -ny) == pytest.approx(normal_to_in(left, 16 / 9))


@settings(deadline=None)
@given(st.permutations(range(6)))
def test_corners_on_a_circle_cross_unless_they_go_round(order: list[int]) -> None:
    """A polygon through points of a circle is simple if, and only if, it visits them in their order round it."""
    polygon = tuple((0.5 + 0.3 * math.cos(k * math.tau / 6), 0.5 + 0.3 * math.sin(k * math.tau / 6)) for k in order)
    round_it = all((b - a) % 6 == (order[1] - order[0]) % 6 for a, b in zip(order, [*order[1:], order[0]], strict=True))
    in_order = round_it and (order[1] - order[0]) % 6 in {1, 5}
    assert (self_crossing(polygon) is None) is in_order


def test_a_polygon_that_folds_back_on_itself_crosses_itself() -> None:
    """A spike has no inside, though no two of its sides cross."""
    assert self_crossing(((0.1, 0.1), (0.5, 0.1), (0.3, 0.1))) is not None
    assert self_crossing((*SQUARE, (0.2, 0.4))) is None
    assert self_crossing((*SQUARE, (0.4, 0.6))) is not None


def test_every_triangle_is_simple() -> None:
    """Three corners cannot be out of order."""
    for corners in permutations(((0.1, 0.1), (0.5, 0.2), (0.3, 0.7))):
        assert self_crossing(corners) is None


@settings(deadline=None)
@given(st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.sampled_from([1.0, 4 / 3, 16 / 9]))
def test_the_widest_circle_of_a_rectangle_is_as_wide_as_its_shorter_side(width: float, height: float, aspect: float) -> None:
    """Within 3 %, measured in true lengths."""
    polygon = ((0.1, 0.1), (0.1 + width, 0.1), (0.1 + width, 0.1 + height), (0.1, 0.1 + height))
    radius, _ = inscribed(polygon, View(aspect, 0.1, 0.5))
    assert radius == pytest.approx(min(width * aspect, height) / 2, rel=0.03)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)), min_size=3, max_size=3))
def test_cells_cover_the_area(corners: list[Point]) -> None:
    """The share of cells inside a triangle is its area, within a cell's width along its outline."""
    assert cells(tuple(corners)).mean() == pytest.approx(abs(area(tuple(corners))), abs=0.02)


def test_sides_face_away_from_the_zone_whichever_way_round_it_goes() -> None:
    """Side 0 of the square faces up, its corners clockwise or not."""
    assert compass(*outward(SQUARE, 0, VIEW)) == "up"
    assert compass(*outward(SQUARE, 1, VIEW)) == "right"
    assert compass(*outward(tuple(reversed(SQUARE)), 0, VIEW)) == "down"


@pytest.mark.parametrize(
    ("source", "aspect"),
    [("picamera2:1", 4 / 3), ("sim:?seed=1", 4 / 3), ("V4L2:/dev/video0", 4 / 3), ("shop.mp4", 16 / 9), ("rtsp://c", 16 / 9)],
)
def test_the_usual_shape_of_a_picture_follows_from_its_source(source: str, aspect: float) -> None:
    """What Passerby itself asks a camera for is 4:3."""
    assert aspect_of(CameraConfig("c", source)) == aspect


def test_people_grow_towards_the_bottom_of_the_view() -> None:
    """Box height goes evenly from the far value to the near one, and no farther."""
    view = view_of(CameraConfig("c", "sim:", person_height_share=(0.1, 0.5)), 16 / 9)
    assert [view.person(y) for y in (-1.0, 0.0, 0.5, 1.0, 2.0)] == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.5])


def test_a_foot_point_is_seen_where_half_a_person_is_in_view() -> None:
    """Not at the very top, where only feet show; at the very bottom, where the box ends with the picture; not at the very side."""
    assert not VIEW.seen(0.5, 0.02)
    assert VIEW.seen(0.5, 0.1)
    assert VIEW.seen(0.5, 1.0)
    assert not VIEW.seen(0.5, 1.01)
    assert not VIEW.seen(0.005, 0.9)
    assert VIEW.seen(0.05, 0.9)


def test_the_distance_to_a_segment_ends_at_its_ends() -> None:
    """Beyond an end, the distance is to the end."""
    assert apart((0, 0), (1, 0), (0.5, 0.2)) == pytest.approx(0.2)
    assert apart((0, 0), (1, 0), (1.3, 0.4)) == pytest.approx(0.5)
    assert apart((0, 0), (0, 0), (0.3, 0.4)) == pytest.approx(0.5)
