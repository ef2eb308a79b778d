"""The status as Prometheus text (exposition format 0.0.4): gauges and counters of the device, none about a person.

Labels are the names in the configuration, escaped; numbers of people are the settled counts that the windows carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from firmware.status.values import CameraHealth, Status

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
Kind = Literal["counter", "gauge"]
Sample = tuple[dict[str, str], float]
Family = tuple[str, Kind, str, list[Sample]]


def text_of(status: Status) -> str:
    """All families, each with its help and type."""
    lines: list[str] = []
    for name, kind, words, samples in _families(status):
        lines += [f"# HELP passerby_{name} {words}", f"# TYPE passerby_{name} {kind}"]
        lines += [f"passerby_{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _families(status: Status) -> Iterator[Family]:
    yield "running", "gauge", "1 while every camera sees.", [({}, float(status.state == "running"))]
    yield "uptime_seconds", "gauge", "Since the daemon started.", [({}, status.uptime_s)]
    if status.temperature_c is not None:
        yield "temperature_celsius", "gauge", "Of the processor.", [({}, status.temperature_c)]
    yield "clock_synchronised", "gauge", "1 while NTP keeps the wall clock.", [({}, float(status.clock == "ntp"))]
    yield from _cameras(status.cameras)
    yield from _counts(status.cameras)
    delivery = status.delivery
    yield "spool_waiting", "gauge", "Envelopes not yet acknowledged.", [({}, delivery.waiting)]
    yield "spool_bytes", "gauge", "Bytes on the card.", [({}, delivery.spool_bytes)]
    yield "acknowledged_total", "counter", "Envelopes acknowledged since start.", [({}, delivery.acknowledged)]
    yield "sent_bytes_total", "counter", "Bytes delivered since start.", [({}, delivery.bytes_sent)]
    if delivery.last_ack_age_s is not None:
        yield "last_acknowledgement_age_seconds", "gauge", "Since the collector last answered.", [({}, delivery.last_ack_age_s)]


def _cameras(cameras: tuple[CameraHealth, ...]) -> Iterator[Family]:
    def each(pick: str) -> list[Sample]:
        return [({"camera": camera.name}, float(getattr(camera, pick))) for camera in cameras]

    yield "camera_up", "gauge", "1 while the camera sees.", [({"camera": c.name}, float(c.state == "running")) for c in cameras]
    yield "frames_per_second", "gauge", "Of the last thirty frames.", each("frames_per_s")
    yield "frames_total", "counter", "Frames since vision started.", each("frames")
    yield "dropped_frames_total", "counter", "Frames lost since vision started.", each("dropped_frames")
    yield "observed_seconds", "gauge", "Seen within the last day.", each("observed_s")
    yield "blind_seconds", "gauge", "Not seen within the last day.", each("blind_s")
    yield "vision_restarts_total", "counter", "Times that vision fell.", each("restarts")
    yield "wall_enforced", "gauge", "1 while vision has no network.", [({"camera": c.name}, float(c.wall == "enforced")) for c in cameras]


def _counts(cameras: tuple[CameraHealth, ...]) -> Iterator[Family]:
    lines = [(camera.name, line) for camera in cameras for line in camera.live.lines]
    zones = [(camera.name, zone) for camera in cameras for zone in camera.live.zones]
    labelled = [({"camera": camera, "line": line.name}, line) for camera, line in lines]
    yield "entries_total", "counter", "Settled entries since vision started.", [(labels, line.entries) for labels, line in labelled]
    yield "exits_total", "counter", "Settled exits since vision started.", [(labels, line.exits) for labels, line in labelled]
    yield "zone_people", "gauge", "People in a zone now.", [({"camera": c, "zone": z.name, "kind": z.kind}, z.count) for c, z in zones]
    waits = [({"camera": c, "zone": z.name}, z.wait_estimate_ms / 1000) for c, z in zones if z.wait_estimate_ms is not None]
    yield "queue_wait_seconds", "gauge", "Estimated wait of who joins a queue now.", waits
    yield "inside_people", "gauge", "Inside by the doors' counts.", [({"camera": c.name}, c.live.inside) for c in cameras]


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return f"{value:.10g}"
