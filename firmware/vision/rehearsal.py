"""A rehearsal before the camera is opened: made-up people walk through the pipeline, so that every kernel has run once.

What a kernel is compiled for depends on how arrays lie in memory, and that is not the same with nobody in view. A kernel that first
runs when the first customer comes would be compiled then, for seconds in which nobody is counted, and could not be kept: by then
files are given up. So people come, are hidden, come back, stand and go, under the camera's own configuration; what they did is
thrown away. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import CameraConfig, Config
from firmware.vision.detection import Detections, no_detections

FRAME_S: Final = 0.2
FRAMES: Final = 40
PEOPLE: Final = 6
HIDDEN: Final = range(12, 20)  # frames in which every other one of them is hidden
AWAY_S: Final = 60.0  # long enough that whoever was lost is given up


def rehearse(config: Config, camera: CameraConfig) -> None:
    """Run a camera's pipeline on made-up people, from beginning to end, open and closed shop alike."""
    pipeline = Pipeline(camera, Pseudonyms(bytes, config.epoch_s), config.disclosure, config.window_s)
    pipeline.step(no_detections(0.0))
    for number, seen in enumerate(crowd()):
        pipeline.step(seen, closed=number >= FRAMES - 4, fallback=number % 2 == 1)
        pipeline.open_window()
        pipeline.unsettled()
        pipeline.feet()
    end_s = FRAMES * FRAME_S
    pipeline.blind(end_s, end_s + AWAY_S)
    pipeline.step(no_detections(end_s + AWAY_S))
    pipeline.finish(end_s + AWAY_S + FRAME_S)


def crowd() -> Iterator[Detections]:
    """PEOPLE people for FRAMES frames: half walk down the view and half up, the last stands; every other one is hidden for a while."""
    for number in range(FRAMES):
        t_s, way = number * FRAME_S + FRAME_S, 0.2 + 0.75 * number / FRAMES
        here = [who for who in range(PEOPLE) if not (number in HIDDEN and who % 2)]
        feet = [(0.1 + 0.15 * who, 0.6 if who == PEOPLE - 1 else way if who % 2 else 1.15 - way) for who in here]
        boxes = np.array([(x - 0.05, max(0.0, y - 0.3), x + 0.05, y) for x, y in feet])
        yield Detections(t_s, boxes, np.array([0.9 - 0.12 * who for who in here]))
