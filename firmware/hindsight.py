"""Tracks of a whole recording, put together with hindsight: what a live count may not do, a file may.

A track's first boxes, seen while it was on trial, are kept back until it is confirmed and then belong to it. Each box
is half the filter's and half the detector's: the one is calmer, the other nearer (docs/tracking.md). Short gaps can be
filled along a straight line. Left to others: tracking itself, and the form of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firmware.vision.tracker import Sightings

FILTERED_SHARE = 0.5  # of a written box; measured in docs/tracking.md


@dataclass(slots=True)
class Path:
    """One track: the frames in which it was seen, and its box in each."""

    frames: list[int] = field(default_factory=list)
    boxes: list[NDArray[np.float64]] = field(default_factory=list)  # x0 y0 x1 y1 in frame heights
    scores: list[float] = field(default_factory=list)
    confirmed: bool = False


@dataclass(slots=True)
class Hindsight:
    """Paths by id, growing with the recording."""

    paths: dict[int, Path] = field(default_factory=dict)
    _on_trial: set[int] = field(default_factory=set)

    def take(self, frame: int, seen: Sightings) -> None:
        """Add what was seen in `frame`; tracks that failed their trial are forgotten."""
        boxes = FILTERED_SHARE * seen.boxes + (1 - FILTERED_SHARE) * seen.detected
        for k, track in enumerate(seen.ids.tolist()):
            path = self.paths.setdefault(track, Path())
            path.frames.append(frame)
            path.boxes.append(boxes[k])
            path.scores.append(float(seen.scores[k]))
            path.confirmed = path.confirmed or bool(seen.confirmed[k])
            (self._on_trial.discard if path.confirmed else self._on_trial.add)(track)

    def forget(self, frame: int) -> None:
        """Drop trials last seen before `frame`: call now and then, with a frame further back than any trial lasts."""
        for track in [track for track in self._on_trial if self.paths[track].frames[-1] < frame]:
            self._on_trial.remove(track)
            del self.paths[track]

    def rows(self, gap_frames_max: int = 0) -> list[tuple[int, int, NDArray[np.float64], float]]:
        """(frame, id, box, score) of every confirmed track, by frame and id; gaps of up to so many frames filled."""
        rows = [row for track, path in self.paths.items() if path.confirmed for row in _rows(track, path, gap_frames_max)]
        return sorted(rows, key=lambda row: row[:2])


def _rows(track: int, path: Path, gap_frames_max: int) -> list[tuple[int, int, NDArray[np.float64], float]]:
    rows = [(path.frames[0], track, path.boxes[0], path.scores[0])]
    for k in range(1, len(path.frames)):
        before, after = path.frames[k - 1], path.frames[k]
        if after - before - 1 <= gap_frames_max:
            for frame in range(before + 1, after):
                share = (frame - before) / (after - before)
                rows.append((frame, track, path.boxes[k - 1] * (1 - share) + path.boxes[k] * share, min(path.scores[k - 1 : k + 1])))
        rows.append((after, track, path.boxes[k], path.scores[k]))
    return rows
