"""Finding SPACEANALYTICS_CONFIG in what people kept of a deployment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.deployment_manifest import find_graphs
from firmware.errors import ConfigError

CONFIG = {"lines": [{"name": "door", "line": {"start": {"x": 0.1, "y": 0.5}, "end": {"x": 0.9, "y": 0.5}}}]}
STRING = json.dumps(CONFIG)


def graph(**parameters: Any) -> dict[str, Any]:
    return {
        "operationId": "cognitiveservices.vision.spatialanalysis-personcrossingline",
        "enabled": True,
        "parameters": {"VIDEO_SOURCE_ID": "cam-1", "SPACEANALYTICS_CONFIG": STRING, **parameters},
    }


def manifest(**graphs: Any) -> dict[str, Any]:
    agent = {
        "properties.desired": {"modules": {"spatialanalysis": {"settings": {"createOptions": '{"HostConfig": {"Runtime": "nvidia"}}'}}}}
    }
    return {"modulesContent": {"$edgeAgent": agent, "spatialanalysis": {"properties.desired": {"graphs": graphs}}}}


ENV = ["EULA=accept", "VIDEO_SOURCE_ID=cam-1", f"SPACEANALYTICS_CONFIG={STRING}"]
HOLDERS = {
    "the configuration itself": STRING,
    "its string": json.dumps(STRING),
    "its string without the quotes": json.dumps(STRING)[1:-1],
    "an assignment": f"SPACEANALYTICS_CONFIG={STRING}",
    "an assignment in quotes": f"SPACEANALYTICS_CONFIG='{STRING}'",
    "an env file": "EULA=accept\nVIDEO_SOURCE_ID=cam-1\nSPACEANALYTICS_CONFIG=" + STRING,
    "a graph": json.dumps(graph()),
    "a manifest": json.dumps(manifest(linecrossing=graph()), indent=2),
    "a manifest for the command line": json.dumps({"content": manifest(linecrossing=graph())}),
    "a module twin": json.dumps({"properties": {"desired": {"graphs": {"linecrossing": graph()}}}}),
    "instances": json.dumps(manifest(shared={"instances": {"linecrossing": graph()}})),
    "create options": json.dumps({"Env": ENV, "HostConfig": {}}),
    "create options in a manifest": json.dumps({"settings": {"createOptions": json.dumps({"Env": ENV})}}),
    "environment variables of IoT Edge": json.dumps({"env": {"SPACEANALYTICS_CONFIG": {"value": STRING}}}),
    "a parameter that is no string": json.dumps({"SPACEANALYTICS_CONFIG": CONFIG}),
    "a string in a string": json.dumps({"SPACEANALYTICS_CONFIG": json.dumps(STRING)}),
    "a bracket too many, as Microsoft's samples had": json.dumps(manifest(linecrossing=graph()), indent=2) + "\n}\n",
    "a line break in a string, as Microsoft's samples had": json.dumps(graph()).replace("cam-1", "cam-1\n"),
}


@pytest.mark.parametrize("text", HOLDERS.values(), ids=HOLDERS.keys())
def test_it_is_found_wherever_it_was_kept(text: str) -> None:
    """Once, whole, through all the strings around it."""
    (found,) = find_graphs(text, "f.json")
    assert dict(found.config) == CONFIG


def test_what_stood_beside_it_comes_along() -> None:
    """The name of the graph, its parameters, whether it was enabled, and its line in the file."""
    text = json.dumps(manifest(linecrossing=graph(), other={**graph(VIDEO_URL="rtsp://c/1"), "enabled": False}), indent=1)
    first, second = find_graphs(text, "f.json")
    assert (first.name, first.operation.rpartition("-")[2], first.enabled) == ("linecrossing", "personcrossingline", True)
    assert (second.name, second.parameters["VIDEO_URL"], second.enabled) == ("other", "rtsp://c/1", False)
    rows = text.split("\n")
    assert "SPACEANALYTICS_CONFIG" in rows[first.line - 1]
    assert "rtsp" in rows[second.line]
    assert first.line < second.line


def test_variables_of_a_container_come_along() -> None:
    """As parameters do."""
    (found,) = find_graphs(HOLDERS["create options in a manifest"], "f.json")
    assert found.parameters["VIDEO_SOURCE_ID"] == "cam-1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"zones": [\n {"name": "a" "polygon": []}]}', r"f.json:2: not JSON: .* \(column 15\)"),
        ("{}", "no SPACEANALYTICS_CONFIG"),
        ("", "f.json:1: not JSON"),
        ('site = "demo"', "not JSON"),
        ("[" * 100_000, "not JSON|nested too deep"),
        ("9" * 5000, "not JSON"),
        ("{} {}", "not JSON: Extra data"),
    ],
)
def test_what_holds_none_is_one_line(text: str, words: str) -> None:
    """With the file, and the line where the JSON ends to be one."""
    with pytest.raises(ConfigError, match=words) as caught:
        find_graphs(text, "f.json")
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["SPACEANALYTICS_CONFIG", "{", "[]", STRING, json.dumps(STRING), "A=1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["zones", "lines", "SPACEANALYTICS_CONFIG", "Env", "value", "enabled"]), inner, max_size=3)
    ),
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_searched(node: object) -> None:
    """No document brings another error than ConfigError."""
    try:
        found = find_graphs(json.dumps(node), "f.json")
    except ConfigError:
        return
    assert found
