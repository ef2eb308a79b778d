"""A digest of every bit the tracker hands on for a short, rough recording; run with and without the compiler.

`python -m tests.vision.tracker_digest` prints it; `NUMBA_DISABLE_JIT=1` in the environment runs plain Python.
"""

from __future__ import annotations

import hashlib

import numpy as np

from firmware.vision.detection import Detections
from firmware.vision.tracker import Tracker

PEOPLE = 14
FRAMES = 60


def digest() -> str:
    """One digest over all arrays of all steps."""
    rng, tracker, total, t_s = np.random.default_rng(11), Tracker(), hashlib.sha256(), 0.0
    place, speed = rng.uniform(0.1, 0.9, (PEOPLE, 2)), rng.normal(0, 0.1, (PEOPLE, 2))
    size = np.column_stack((rng.uniform(0.04, 0.08, PEOPLE), rng.uniform(0.15, 0.3, PEOPLE)))
    for k in range(FRAMES):
        t_s += float(rng.choice([0.1, 0.1, 0.2, 0.05, 0.0, -0.1]))
        sway = rng.normal(0, 0.02, 2) if 20 < k < 40 else np.zeros(2)
        centre = place + speed * max(t_s, 0) + sway + rng.normal(0, 0.004, (PEOPLE, 2))
        boxes = np.concatenate((centre - size / 2, centre + size / 2), axis=1)[rng.random(PEOPLE) > 0.15]
        ghosts = rng.uniform(0, 0.8, (rng.integers(0, 3), 2))
        boxes = np.concatenate((boxes, np.concatenate((ghosts, ghosts + rng.uniform(0.05, 0.2, ghosts.shape)), axis=1)))
        tracks = tracker.step(Detections(t_s, boxes, rng.uniform(0.05, 1, len(boxes)), 16 / 9, uniform=rng.random(len(boxes))))
        for array in (tracks.ids, tracks.boxes, tracks.scores, tracks.seen, tracks.born_s, tracks.birth_boxes, tracks.uniform):
            total.update(str(array.dtype).encode() + array.tobytes())
        total.update(repr(tracks.ended).encode())
    return total.hexdigest()


if __name__ == "__main__":
    print(digest())
