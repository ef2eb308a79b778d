"""Can this geometry count?"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firmware.analytics.geometry_check import Finding, check_camera, check_config
from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import CameraConfig, Config, LineConfig, Point, TrackerConfig, UplinkConfig, ZoneConfig
from firmware.vision.detection import Detections

ASPECT = 16 / 9
FAR, NEAR = 0.12, 0.55
POINTS = st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98))


def camera(*parts: LineConfig | ZoneConfig, **keys: Any) -> CameraConfig:
    lines = tuple(part for part in parts if isinstance(part, LineConfig))
    zones = tuple(part for part in parts if isinstance(part, ZoneConfig))
    return CameraConfig(**{"name": "door", "source": "sim:", "line": lines, "zone": zones, "person_height_share": (FAR, NEAR), **keys})


def line(start: Point, end: Point, **keys: Any) -> LineConfig:
    return LineConfig(**{"name": "entrance", "start": start, "end": end, **keys})


def zone(*polygon: Point, **keys: Any) -> ZoneConfig:
    return ZoneConfig(**{"name": "till", "polygon": polygon, **keys})


def box(left: float, top: float, right: float, bottom: float, **keys: Any) -> ZoneConfig:
    return zone((left, top), (right, top), (right, bottom), (left, bottom), **keys)


def found(*parts: LineConfig | ZoneConfig, **keys: Any) -> list[tuple[str, str]]:
    return [(finding.level, finding.rule) for finding in check_camera(camera(*parts, **keys), ASPECT)]


def the(*parts: LineConfig | ZoneConfig, **keys: Any) -> Finding:
    (one,) = check_camera(camera(*parts, **keys), ASPECT)
    return one


# ---- lines


def test_a_line_across_the_middle_is_good() -> None:
    """The line of the README raises nothing."""
    assert found(line((0.1, 0.8), (0.9, 0.8))) == []


@pytest.mark.parametrize("y", [0.95, 0.97, 0.98, 0.999])
def test_a_line_at_the_bottom_edge_can_never_be_cleared(y: float) -> None:
    """A foot point ends with the picture: below such a line there is no room for the dead band (roboflow/supervision#1838)."""
    one = the(line((0.1, y), (0.9, y)))
    assert (one.level, one.rule, one.path) == ("error", "line_near_edge", ("line", 0))
    assert "out side" in one.what
    assert "up" in one.hint


@pytest.mark.parametrize("y", [0.01, 0.03, 0.05])
def test_a_line_at_the_top_edge_can_never_be_cleared(y: float) -> None:
    """Above such a line only feet would be in view, and nobody is found by their feet."""
    one = the(line((0.1, y), (0.9, y)))
    assert (one.level, one.rule) == ("error", "line_near_edge")
    assert "in side" in one.what
    assert "down" in one.hint


@pytest.mark.parametrize(("x", "way"), [(0.01, "right"), (0.99, "left")])
def test_a_line_at_the_side_can_never_be_cleared(x: float, way: str) -> None:
    """Beside such a line a box is cut off before its middle is beyond the dead band."""
    one = the(line((x, 0.3), (x, 0.9)))
    assert (one.level, one.rule) == ("error", "line_near_edge")
    assert f"to the {way}" in one.hint


def test_a_box_cut_off_at_the_side_keeps_its_foot_point_inside() -> None:
    """At 0.6 of the view a person is 0.378 high. 0.18 of that from the side is room for the band, but not for a quarter of a box."""
    x = 0.18 * (FAR + (NEAR - FAR) * 0.6) / ASPECT
    for side in (x, 1 - x):
        assert found(line((side, 0.55), (side, 0.65)), tracker=TrackerConfig(confirm_s=0.0))[0] == ("error", "line_near_edge")


def test_a_slanting_line_that_runs_into_the_edge_is_a_warning() -> None:
    """Along a part of it only."""
    assert found(line((0.1, 0.8), (0.9, 0.99))) == [("warning", "line_near_edge")]


def test_little_room_is_a_warning() -> None:
    """There is room for the dead band, but not for a track to be confirmed beyond it."""
    assert found(line((0.1, 0.9), (0.9, 0.9))) == [("warning", "line_tight")]
    assert found(line((0.1, 0.9), (0.9, 0.9)), tracker=TrackerConfig(confirm_s=0.0)) == []


def test_smaller_people_and_narrower_bands_make_room() -> None:
    """What cannot be cleared by a tall box can be by a small one."""
    low = line((0.1, 0.95), (0.9, 0.95))
    assert found(low, person_height_share=(0.05, 0.12)) == []
    assert found(line((0.1, 0.93), (0.9, 0.93), dead_band_share=0.3)) == [("error", "line_near_edge")]


@settings(deadline=None)
@given(st.sampled_from([0.93, 0.95, 0.98, 0.03, 0.05]), st.floats(0.02, 0.3))
def test_the_move_that_is_advised_mends_the_line(y: float, band: float) -> None:
    """Whoever does what the hint says has no finding about room left."""
    for one in check_camera(camera(line((0.1, y), (0.9, y), dead_band_share=band)), ASPECT):
        match = re.search(r"start = \[([\d.]+), ([\d.]+)\], end = \[([\d.]+), ([\d.]+)\]", one.hint)
        assert match, one
        x0, y0, x1, y1 = map(float, match.groups())
        rules = {rule for _, rule in found(line((x0, y0), (x1, y1), dead_band_share=band))}
        assert "line_near_edge" not in rules


def walker_clears(one: LineConfig, side: float) -> bool:
    """Truth by walking: does the visible part of somebody crossing at the middle show a foot point beyond the band on that side?"""
    dx, dy = (one.end[0] - one.start[0]) * ASPECT, one.end[1] - one.start[1]
    length = math.hypot(dx, dy)
    nx, ny = dy / length, -dx / length  # to the left
    middle = ((one.start[0] + one.end[0]) / 2, (one.start[1] + one.end[1]) / 2)
    for step in range(400):
        gone = side * step / 200
        x, y = middle[0] + gone * nx / ASPECT, middle[1] + gone * ny
        height = FAR + (NEAR - FAR) * min(max(y, 0.0), 1.0)
        width = 0.375 * height / ASPECT
        left, right = max(x - width / 2, 0.0), min(x + width / 2, 1.0)
        top, bottom = max(y - height, 0.0), min(y, 1.0)
        if right - left < width / 2 or bottom - top < height / 2:
            return False
        foot = ((left + right) / 2, bottom)
        beyond = side * ((foot[0] - middle[0]) * ASPECT * nx + (foot[1] - middle[1]) * ny)
        if beyond > one.dead_band_share * height:
            return True
    return False


@settings(deadline=None, max_examples=300)
@given(POINTS, POINTS)
def test_who_walks_over_a_line_without_findings_is_seen_beyond_it_on_both_sides(start: Point, end: Point) -> None:
    """The check agrees with boxes cut off at the edges of the view, wherever the line lies."""
    one = line(start, end)
    assume(math.hypot((end[0] - start[0]) * ASPECT, end[1] - start[1]) > 0.2)
    if not [finding for finding in check_camera(camera(one), ASPECT) if finding.rule.startswith("line")]:
        assert walker_clears(one, 1.0)
        assert walker_clears(one, -1.0)


@settings(deadline=None)
@given(st.one_of(st.floats(0.0, 0.04), st.floats(0.95, 1.0)), st.booleans())
def test_who_walks_over_a_line_called_impossible_is_not_seen_beyond_it(y: float, flip: bool) -> None:
    """An error is no false alarm: on one side at least, no box can clear it."""
    one = line((0.9, y), (0.1, y)) if flip else line((0.1, y), (0.9, y))
    if ("error", "line_near_edge") in found(one):
        room = line(one.start, one.end, dead_band_share=one.dead_band_share + 0.03)
        assert not (walker_clears(room, 1.0) and walker_clears(room, -1.0))


def counted(one: LineConfig, walkers: int = 12) -> tuple[int, int]:
    """What the real pipeline counts when people walk over the middle of a line, alternately in and out, boxes cut off by the view."""
    pipeline = Pipeline(camera(one), Pseudonyms(bytes))
    dx, dy = (one.end[0] - one.start[0]) * ASPECT, one.end[1] - one.start[1]
    nx, ny = dy / math.hypot(dx, dy), -dx / math.hypot(dx, dy)
    middle = ((one.start[0] + one.end[0]) / 2, (one.start[1] + one.end[1]) / 2)
    rng = np.random.default_rng(7)
    t_s, entries, exits = 0.0, 0, 0
    for walker in range(walkers):
        way = 1 if walker % 2 == 0 else -1
        gone = -1.1
        while gone < 1.8:  # the last seconds nobody is there
            x, y = middle[0] + way * gone * nx / ASPECT, middle[1] + way * gone * ny
            height = FAR + (NEAR - FAR) * min(max(y, 0.0), 1.0)
            width = 0.375 * height / ASPECT
            box = np.array([x - width / 2, y - height, x + width / 2, y]) + rng.normal(0.0, 0.01 * height, 4)
            cut = box.clip(0.0, 1.0)
            seen = gone < 1.1 and (cut[2] - cut[0]) * (cut[3] - cut[1]) > 0.45 * width * height
            step = pipeline.step(Detections(t_s, cut[None] if seen else np.empty((0, 4)), np.full(int(seen), 0.8), ASPECT))
            for window in step.windows:
                entries += window.lines[0].entries
                exits += window.lines[0].exits
            t_s += 0.1
            gone += 0.082 * height if gone < 1.1 else 0.01
    for _ in range(400):
        for window in pipeline.step(Detections(t_s, np.empty((0, 4)), np.empty(0), ASPECT)).windows:
            entries, exits = entries + window.lines[0].entries, exits + window.lines[0].exits
        t_s += 0.1
    return entries, exits


@pytest.mark.parametrize("ends", [((0.1, 0.3), (0.9, 0.3)), ((0.1, 0.85), (0.9, 0.85)), ((0.1, 0.3), (0.1, 0.9)), ((0.8, 0.3), (0.4, 0.8))])
def test_the_pipeline_counts_everybody_over_a_line_without_findings(ends: tuple[Point, Point]) -> None:
    """The checks and the counter agree: six in and six out, at the top, the bottom, the side and aslant."""
    assert found(line(*ends)) == []
    assert counted(line(*ends)) == (6, 6)


def test_a_line_at_the_bottom_edge_rests_on_how_tall_people_are_said_to_be() -> None:
    """Feet below the view are where `person_height_share` puts them: right for people as tall as that, and an error for being a guess."""
    assert found(line((0.1, 0.97), (0.9, 0.97)))[0] == ("error", "line_near_edge")
    assert counted(line((0.1, 0.97), (0.9, 0.97))) == (6, 6)


@pytest.mark.parametrize("ends", [((0.1, 0.05), (0.9, 0.05)), ((0.015, 0.3), (0.015, 0.9))])
def test_the_pipeline_loses_people_over_a_line_called_impossible(ends: tuple[Point, Point]) -> None:
    """And there they agree, too: the count falls short."""
    assert found(line(*ends))[0] == ("error", "line_near_edge")
    assert sum(counted(line(*ends))) < 12


def test_short_lines_are_told() -> None:
    """Narrower than a person is an error, narrower than a door a warning."""
    assert found(line((0.5, 0.6), (0.53, 0.6))) == [("error", "line_short")]
    assert found(line((0.5, 0.6), (0.58, 0.6))) == [("warning", "line_short")]
    assert found(line((0.4, 0.6), (0.6, 0.6))) == []


def test_a_line_outside_the_view_is_an_error_at_the_point() -> None:
    """The point is named, and where to move it."""
    one = the(line((0.1, 0.8), (1.2, 0.8)))
    assert (one.level, one.rule, one.path) == ("error", "line_outside", ("line", 0, "end"))
    assert "[1.00, 0.80]" in one.hint


def test_two_doors_in_one_place_count_people_twice() -> None:
    """Parallel door lines a step apart are told; a line that is no door, or lies across, is not."""
    first = line((0.1, 0.7), (0.9, 0.7), name="a")
    second = line((0.9, 0.72), (0.1, 0.72), name="b")
    one = the(first, second)
    assert (one.level, one.rule, one.path) == ("warning", "lines_close", ("line", 1))
    assert found(first, line((0.9, 0.72), (0.1, 0.72), name="b", door=False)) == []
    assert found(first, line((0.5, 0.3), (0.5, 0.75), name="b")) == []
    assert found(first, line((0.1, 0.4), (0.9, 0.4), name="b")) == []


# ---- zones


def test_a_zone_on_the_floor_is_good() -> None:
    """An area in the middle, and a queue with its service side."""
    assert found(box(0.1, 0.4, 0.5, 0.8)) == []
    assert found(box(0.1, 0.3, 0.5, 0.7, kind="queue", service_side=0)) == []


def test_a_bow_tie_crosses_itself() -> None:
    """Corners in the wrong order make a zone that counts half of what is in it."""
    one = the(zone((0.1, 0.4), (0.5, 0.8), (0.5, 0.4), (0.1, 0.8)))
    assert (one.level, one.rule, one.path) == ("error", "zone_crosses_itself", ("zone", 0, "polygon"))
    assert "side 0" in one.what


def test_a_corner_outside_the_view_is_an_error_at_the_corner() -> None:
    """Each such corner on its own."""
    rules = check_camera(camera(zone((0.1, -0.1), (0.5, 0.4), (0.5, 1.1))), ASPECT)
    assert [(one.rule, one.path) for one in rules] == [
        ("zone_outside", ("zone", 0, "polygon", 0)),
        ("zone_outside", ("zone", 0, "polygon", 2)),
    ]


@pytest.mark.parametrize(("size", "level"), [(0.03, "error"), (0.04, "error"), (0.08, "warning"), (0.15, None)])
def test_a_zone_smaller_than_jitter_or_a_person_is_told(size: float, level: str | None) -> None:
    """At 0.6 of the view a person is 0.38 high: their foot point jitters by some hundredths."""
    told = found(box(0.5, 0.6, 0.5 + size / ASPECT, 0.6 + size))
    assert told == ([(level, "zone_small")] if level else [])


def test_a_long_thin_zone_is_small() -> None:
    """It is the narrow side that counts."""
    assert found(box(0.1, 0.6, 0.9, 0.63)) == [("error", "zone_small")]


def test_a_zone_where_heads_are_is_told() -> None:
    """Nobody's feet and half of their body are in view there."""
    assert ("error", "zone_unseen") in found(box(0.1, 0.0, 0.9, 0.05), person_height_share=(0.3, 0.5))
    assert ("warning", "zone_unseen") in found(box(0.1, 0.0, 0.9, 0.25), person_height_share=(0.3, 0.5))


@pytest.mark.parametrize(("bottom", "level"), [(1.0, "error"), (0.99, "error"), (0.93, "warning"), (0.8, None)])
def test_a_service_side_that_faces_out_of_the_picture_is_told(bottom: float, level: str | None) -> None:
    """Nobody can be seen to leave by it, so all would count as neither served nor abandoned."""
    told = found(box(0.2, 0.4, 0.6, bottom, kind="queue", service_side=2))
    assert told == ([(level, "service_side_outside")] if level else [])


def test_the_hint_about_a_service_side_says_which_way_each_side_faces() -> None:
    """Numbers alone are read wrong."""
    assert "0 up, 1 right, 2 down, 3 left" in the(box(0.2, 0.4, 0.6, 1.0, kind="queue", service_side=2)).hint


def test_a_queue_without_service_side_is_told() -> None:
    """Everybody would count as abandoned."""
    assert found(box(0.2, 0.4, 0.6, 0.8, kind="queue")) == [("warning", "no_service_side")]


def test_two_zones_on_the_same_floor_are_told() -> None:
    """Overlaps are allowed, copies are not meant."""
    assert found(box(0.2, 0.4, 0.6, 0.8, name="a"), box(0.2, 0.4, 0.61, 0.8, name="b")) == [("warning", "zones_overlap")]
    assert found(box(0.2, 0.4, 0.6, 0.8, name="a"), box(0.3, 0.5, 0.5, 0.7, name="b")) == []


# ---- cameras


def test_a_camera_that_counts_nothing_is_told() -> None:
    """Neither line nor zone."""
    assert found() == [("warning", "counts_nothing")]


def test_a_camera_on_the_network_is_noted_and_its_password_too() -> None:
    """The process that sees pixels may then reach that address."""
    rules = found(line((0.1, 0.7), (0.9, 0.7)), source="rtsp://user:secret@10.0.0.7/1")
    assert rules == [("note", "camera_on_network"), ("note", "password")]


def test_errors_come_first() -> None:
    """Whatever the order in the file."""
    levels = [level for level, _ in found(line((0.1, 0.9), (0.9, 0.9)), box(0.1, 0.6, 0.9, 0.62), source="rtsp://10.0.0.7/1")]
    assert levels == ["error", "warning", "note"]


def test_findings_of_a_configuration_lead_to_their_camera() -> None:
    """Paths begin at the file."""
    good, bad = camera(line((0.1, 0.7), (0.9, 0.7))), camera(line((0.1, 0.99), (0.9, 0.99)), name="back")
    told = check_config(Config("s", opening_hours="24/7", camera=(good, bad)), ASPECT)
    assert [(one.rule, one.path) for one in told] == [("line_near_edge", ("camera", 1, "line", 0))]


def test_a_collector_without_keys_is_told() -> None:
    """The device would count and send nothing, and say so only in its log."""
    lonely = Config("s", opening_hours="24/7", camera=(camera(line((0.1, 0.7), (0.9, 0.7))),), uplink=UplinkConfig(url="https://c.example"))
    assert [(one.rule, one.path) for one in check_config(lonely)] == [("uplink_incomplete", ("uplink", "url"))]


def test_a_configuration_without_a_camera_is_an_error() -> None:
    """It would run for weeks and count nothing."""
    assert [(one.level, one.rule) for one in check_config(Config("s"))] == [("error", "no_camera")]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)), min_size=3, max_size=12),
    POINTS,
    POINTS,
    st.sampled_from([0.5, 4 / 3, 3.0]),
)
def test_any_geometry_can_be_checked(polygon: list[Point], start: Point, end: Point, aspect: float) -> None:
    """No shape, however odd, brings an error, and each finding leads to something that is there."""
    odd = camera(zone(*polygon, kind="queue", service_side=0), line(start, end))
    for one in check_camera(odd, aspect):
        assert one.path[:1] in {("line",), ("zone",), ()}
        assert one.what
        assert one.hint
        assert "\n" not in one.what + one.hint
