"""SORT, ByteTrack and OC-SORT of `trackers` 2.x behind one function: detections of a sequence in, ids and boxes out.

Each gets its own defaults and the true frame rate, from which its constructor derives how long a lost track is kept.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.mot_scores import Frames

DetectionFrames = list[tuple[NDArray[np.float64], NDArray[np.float64]]]  # boxes (N, 4) left, top, width, height; scores (N,)
NAMES = ("SORT", "ByteTrack", "OC-SORT")


def rival(name: str, fps: float, **settings: Any) -> Any:
    """A fresh tracker with its defaults and the true frame rate."""
    from trackers import ByteTrackTracker, OCSORTTracker, SORTTracker

    return {"SORT": SORTTracker, "ByteTrack": ByteTrackTracker, "OC-SORT": OCSORTTracker}[name](frame_rate=fps, **settings)


def as_rivals_take(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> Any:
    """Boxes left, top, width, height in pixels to `supervision.Detections`."""
    import supervision

    corners = np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), axis=1).astype(np.float32)
    return supervision.Detections(xyxy=corners, confidence=scores.astype(np.float32), class_id=np.zeros(len(boxes), int))


def run(name: str, detections: DetectionFrames, fps: float, **settings: Any) -> tuple[Frames, float]:
    """Tracks of every frame (untracked boxes left out), and mean milliseconds a frame of `update` alone."""
    tracker = rival(name, fps, **settings)
    frames: Frames = []
    spent = 0.0
    for boxes, scores in detections:
        taken = as_rivals_take(boxes, scores)
        begin = time.perf_counter()
        result = tracker.update(taken)
        spent += time.perf_counter() - begin
        keep = result.tracker_id >= 0 if len(result) else np.zeros(0, bool)
        corners = np.asarray(result.xyxy, np.float64).reshape(-1, 4)[keep]
        ids = np.asarray(result.tracker_id)[keep].astype(np.int64)
        frames.append((ids, np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1)))
    return frames, 1000 * spent / max(len(detections), 1)
