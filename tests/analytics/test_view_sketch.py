"""Which way is in, in words and as a sketch."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.analytics.view_sketch import COLUMNS, line_words, sketch, zone_words
from firmware.config import CameraConfig, LineConfig, Point, ZoneConfig

TILL = ZoneConfig("till", ((0.1, 0.1), (0.5, 0.1), (0.5, 0.6), (0.1, 0.6)), kind="queue", service_side=2)
DOOR = CameraConfig("door", "sim:", line=(LineConfig("entrance", (0.10, 0.80), (0.90, 0.80)),), zone=(TILL,))
POINTS = st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))


@pytest.mark.parametrize(
    ("start", "end", "side", "words"),
    [
        ((0.1, 0.8), (0.9, 0.8), "left", "who goes up in the picture, away from the camera, counts as in"),
        ((0.1, 0.8), (0.9, 0.8), "right", "who goes down in the picture, towards the camera, counts as in"),
        ((0.5, 0.1), (0.5, 0.9), "left", "who goes right in the picture, counts as in"),
        ((0.5, 0.1), (0.5, 0.9), "right", "who goes left in the picture, counts as in"),
    ],
)
def test_the_direction_is_told_in_words(start: Point, end: Point, side: str, words: str) -> None:
    """People get left and right of a line wrong; up and down in the picture they do not."""
    assert words in line_words(LineConfig("l", start, end, in_side=side), 16 / 9)  # type: ignore[arg-type]


def test_a_queue_says_by_which_side_served_people_leave() -> None:
    """With the way that side faces, and its corners."""
    assert zone_words(TILL, DOOR, 16 / 9) == 'zone "till": queue; who leaves it down, over side 2 (corner 2 to 3), was served'


def test_the_sketch_shows_line_arrow_zone_and_service_side() -> None:
    """The whole view of the example, character by character."""
    drawn = sketch(DOOR, 16 / 9, ascii_only=True).split("\n")
    assert drawn[0] == "+" + "-" * COLUMNS + "+"
    assert drawn[2] == "|      0.........................1                               |"
    assert drawn[7] == "|      .          till           .                               |"
    assert drawn[11] == "|      3=========================2                               |"
    assert drawn[13] == "|                                ^ in: entrance                  |"
    assert drawn[15] == "|      A--------------------------------------------------B      |"
    assert len(drawn) == 20 + 2


def test_the_arrow_stands_on_the_side_that_is_in() -> None:
    """Whichever way the line runs and however near the edge, the arrow is beyond the line, and the name does not push it back."""
    camera = CameraConfig("c", "sim:", line=(LineConfig("a long name for a door", (0.92, 0.3), (0.92, 0.7)),))
    (row,) = [row for row in sketch(camera, 16 / 9).split("\n") if "→" in row]
    assert row.index("→") > int(0.92 * COLUMNS)
    assert "in: a long name" in row


@settings(deadline=None)
@example([(0.1, 0.1), (0.5, 0.1), (0.5, 0.5)], (0.1, 0.8), (0.9, 0.8), "a\nb\r\u0301\u200b\U0001f600\uac00", 4 / 3)
@given(st.lists(POINTS, min_size=3, max_size=6), POINTS, POINTS, st.text(min_size=1, max_size=64), st.sampled_from([0.3, 4 / 3, 5.0]))
def test_any_camera_can_be_drawn_within_its_frame(polygon: list[Point], start: Point, end: Point, name: str, aspect: float) -> None:
    """No shape and no name breaks the frame."""
    camera = CameraConfig("c", "sim:", line=(LineConfig(name, start, end),), zone=(ZoneConfig(name, tuple(polygon)),))
    drawn = sketch(camera, aspect).split("\n")
    frame = drawn[: next(row for row, text in enumerate(drawn) if text.startswith("└")) + 1]
    assert {len(row) for row in frame} == {COLUMNS + 2}
    assert all(row[0] in "┌│└" and row[-1] in "┐│┘" for row in frame)
