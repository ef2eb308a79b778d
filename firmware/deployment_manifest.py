"""Finds SPACEANALYTICS_CONFIG in what people kept of a Spatial Analysis deployment: `find_graphs(text, filename)`.

What they kept may be the configuration itself, the escaped string of it, an IoT Edge deployment manifest, a module twin, container
create options or an env file: JSON within strings within JSON. So the search goes through everything, opens each string that
looks like JSON, and takes along the parameters that stood beside what it found.
Left to others: what the configuration means (`firmware.spatial_analysis`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from firmware.errors import ConfigError

KEY: Final = "SPACEANALYTICS_CONFIG"
DEPTH_MAX: Final = 64  # tables within strings within tables: a manifest needs a dozen
_ASSIGNMENT: Final = re.compile(r"\s*(?:export\s+|-e\s+)?([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_NOT_NAMES: Final = {"parameters", "properties.desired", "graphs", "instances", "modulesContent", "content", "env", "Env", "value"}


class Graph(NamedTuple):
    """One operation on one camera: `config` is its zones and lines, `parameters` what stood beside it, `line` where in the file."""

    name: str
    config: Mapping[str, Any]
    parameters: Mapping[str, Any]
    operation: str
    enabled: bool
    line: int


def find_graphs(text: str, filename: str) -> tuple[Graph, ...]:
    """Every configuration in a text, in its order. Raises ConfigError where the text cannot be read or holds none."""
    places = [text.count("\n", 0, match.start()) + 1 for match in re.finditer(KEY, text)]
    try:
        found = list(_walk(_document(text, filename), (), {}, 0))
    except RecursionError as error:
        raise ConfigError(f"{filename}: nested too deep", "this is not a deployment manifest") from error
    if not found:
        raise ConfigError(f"{filename}: no {KEY} in it, nor zones or lines", "give the manifest, or the configuration itself")
    return tuple(graph._replace(line=places[index] if len(places) == len(found) else 1) for index, graph in enumerate(found))


def _document(text: str, filename: str) -> object:
    text = text.strip().removeprefix("\ufeff")
    assignment = _ASSIGNMENT.fullmatch(text)
    if (assignment and assignment[1] != KEY) or (len(text.splitlines()) > 1 and assignment):
        return [line for line in text.splitlines() if line.strip()]  # an env file
    if assignment:
        return {KEY: assignment[2].strip().strip("'")}
    try:
        return _tolerant(text)
    except json.JSONDecodeError as error:
        inner = _loads('"' + text.replace("\n", " ") + '"') if '\\"' in text else None
        if isinstance(inner, str):  # the escaped string, copied without its quotes
            return inner
        hint = "a comma or a quote is missing there, or it is no JSON at all"
        raise ConfigError(f"{filename}:{error.lineno}: not JSON: {error.msg} (column {error.colno})", hint) from error
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(f"{filename}: not JSON: {error}", "this is not a deployment manifest") from error


def _tolerant(text: str) -> object:
    """JSON as Microsoft's own sample manifests wrote it: with line breaks in strings, and a bracket too many at the end."""
    node, end = json.JSONDecoder(strict=False).raw_decode(text)
    if text[end:].strip().strip("]}").strip():
        raise json.JSONDecodeError("Extra data", text, end)
    return node


def _loads(text: str) -> object:
    try:
        return _tolerant(text.strip())
    except (ValueError, RecursionError):
        return None


def _walk(node: object, names: tuple[str, ...], outer: Mapping[str, Any], depth: int) -> Iterator[Graph]:
    if depth > DEPTH_MAX:
        return
    if isinstance(node, str):
        if node.lstrip()[:1] in {"{", "[", '"'}:
            inner = _loads(node)
            if inner is not None:
                yield from _walk(inner, names, outer, depth + 1)
    elif isinstance(node, list):
        assigned = {match[1]: match[2] for part in node if isinstance(part, str) and (match := _ASSIGNMENT.fullmatch(part))}
        if KEY in assigned:
            yield from _walk(assigned, names, outer, depth + 1)
            return
        for part in node:
            yield from _walk(part, names, outer, depth + 1)
    elif isinstance(node, Mapping):
        yield from _table(node, names, outer, depth)


def _table(node: Mapping[str, Any], names: tuple[str, ...], outer: Mapping[str, Any], depth: int) -> Iterator[Graph]:
    beside = {**outer, **{key: _plain(value) for key, value in node.items() if not isinstance(value, list) and key != KEY}}
    if KEY in node:
        value = _plain(node[KEY])
        config = _opened(value)
        if isinstance(config, Mapping) and not _is_config(config):
            yield from _walk(config, names, beside, depth + 1)
            return
        yield _graph(config if isinstance(config, Mapping) else {"unreadable": value}, names, beside)
        return
    if _is_config(node):
        yield _graph(node, names, outer)
        return
    for key, value in node.items():
        yield from _walk(value, names if key in _NOT_NAMES else (*names, key), beside, depth + 1)


def _opened(value: object) -> object:
    """A value out of as many strings as it was put into."""
    for _ in range(4):
        if not isinstance(value, str):
            break
        value = _loads(value)
    return value


def _plain(value: object) -> object:
    """IoT Edge writes environment variables as {"value": ...}."""
    return value["value"] if isinstance(value, Mapping) and set(value) == {"value"} else value


def _is_config(node: Mapping[str, Any]) -> bool:
    return any(isinstance(node.get(key), list) for key in ("zones", "lines"))


def _graph(config: Mapping[str, Any], names: tuple[str, ...], beside: Mapping[str, Any]) -> Graph:
    operation = beside.get("operationId", "")
    enabled = beside.get("enabled", True)
    return Graph(names[-1] if names else "camera", config, beside, str(operation), enabled is not False, 1)
