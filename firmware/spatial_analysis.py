"""Reads the configuration of the retired Azure Spatial Analysis container and writes ours: `from_spatial_analysis`.

Rules: nothing is dropped silently: what has an equal is converted, what was taken for what is said in a comment beside it, and
what has no equal is named. The result is parsed before it is handed out.
`threshold` has had three meanings: a confidence of 0 to 100 (September 2020, on the zone or line itself), pixels of the
internal frame (2021), and a share of the frame's width (2022 on); it is found on the zone or line or in `events[].config`. CrossRight
is from left to right as seen from the line's start facing its end: our `in = "right"`, as the sample page showed it.
Left to others: finding it in a manifest (`firmware.deployment_manifest`), whether it can count (`geometry_check`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from firmware.config import CameraConfig, examine
from firmware.config_keys import shown
from firmware.config_rules import VIDEO_SUFFIXES, source_fault
from firmware.deployment_manifest import Graph, find_graphs
from firmware.errors import ConfigError

Meaning = Literal["none", "confidence", "pixels", "ratio"]

CAMERAS_MAX: Final = 8  # as in firmware.config: what is beyond goes to another device
TYPES_2020: Final = {"zone_crossing", "people_distance", "enter", "exit"}  # spellings that only the first documents had
CONFIDENCES_2020: Final = {35.0, 50.0}  # the values of those documents
PIXELS_ON_ITSELF_MAX: Final = 30.0  # sample manifests put 16 and 23 px on the zone or line itself; from 35 on it was confidence
BAND_LIMITS: Final = (0.02, 0.5)  # of dead_band_share
_TYPES: Final = {
    "count": "how many people are in the zone: occupancy, in events and windows",
    "zonecrossing": "entries and exits, with the side",
    "zone_crossing": "entries and exits, with the side",
    "enter": "entries",
    "exit": "exits",
    "zonedwelltime": "dwell, in zone_left events and windows",
    "linecrossing": "crossings of the line",
}
_SAID: Final = {
    "trigger": {"event": "", "interval": "trigger = interval: windows of window_s seconds come in any case"},
    "focus": {"footprint": "", "bottom_center": "", "center": "focus = center: has no equal; Passerby takes the foot point"},
}
_KNOWN: Final = {
    "name",
    "polygon",
    "line",
    "events",
    "threshold",
    "target_side",
    "type",
    "config",
    "trigger",
    "focus",
    "aggregation_method",
}


class Reading(NamedTuple):
    """How to read what the file does not say: width of the frame of pixel thresholds, their meaning, width over height."""

    width_px: int = 640
    threshold_means: Literal["auto", "confidence", "pixels", "ratio"] = "auto"
    aspect: float = 16 / 9


class Threshold(NamedTuple):
    """One threshold, where it stood, and what it was taken for; `share` is a share of the frame's width."""

    value: float
    where: str
    meaning: Meaning
    share: float | None

    def words(self) -> str:
        if self.meaning == "none":
            return f"threshold {self.value:g} {self.where}: none"
        if self.meaning == "confidence":
            return f"threshold {self.value:g} {self.where}: taken for a confidence of 0 to 100; no equal, scores of another model"
        share = f" = {self.share:.4f} of the width" if self.meaning == "pixels" else " of the width"
        return f"threshold {self.value:g} {self.where}: taken for {'pixels' if self.meaning == 'pixels' else 'a share'}{share}"


def from_spatial_analysis(text: str, filename: str, reading: Reading) -> str:
    """TOML of a configuration that does what `text` did. Raises ConfigError with all that cannot be read, `file:line: what; hint`."""
    graphs = find_graphs(text, filename)
    writer = _Writer(filename, reading)
    toml = writer.write(graphs)
    faults = writer.faults or [f"{filename}: converted, {fault.what}; {fault.hint}" for fault in examine(toml).faults]
    if faults:
        raise ConfigError(f"{filename}: {len(faults)} faults", faults=tuple(faults))
    return toml


def meaning_of(value: float, *, on_itself: bool, is_2020: bool, reading: Reading) -> Meaning:
    """What a threshold meant. On the zone or line itself it may be a confidence; between 0 and 1 it is a share of the width."""
    if value == 0:
        return "none"
    if reading.threshold_means != "auto":
        return reading.threshold_means
    if value < 1:
        return "ratio"
    large = value >= PIXELS_ON_ITSELF_MAX
    of_2020 = value in CONFIDENCES_2020 or (is_2020 and on_itself) or (large and (is_2020 or on_itself))
    return "confidence" if of_2020 and value <= 100 else "pixels"


class _Writer:
    def __init__(self, filename: str, reading: Reading) -> None:
        self.filename = filename
        self.reading = reading
        self.faults: list[str] = []

    def fault(self, graph: Graph, what: str, hint: str) -> None:
        self.faults.append(f"{self.filename}:{graph.line}: {what} in {shown(graph.name)}; {hint}")

    def write(self, graphs: tuple[Graph, ...]) -> str:
        out = [
            f"# From {comment(self.filename)}, a configuration of Azure Spatial Analysis. Check it: passerby check FILE --explain",
            'site = "shop"  # not in the old configuration: name your shop',
            'disclosure = "events"  # Spatial Analysis also sent the boxes of people: "boxes" does, and needs a purpose',
        ]
        cameras: dict[str, list[Graph]] = {}
        for graph in graphs:
            if graph.enabled:
                cameras.setdefault(camera_name(graph), []).append(graph)
            else:
                out.append(f"# {comment(graph.name)} was not enabled: left out")
        if not cameras:
            self.faults.append(f"{self.filename}: every graph is disabled; enable the ones to convert")
        for index, (name, group) in enumerate(cameras.items()):
            block = list(self.camera(name, group))
            if index >= CAMERAS_MAX:
                block = [f"# camera {index + 1} needs another device; one takes {CAMERAS_MAX}", *(f"# {line}" for line in block if line)]
            out += ["", *block]
        return "\n".join(out) + "\n"

    def camera(self, name: str, graphs: list[Graph]) -> Iterator[str]:
        source, remark = source_of(graphs[0].parameters)
        yield "[[camera]]"
        yield f"name = {quoted(name)}"
        yield f"source = {quoted(source)}" + (f"  # {remark}" if remark else "")
        yield from sorted({f"# {remark}" for graph in graphs for remark in parameter_remarks(graph)})
        for other in sorted({comment(str(graph.parameters.get("VIDEO_URL", ""))) for graph in graphs[1:]}):
            if other != comment(str(graphs[0].parameters.get("VIDEO_URL", ""))):
                yield f"# another graph of this VIDEO_SOURCE_ID had the VIDEO_URL {other}"
        taken: dict[tuple[str, str], object] = {}
        for kind, key, convert in (("line", "lines", self.line), ("zone", "zones", self.zone)):
            for graph in graphs:
                if "unreadable" in graph.config and kind == "line":
                    self.fault(graph, "SPACEANALYTICS_CONFIG is not JSON", "paste it into a file of its own to see where")
                entries = graph.config.get(key, [])
                for index, entry in enumerate(entries if isinstance(entries, list) else []):
                    yield from self.entry(graph, kind, index, entry, taken, convert)

    def entry(
        self, graph: Graph, kind: str, index: int, entry: object, taken: dict[tuple[str, str], object], convert: Any
    ) -> Iterator[str]:
        """One line or zone, unless the same one was there in another graph of this camera; a second of that name is renamed."""
        if not isinstance(entry, Mapping):
            self.fault(graph, f"{kind} {index + 1} is no table", "write it as { ... }")
            return
        first = clean(entry.get("name"), f"{kind} {index + 1}", 60)
        shape = entry.get("line") if kind == "line" else entry.get("polygon")
        name, number = first, 1
        while (kind, name.casefold()) in taken:
            if taken[kind, name.casefold()] == shape:
                yield f"# {comment(graph.name)} had {kind} {comment(name)} again:"
                yield from (f"#   {comment(threshold.words())}" for threshold in self.thresholds(entry, graph))
                yield from (f"#   {remark}" for remark in self.event_remarks(entry))
                return
            number += 1
            name = f"{first} {number}"
        lines = list(convert(graph, entry, name))
        if lines:
            taken[kind, name.casefold()] = shape
            yield from lines

    def line(self, graph: Graph, entry: Mapping[str, Any], name: str) -> Iterator[str]:
        ends = entry.get("line")
        start, end = (_point(ends.get(key)) if isinstance(ends, Mapping) else None for key in ("start", "end"))
        if start is None or end is None:
            self.fault(
                graph,
                f"line {shown(name)} has no start and end",
                'write "line": {"start": {"x": 0.1, "y": 0.5}, "end": {"x": 0.9, "y": 0.5}}',
            )
            return
        yield from ("", "[[camera.line]]", f"name = {quoted(name)}", f"start = {point_text(start)}", f"end = {point_text(end)}")
        yield 'in = "right"  # CrossRight is in, as the sample page showed it; for CrossLeft say "left"'
        thresholds = self.thresholds(entry, graph)
        distances = [threshold for threshold in thresholds if threshold.share is not None]
        if distances:
            widest = max(distances, key=lambda threshold: threshold.share or 0.0)
            band = self.band(widest.share or 0.0, (start[1] + end[1]) / 2)
            limited = ", limited" if band in BAND_LIMITS else ""
            yield f"dead_band_share = {band:g}  # {comment(widest.words())}; of a typical box height there{limited}"
        for threshold in thresholds:
            if threshold not in distances:
                yield f"# {comment(threshold.words())}"
        if not entry.get("events"):
            yield "# no events were named: crossings, in events and windows"
        yield from (f"# {remark}" for remark in self.event_remarks(entry))

    def band(self, share: float, y: float) -> float:
        """A distance as a share of the frame's width, as a share of the box height of a person standing at y."""
        far, near = CameraConfig("", "").person_height_share
        low, high = BAND_LIMITS
        return round(min(max(share * self.reading.aspect / (far + (near - far) * y), low), high), 3)

    def zone(self, graph: Graph, entry: Mapping[str, Any], name: str) -> Iterator[str]:
        raw = entry.get("polygon")
        corners = [_point(point) for point in raw] if isinstance(raw, list) else []
        if len(corners) < 3 or None in corners:
            self.fault(graph, f"zone {shown(name)} has no polygon", "write it as [[x, y], [x, y], [x, y]], with numbers")
            return
        kept = [corner for index, corner in enumerate(corners) if index == 0 or corner != corners[index - 1]]
        if len(kept) > 1 and kept[-1] == kept[0]:
            kept.pop()  # they closed their polygons by repeating the first corner; the sides keep their numbers
        yield from ("", "[[camera.zone]]", f"name = {quoted(name)}", 'kind = "area"')
        yield f"polygon = [{', '.join(point_text(corner) for corner in kept if corner is not None)}]"
        side = entry.get("target_side")
        if side is not None:
            yield f"# target_side {comment(str(side))} asked for the time spent facing that side, which has no equal."
            yield f'# If served people leave by it: kind = "queue" and service_side = {comment(str(side))}'
        for threshold in self.thresholds(entry, graph):
            more = "; a visit begins after enter_s seconds inside, not after a distance" if threshold.share is not None else ""
            yield f"# {comment(threshold.words())}{more}"
        yield from (f"# {remark}" for remark in self.event_remarks(entry))

    def thresholds(self, entry: Mapping[str, Any], graph: Graph) -> list[Threshold]:
        """Those on the zone or line itself and those in its events, without repeats."""
        is_2020 = looks_2020(graph.config)
        found = [(entry["threshold"], "on it", True)] if "threshold" in entry else []
        for event in _events(entry):
            config = event.get("config")
            if isinstance(config, Mapping) and "threshold" in config:
                found.append((config["threshold"], f"of {comment(str(event.get('type', 'its event')))}", False))
        out = []
        for raw, where, on_itself in found:
            value = _number(raw)
            if value is None or not 0 <= value <= 100_000:
                self.fault(
                    graph, f"threshold = {shown(raw)} of {shown(entry.get('name', ''))} is no number", "give a share of the width, as 0.025"
                )
                continue
            meaning = meaning_of(value, on_itself=on_itself, is_2020=is_2020, reading=self.reading)
            share = value if meaning == "ratio" else value / self.reading.width_px if meaning == "pixels" else None
            out.append(Threshold(value, where, meaning, share))
        return list(dict.fromkeys(out))

    @staticmethod
    def event_remarks(entry: Mapping[str, Any]) -> Iterator[str]:
        """What each event becomes, and what of it has no equal."""
        for event in _events(entry):
            kind = str(event.get("type", ""))
            config = event.get("config")
            yield f"{comment(kind)}: " + _TYPES.get(
                kind, "has no equal" if "distance" not in kind else "distance between people has no equal"
            )
            for key, value in config.items() if isinstance(config, Mapping) else ():
                if key in _SAID:
                    remark = _SAID[key].get(str(value), f"{key} = {value} is not known")
                    if remark:
                        yield comment(remark)
                elif key == "output_frequency":
                    if value != 1:
                        yield comment(f"output_frequency {value}: one event in {value} was sent; Passerby sends all, sums are exact")
                elif key == "interval":
                    yield comment(f"interval {value} s of aggregation (2020): the nearest is window_s, for the whole device")
                elif key != "threshold":
                    yield comment(f"{key} = {value} has no equal")
        for key in entry:
            if key not in _KNOWN:
                yield comment(f"{key} = {shown(entry[key])} is not known: left out")


def looks_2020(config: Mapping[str, Any]) -> bool:
    """Whether a configuration is of September 2020, by its spellings: then `threshold` is a confidence."""
    for key in ("zones", "lines"):
        entries = config.get(key)
        for entry in entries if isinstance(entries, list) else []:
            for event in _events(entry) if isinstance(entry, Mapping) else ():
                own = event.get("config")
                if event.get("type") in TYPES_2020 or (isinstance(own, Mapping) and "interval" in own):
                    return True
    return False


def camera_name(graph: Graph) -> str:
    name = clean(graph.parameters.get("VIDEO_SOURCE_ID"), graph.name, 64)
    return re.sub(r"[/\\]", "-", name).lstrip(".") or "camera"


def source_of(parameters: Mapping[str, Any]) -> tuple[str, str]:
    """The camera's source, and a remark where it is not what the old one was."""
    url = str(parameters.get("VIDEO_URL", "")).strip()
    if not url:
        return "picamera2", "VIDEO_URL was not there"
    if "<" in url or "replace" in url.lower():
        return "picamera2", "VIDEO_URL was a placeholder"
    if url.startswith(("rtsp://", "rtsps://")) and not source_fault(url) and comment(url) == url:
        return url, ""
    try:
        last = urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        last = ""
    if last.lower().endswith(VIDEO_SUFFIXES):
        return clean(last, "video.mp4", 200), f"was {comment(url)}: fetch the file, vision reads no http"
    return "picamera2", "VIDEO_URL could not be read here (encrypted?): give the camera"


def parameter_remarks(graph: Graph) -> Iterator[str]:
    """What stood beside the zones and lines and has no equal."""
    parameters = graph.parameters
    if str(parameters.get("ENABLE_FACE_MASK_CLASSIFIER", "false")).lower() == "true":
        yield "ENABLE_FACE_MASK_CLASSIFIER has no equal, on purpose: Passerby looks at no face"
    if "vehicle" in graph.operation:
        yield f"{comment(graph.operation)} has no equal: Passerby counts people"
    if any(key in parameters for key in ("CALIBRATION_CONFIG", "CAMERA_CONFIG", "CAMERACALIBRATOR_NODE_CONFIG")):
        yield "calibration is not needed: Passerby measures in shares of box height; person_height_share helps its checks"
    if any(key in parameters for key in ("TRACKER_NODE_CONFIG", "STATIONARY_TARGET_REMOVER_CONFIG")):
        yield "tracker and stationary targets: see [camera.tracker] and [camera.still]; times are seconds, distances shares of box height"


def clean(value: object, instead: str, length: int) -> str:
    """A name that a configuration takes: visible characters on one line, not blank, not too long."""
    text = "".join(c for c in str(value if value is not None else "") if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    return " ".join(text.split())[:length].strip() or (clean(instead, "camera", length) if instead else "camera")


def comment(text: str) -> str:
    """Text that may stand in a comment."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def point_text(point: tuple[float, float]) -> str:
    return f"[{point[0]!r}, {point[1]!r}]"


def _point(raw: object) -> tuple[float, float] | None:
    """{"x":, "y":} or [x, y], numbers."""
    pair = [raw.get("x"), raw.get("y")] if isinstance(raw, Mapping) else raw
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    x, y = _number(pair[0]), _number(pair[1])
    return (round(x, 6), round(y, 6)) if x is not None and y is not None else None


def _number(raw: object) -> float | None:
    """A finite number, or one in quotes."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) < 1e12 else None


def _events(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    events = entry.get("events")
    return [event for event in events if isinstance(event, Mapping)] if isinstance(events, list) else []
