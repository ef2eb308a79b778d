"""What a Spatial Analysis configuration becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.config import CameraConfig, Config, parse
from firmware.errors import ConfigError
from firmware.spatial_analysis import Reading, from_spatial_analysis, meaning_of

SQUARE = [[0.3, 0.3], [0.3, 0.9], [0.6, 0.9], [0.6, 0.3], [0.3, 0.3]]


def a_line(**keys: Any) -> dict[str, Any]:
    return {"name": "door", "line": {"start": {"x": 0.1, "y": 0.5}, "end": {"x": 0.9, "y": 0.5}}, **keys}


def a_zone(**keys: Any) -> dict[str, Any]:
    return {"name": "queue", "polygon": SQUARE, **keys}


def event(kind: str, **config: Any) -> dict[str, Any]:
    return {"type": kind, "config": config}


def convert(*entries: dict[str, Any], reading: Reading | None = None, **parameters: Any) -> tuple[CameraConfig, str]:
    """The camera and the text that a configuration of these lines and zones becomes."""
    config = {"lines": [entry for entry in entries if "line" in entry], "zones": [entry for entry in entries if "polygon" in entry]}
    text = from_spatial_analysis(json.dumps({"SPACEANALYTICS_CONFIG": json.dumps(config), **parameters}), "old.json", reading or Reading())
    (camera,) = parse(text, "new.toml").camera
    return camera, text


def test_a_line_keeps_its_name_ends_and_direction() -> None:
    """CrossRight, left to right as seen from start, is in: the side `right`."""
    camera, _ = convert(a_line())
    (line,) = camera.line
    assert (line.name, line.start, line.end, line.in_side) == ("door", (0.1, 0.5), (0.9, 0.5), "right")


def test_a_polygon_loses_the_corner_that_closed_it_and_keeps_its_sides() -> None:
    """They repeated the first corner; ours close by themselves; side i is side i."""
    camera, _ = convert(a_zone(target_side=1))
    assert camera.zone[0].polygon == ((0.3, 0.3), (0.3, 0.9), (0.6, 0.9), (0.6, 0.3))
    open_one, _ = convert(a_zone(polygon=SQUARE[:-1]))
    assert open_one.zone[0].polygon == camera.zone[0].polygon


def test_a_target_side_is_explained_and_not_guessed() -> None:
    """It asked for the time spent facing a side, which is no service side unless somebody says so."""
    camera, text = convert(a_zone(target_side=1))
    assert camera.zone[0].kind == "area"
    assert "target_side 1" in text
    assert 'kind = "queue" and service_side = 1' in text


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        (a_line(events=[event("linecrossing", threshold=0.0253)]), "taken for a share of the width"),
        (a_line(events=[event("linecrossing", threshold=16.0)]), "taken for pixels = 0.0250 of the width"),
        (a_line(events=[event("linecrossing", threshold=48)]), "taken for pixels = 0.0750 of the width"),
        (a_line(threshold=23.0), "taken for pixels = 0.0359 of the width"),
        (a_line(threshold=16.0), "taken for pixels = 0.0250 of the width"),
        (a_line(threshold=50.0), "taken for a confidence of 0 to 100"),
        (a_line(threshold=35.0), "taken for a confidence of 0 to 100"),
        (a_line(threshold="50"), "taken for a confidence of 0 to 100"),
        (a_line(threshold=0.05), "taken for a share of the width"),
        (a_line(threshold=0), "threshold 0 on it: none"),
        (a_zone(threshold=20, events=[{"type": "zone_crossing"}]), "taken for a confidence of 0 to 100"),
        (a_zone(threshold=20, events=[{"type": "people_distance"}]), "taken for a confidence of 0 to 100"),
        (a_zone(threshold=20, events=[event("count", interval=5)]), "taken for a confidence of 0 to 100"),
        (a_zone(threshold=20, events=[event("count")]), "taken for pixels"),
        (a_zone(threshold=120, events=[event("count", interval=5)]), "taken for pixels"),
        (a_zone(events=[event("zonecrossing", threshold=0.074)]), "taken for a share of the width"),
    ],
)
def test_each_of_the_three_meanings_of_threshold_in_each_of_its_places_is_said(entry: dict[str, Any], meaning: str) -> None:
    """A confidence, pixels, or a share of the width; on the zone or line, or in its event."""
    assert meaning in convert(entry)[1]


def test_a_distance_becomes_a_dead_band_in_shares_of_box_height() -> None:
    """0.0253 of the width, at 16:9, where a person is 0.335 of the view high: 0.0253 x 1.778 / 0.335."""
    camera, _ = convert(a_line(events=[event("linecrossing", threshold=0.0253)]))
    assert camera.line[0].dead_band_share == pytest.approx(0.134, abs=0.001)
    same, _ = convert(a_line(events=[event("linecrossing", threshold=0.0253 * 512)]), reading=Reading(width_px=512))
    assert same.line[0].dead_band_share == camera.line[0].dead_band_share
    narrow, _ = convert(a_line(events=[event("linecrossing", threshold=0.0253)]), reading=Reading(aspect=4 / 3))
    assert narrow.line[0].dead_band_share == pytest.approx(0.75 * camera.line[0].dead_band_share, abs=0.001)


def test_a_dead_band_stays_within_its_limits() -> None:
    """And the comment says that it was limited."""
    camera, text = convert(a_line(threshold=0.5))
    assert camera.line[0].dead_band_share == 0.5
    assert "limited" in text


def test_a_confidence_and_none_leave_the_dead_band_alone() -> None:
    """Scores of another model mean nothing here."""
    for threshold in (50.0, 0):
        assert convert(a_line(threshold=threshold))[0].line[0].dead_band_share == 0.12


@pytest.mark.parametrize("means", ["confidence", "pixels", "ratio"])
def test_whoever_knows_what_a_threshold_meant_can_say_so(means: Any) -> None:
    """Then nothing is guessed."""
    assert meaning_of(40.0, on_itself=True, is_2020=False, reading=Reading(threshold_means=means)) == means


def test_what_has_no_equal_is_named() -> None:
    """Nothing is dropped in silence."""
    zone = a_zone(
        note="x",
        events=[
            event("count", trigger="interval", output_frequency=3, focus="center"),
            event("persondistance", minimum_distance_threshold=6.0, maximum_distance_threshold="Infinity", aggregation_method="mode"),
            event("somethingelse"),
        ],
    )
    _, text = convert(zone, ENABLE_FACE_MASK_CLASSIFIER=True, CALIBRATION_CONFIG="{}", TRACKER_NODE_CONFIG="{}")
    for words in (
        "focus = center: has no equal",
        "trigger = interval: windows",
        "one event in 3 was sent",
        "distance between people has no equal",
        "minimum_distance_threshold = 6.0 has no equal",
        "maximum_distance_threshold = Infinity has no equal",
        "aggregation_method = mode has no equal",
        "somethingelse: has no equal",
        'note = "x" is not known: left out',
        "looks at no face",
        "calibration is not needed",
        "see [camera.tracker]",
    ):
        assert words in text


def test_a_line_without_events_counts_crossings() -> None:
    """Old manifests had none."""
    assert "no events were named: crossings" in convert(a_line())[1]


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("rtsp://user:pass@10.0.0.7:554/1", "rtsp://user:pass@10.0.0.7:554/1"),
        ("<Replace RTSP URL here>", "picamera2"),
        ("Replace http url here", "picamera2"),
        ("http://host/folder/shop.mp4?x=1", "shop.mp4"),
        ("fVqz8Q==", "picamera2"),
        ("rtsp://", "picamera2"),
        ("http://[", "picamera2"),
    ],
)
def test_the_camera_becomes_a_source_or_says_why_not(url: str, source: str) -> None:
    """A placeholder, an encrypted address and a file over http are not what vision reads."""
    camera, text = convert(a_line(), VIDEO_URL=url)
    assert camera.source == source
    assert source == url or "# " in next(row for row in text.split("\n") if row.startswith("source"))


def whole(**graphs: tuple[str, list[dict[str, Any]]]) -> Config:
    document = {
        name: {"parameters": {"VIDEO_SOURCE_ID": camera, "SPACEANALYTICS_CONFIG": json.dumps({"zones": entries, "lines": []})}}
        for name, (camera, entries) in graphs.items()
    }
    return parse(from_spatial_analysis(json.dumps(document), "old.json", Reading()), "new.toml")


def test_operations_on_one_camera_become_one_camera() -> None:
    """They needed one graph for counting and one for crossing, with the same zone in both."""
    config = whole(
        count=("cam", [a_zone(events=[event("count")])]),
        crossing=("cam", [a_zone(events=[event("zonecrossing")])]),
        other=("cam 2", [a_zone()]),
    )
    assert [(camera.name, len(camera.zone)) for camera in config.camera] == [("cam", 1), ("cam 2", 1)]


def test_two_zones_of_one_name_and_two_shapes_are_both_kept() -> None:
    """The second is renamed."""
    other = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.5]]
    config = whole(count=("cam", [a_zone(), a_zone(polygon=other), a_zone(name="Queue", polygon=other[::-1])]))
    assert [zone.name for zone in config.camera[0].zone] == ["queue", "queue 2", "Queue 3"]


def test_cameras_beyond_the_limit_of_one_device_are_comments() -> None:
    """Their scale sample had 15 on one GPU; the text says what needs another device."""
    document = {f"g{n}": {"VIDEO_SOURCE_ID": f"cam {n}", "SPACEANALYTICS_CONFIG": json.dumps({"zones": [a_zone()]})} for n in range(10)}
    text = from_spatial_analysis(json.dumps(document), "old.json", Reading())
    assert len(parse(text, "new.toml").camera) == 8
    assert '# name = "cam 9"' in text


def test_what_was_disabled_is_left_out_and_named() -> None:
    """Unless nothing would be left."""
    off = {"parameters": {"SPACEANALYTICS_CONFIG": json.dumps({"zones": [a_zone()]})}, "enabled": False}
    on = {"parameters": {"SPACEANALYTICS_CONFIG": json.dumps({"zones": [a_zone()]})}}
    text = from_spatial_analysis(json.dumps({"first": off, "second": on}), "old.json", Reading())
    assert "# first was not enabled" in text
    assert len(parse(text, "new.toml").camera) == 1
    with pytest.raises(ConfigError, match="fault") as caught:
        from_spatial_analysis(json.dumps({"first": off}), "old.json", Reading())
    assert "disabled" in caught.value.faults[0]


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    """One line each, with the line of the configuration in the file."""
    config = {
        "lines": [{"name": "a"}, 3],
        "zones": [{"name": "b", "polygon": [[0, 1], [1, "x"], [1, 1]]}, a_zone(threshold="high"), {"name": "c", "polygon": SQUARE[:2]}],
    }
    text = '{\n"x": 1,\n"SPACEANALYTICS_CONFIG": ' + json.dumps(json.dumps(config)) + "}"
    with pytest.raises(ConfigError) as caught:
        from_spatial_analysis(text, "old.json", Reading())
    assert len(caught.value.faults) == 5
    assert all(fault.startswith("old.json:3: ") for fault in caught.value.faults)


def test_a_configuration_that_is_no_json_inside_its_string_is_told() -> None:
    """The documents of 2020 lacked commas."""
    with pytest.raises(ConfigError) as caught:
        from_spatial_analysis(json.dumps({"SPACEANALYTICS_CONFIG": '{"zones": [{"name": "a" "polygon": []}]}'}), "old.json", Reading())
    assert "is not JSON" in caught.value.faults[0]


def test_coordinates_in_pixels_are_refused() -> None:
    """The result must parse; what cannot is told in the words of our own configuration."""
    with pytest.raises(ConfigError) as caught:
        convert(a_zone(polygon=[[64, 48], [640, 48], [640, 480]]))
    assert "pixels?" in caught.value.faults[0]


NUMBERS = st.one_of(st.floats(-2, 2), st.integers(-1, 700), st.sampled_from(["0.5", None, True, 1e300]))
NAMES = st.one_of(st.text(max_size=80), st.none(), st.integers(), st.sampled_from(["door", "a\nb", '"', "\\", "\u202e", "[[camera]]"]))
EVENTS = st.lists(
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {"type": NAMES},
            optional={"config": st.dictionaries(st.sampled_from(["threshold", "focus", "trigger", "x\n"]), NUMBERS | NAMES)},
        ),
    ),
    max_size=3,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "polygon": st.lists(st.lists(st.floats(0, 1) | NUMBERS, min_size=2, max_size=2), max_size=6) | NUMBERS,
        "line": st.fixed_dictionaries(
            {
                "start": st.fixed_dictionaries({"x": NUMBERS, "y": NUMBERS}),
                "end": st.fixed_dictionaries({"x": st.floats(0, 1), "y": NUMBERS}),
            }
        ),
        "threshold": NUMBERS | NAMES,
        "target_side": NUMBERS | NAMES,
        "events": EVENTS,
    },
)


@settings(deadline=None, max_examples=300)
@given(st.lists(ENTRY | NUMBERS, max_size=3), st.lists(ENTRY, max_size=3), NAMES, NAMES)
def test_whatever_comes_out_is_a_configuration_and_nothing_else_goes_wrong(
    zones: list[Any], lines: list[Any], source_id: Any, url: Any
) -> None:
    """The round trip holds for any input: TOML that parses, or faults of one line each."""
    inner = json.dumps({"zones": zones, "lines": lines})
    document = json.dumps({"p": {"SPACEANALYTICS_CONFIG": inner, "VIDEO_SOURCE_ID": source_id, "VIDEO_URL": url}})
    try:
        text = from_spatial_analysis(document, "old.json", Reading())
    except ConfigError as error:
        broken = [fault for fault in error.faults if "\n" in fault]
    else:
        broken = [] if parse(text, "new.toml").site == "shop" else [text]
    assert not broken


FINE = {
    "name": NAMES,
    # Corners nearer than a ten-thousandth of the view become one when they are written, and two corners are no polygon.
    "polygon": st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1)),
        min_size=4,
        max_size=6,
        unique_by=lambda corner: (round(corner[0], 4), round(corner[1], 4)),
    ),
    "line": st.fixed_dictionaries(
        {key: st.fixed_dictionaries({"x": st.floats(low, low + 0.4), "y": st.floats(0, 1)}) for key, low in (("start", 0.0), ("end", 0.5))}
    ),
}
ODD = {"target_side": NUMBERS | NAMES, "threshold": st.floats(0, 100) | st.integers(0, 700), "events": EVENTS, "other": NAMES}


@settings(deadline=None, max_examples=200)
@given(st.lists(st.fixed_dictionaries(FINE, optional=ODD), max_size=3), NAMES, NAMES)
def test_sound_shapes_are_converted_whatever_else_is_odd(entries: list[Any], source_id: Any, url: Any) -> None:
    """Names, events, sides and addresses of any kind never keep a line or a zone from being read."""
    for entry in entries:
        for odd in entry.get("events", []):
            if odd and isinstance(odd.get("config"), dict):
                odd["config"].pop("threshold", None)
    camera, text = convert(
        *[{k: v for k, v in entry.items() if k != "line"} for entry in entries], VIDEO_SOURCE_ID=source_id, VIDEO_URL=url
    )
    assert len(camera.zone) + text.count(" again:") == len(entries)
    camera, text = convert(
        *[{k: v for k, v in entry.items() if k != "polygon"} for entry in entries], VIDEO_SOURCE_ID=source_id, VIDEO_URL=url
    )
    assert len(camera.line) + text.count(" again:") == len(entries)
