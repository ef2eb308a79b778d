"""A recording through the pipeline: the loop, and the summary of what it counted.

The summary is made of the same windows and visits that a device would have sent, so it can be no better than they are.
Counts are settled ones; dwell and wait are those of shoppers whose visit ended. Everything but `stage_ms` is the same in
every run. Left to others: where frames come from, files, tables (`firmware.commands.replay`), pictures (`firmware.annotate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from firmware.analytics.pipeline import Step
from firmware.config import CameraConfig
from firmware.events import Audit, Window
from firmware.vision.detection import Detections

DIGITS: Final = 3  # milliseconds


@dataclass(slots=True)
class Tally:
    """What a replay has counted so far."""

    camera: CameraConfig
    frames: int = 0
    dropped: int = 0
    first_s: float | None = None
    last_s: float = 0.0
    windows: list[Window] = field(default_factory=list)
    dwells_ms: list[list[int]] = field(default_factory=list)  # of each zone
    waits_ms: list[list[int]] = field(default_factory=list)
    stages_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dwells_ms = [[] for _ in self.camera.zone]
        self.waits_ms = [[] for _ in self.camera.zone]

    def seen(self, detections: Detections) -> None:
        """One frame went through."""
        self.frames += 1
        self.dropped += detections.dropped
        self.first_s = detections.t_s if self.first_s is None else self.first_s
        self.last_s = max(self.last_s, detections.t_s)

    def take(self, step: Step) -> None:
        """What the pipeline said."""
        self.windows += step.windows
        for visit in step.finished:
            self.dwells_ms[visit.zone].append(visit.dwell_ms)
            if visit.outcome:
                self.waits_ms[visit.zone].append(visit.dwell_ms)

    def took(self, stage: str, seconds: float) -> None:
        """A stage took so long for this frame."""
        self.stages_s[stage] = self.stages_s.get(stage, 0.0) + seconds

    def summary(self) -> dict[str, Any]:
        """The JSON document of `passerby replay --json`; see its --help."""
        seconds = self.last_s - (self.first_s or 0.0)
        return {
            "seconds": round(seconds, DIGITS),
            "frames": self.frames,
            "dropped": self.dropped,
            "lines": {line.name: self._line(index) for index, line in enumerate(self.camera.line)},
            "zones": {zone.name: self._zone(index) for index, zone in enumerate(self.camera.zone)},
            "audit": self._audit(seconds),
            "stage_ms": {stage: round(1000 * spent / max(self.frames, 1), DIGITS) for stage, spent in self.stages_s.items()},
        }

    def _line(self, index: int) -> dict[str, int]:
        sums = [window.lines[index] for window in self.windows]
        return {
            "in": sum(one.entries for one in sums),
            "out": sum(one.exits for one in sums),
            "provisional_in": sum(one.provisional_entries for one in sums),
            "provisional_out": sum(one.provisional_exits for one in sums),
            "ambiguous": sum(one.ambiguous for one in sums),
        }

    def _zone(self, index: int) -> dict[str, Any]:
        sums = [window.zones[index] for window in self.windows]
        return {
            "visits": len(self.dwells_ms[index]),
            "dwell_s": spread_s(self.dwells_ms[index]),
            "occupancy_max": max((one.occupancy_max for one in sums), default=0),
            "served": sum(one.served for one in sums),
            "abandoned": sum(one.abandoned for one in sums),
            "wait_s": {**spread_s(self.waits_ms[index]), "max": round(max((one.wait_max_ms for one in sums), default=0) / 1000, DIGITS)},
        }

    def _audit(self, seconds: float) -> dict[str, Any]:
        """Sums of the windows' audits, but the recording's own blind time: outside of it nobody looked."""
        totals = {name: sum(getattr(window.audit, name) for window in self.windows) for name in Audit.__struct_fields__}
        observed_s = totals.pop("observed_ms") / 1000
        del totals["blind_ms"], totals["frames"], totals["dropped_frames"]
        lines = [line for window in self.windows for line in window.lines]
        zones = [zone for window in self.windows for zone in window.zones]
        return {
            "observed_s": round(observed_s, DIGITS),
            "blind_s": round(max(seconds - observed_s, 0.0), DIGITS),
            **totals,
            "staff_in": sum(line.staff_entries for line in lines),
            "staff_out": sum(line.staff_exits for line in lines),
            "staff_visits": sum(zone.staff_entries for zone in zones),
        }


def spread_s(values_ms: Sequence[int]) -> dict[str, float | None]:
    """Mean, median and 90th percentile in seconds (linear between ranks); None where there is nothing."""
    if not values_ms:
        return {"mean": None, "p50": None, "p90": None}
    values = np.sort(np.array(values_ms)) / 1000
    p50, p90 = (round(float(value), DIGITS) for value in np.percentile(values, (50, 90)))
    return {"mean": round(sum(values_ms) / len(values_ms) / 1000, DIGITS), "p50": p50, "p90": p90}


def json_lines(items: Sequence[msgspec.Struct]) -> bytes:
    """Each item as one line of JSON; bytes as base64."""
    return b"".join(msgspec.json.encode(item) + b"\n" for item in items)
