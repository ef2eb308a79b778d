"""How well a model finds people on pictures that it never learned from: by room, by box size, on a clip, in the simulated shop.

Runs the firmware's own detector, from pixels to suppressed boxes; scoring is the training recipe's (`models_tflite.training.measure`).
Needs the data folder for all but the simulated shop.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware.vision.detector import OpenedDetector, open_detector
from firmware.vision.frame import Frame
from firmware.vision.manifest import packaged_manifest
from firmware.vision.simulated_shop import SimulatedShop
from firmware.vision.track_store import Rules
from models_tflite.training import assess, judge, measure, pictures

SCORE_MIN = 0.02  # average precision wants the doubtful ones too
BELIEVED = Rules().score_high  # a track is born from here on
# The one-by-one clip: first and last frame of each stretch with somebody in view.
SOMEBODY = ((61, 200), (228, 451), (503, 699), (745, 869), (921, 1200), (1235, 1360))
SHOP_SEED, SHOP_MOMENTS_S = 4, tuple(float(t) for t in range(10, 110, 5))

Pixels = NDArray[np.uint8]
Truth = list[NDArray[np.float64]]


def packaged() -> dict[str, Any]:
    """The tables of the packaged manifest by model name."""
    models: dict[str, Any] = tomllib.loads(packaged_manifest().read_text(encoding="utf-8"))["model"]
    return models


def opened(model: str, tiling: str = "1x1", score_min: float = SCORE_MIN) -> OpenedDetector:
    """A packaged model or a file, on one thread."""
    return open_detector(model, threads=1, tiling=tiling, score_min=score_min, runtime="litert")


def found_in(detector: OpenedDetector, given: Iterable[Pixels]) -> list[measure.Found]:
    """What a detector finds in each picture."""
    return [
        measure.Found(found.boxes, found.scores)
        for found in (detector.detect(Frame(float(number), pixels)) for number, pixels in enumerate(given))
    ]


def room(folder: Path, name: str) -> tuple[list[Pixels], Truth]:
    """Pictures and boxes (0..1) of one held-back source."""
    source = pictures.load_sources(folder, {name})[name]
    return [picture.pixels for picture in source], [assess.shares(picture) for picture in source]


def shop() -> tuple[list[Pixels], Truth]:
    """Moments of a simulated world that training never saw, with those of whom more than half is seen."""
    world = SimulatedShop(seed=SHOP_SEED, people=25, minutes=2.0, size=(640, 480))
    truth = [np.array([p.box for p in world.boxes(t) if p.visible > 0.55]).reshape(-1, 4) for t in SHOP_MOMENTS_S]
    return [world.frame(t).pixels for t in SHOP_MOMENTS_S], truth


def reference_gap(model: str, reference: Path, given: tuple[list[Pixels], Truth]) -> float:
    """AP50 of the float network minus that of the int8 file, both read by the recipe's judge."""
    quantised = judge.entries(packaged_manifest())[model]
    scores = []
    for entry in (float_entry(reference, quantised), quantised):
        judged = judge.Judged(entry)
        scores.append(measure.average_precision([judged.find(pixels) for pixels in given[0]], given[1]))
    return scores[0] - scores[1]


def float_entry(reference: Path, quantised: judge.Entry) -> judge.Entry:
    """How to read the float file: its own order of outputs, the quantised model's everything else."""
    return judge.Entry(reference, judge.plan_of(reference), quantised.nms_iou_max, quantised.score_min)


def clip_shares(detector: OpenedDetector, path: Path) -> tuple[float, float]:
    """(share of frames with somebody in which somebody is found, share of empty frames in which nobody is), at BELIEVED."""
    present, empty = [], []
    for number, pixels in enumerate(frames(path)):
        seen = bool((detector.detect(Frame(float(number), pixels)).scores >= BELIEVED).any())
        if any(first <= number <= last for first, last in SOMEBODY):
            present.append(seen)
        else:
            empty.append(not seen)
    return float(np.mean(present)), float(np.mean(empty))


def frames(path: Path) -> Iterator[Pixels]:
    """The frames of a clip, RGB."""
    yield from judge.clip(path)
