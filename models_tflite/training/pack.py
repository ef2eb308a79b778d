"""Writes the package: one TFLite file for each plan, and the manifest that describes them.

A plan is one network at one input size. Calibration pictures come from the training sources, half of them plain, half composed as in
training, so that the ranges cover what the network met. The manifest's schema is read by `firmware.vision.manifest`.
"""

import copy
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from models_tflite.training import appearance, assess, compose, export, judge, measure
from models_tflite.training.network import Detector
from models_tflite.training.pictures import Picture

CALIBRATION_PICTURES = 120
CALIBRATION_SEED = 7
SCORE_MIN = 0.2  # below it, an empty room begins to be full of peaks; a track begins at 0.4
NMS_IOU_MAX = 0.5
FILE_BYTES_MAX = 2_000_000  # what a slow link and a small card can bear, and a repository can hold


@dataclass(frozen=True)
class Plan:
    """One packaged model: its name, the body of its network, input (height, width), tiling, purpose, and the score that counts as 0.5."""

    name: str
    body: str
    size: tuple[int, int]
    tiling: str
    description: str
    score_even: float = 0.5


PLANS = (
    Plan("person-320", "walker", (256, 320), "1x1", "the default: rooms up to about six metres deep"),
    Plan("person-448", "walker", (448, 448), "1x1", "deeper rooms, where people are smaller: two and a half times the time of person-320"),
    Plan(
        "person-384", "walker", (384, 384), "2x1", "wide and high rooms, seen in two tiles: three and a half times the time of person-320"
    ),
)


def calibration(sources: dict[str, list[Picture]], size: tuple[int, int], seed: int) -> list[np.ndarray]:
    """uint8 pictures [height, width, 3] drawn evenly from all sources."""
    rng = np.random.default_rng(seed)
    names = sorted(sources)

    def draw(generator: np.random.Generator) -> Picture:
        pictures = sources[names[int(generator.integers(len(names)))]]
        return pictures[int(generator.integers(len(pictures)))]

    made = []
    for number in range(CALIBRATION_PICTURES):
        if number % 2:
            square = compose.compose(rng, draw, None, max(size))
            pixels = appearance.spoil(rng, square.pixels)
        else:
            pixels = draw(rng).pixels
        made.append(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR))
    return made


def calibrated(detector: Detector, size: tuple[int, int], judged_on: list[Picture]) -> Detector:
    """A copy whose scores are moved so that 0.5 is the threshold of the best F1 on held-back pictures at this size.

    The tracker begins tracks somewhat below (0.4: time sorts the doubtful out) whatever the model; so the model comes to meet it.
    """
    from models_tflite.training import train

    found, truth = [], [assess.shares(picture) for picture in judged_on]
    for picture in judged_on:
        pixels = torch.from_numpy(judge.resize(picture.pixels, size).copy()).permute(2, 0, 1)[None]
        with torch.no_grad():
            found.extend(measure.suppress(one, NMS_IOU_MAX) for one in train.decode(detector(train.to_input(pixels))))
    threshold, _ = assess.best_threshold(found, truth)
    moved = copy.deepcopy(detector)
    with torch.no_grad():
        for head in (moved.fine, moved.coarse):
            head.peak.bias -= math.log(threshold / (1 - threshold))
    return moved


def pack(
    detectors: dict[str, Detector],
    sources: dict[str, list[Picture]],
    held: dict[str, list[Picture]],
    folder: Path,
    plans: tuple[Plan, ...] | None = None,
) -> None:
    """Exports every plan into `folder`, a 16-bit float reference of the first into `training/reference`, and writes `manifest.toml`.

    detectors: a trained network for each body that the plans name. Calibration pictures come from `sources`, thresholds from `held`.
    """
    parts = [HEADER]
    plans = plans or PLANS
    for plan in plans:
        moved = calibrated(detectors[plan.body], plan.size, [picture for pictures in held.values() for picture in pictures])
        content = export.to_tflite(moved, plan.size, calibration(sources, plan.size, CALIBRATION_SEED))
        if len(content) > FILE_BYTES_MAX:
            raise ValueError(f"{plan.name} has {len(content)} bytes, at most {FILE_BYTES_MAX} are allowed")
        path = folder / f"{plan.name}.tflite"
        path.write_bytes(content)
        parts.append(entry(plan, hashlib.sha256(content).hexdigest(), judge.plan_of(path)))
        if plan is plans[0]:
            reference = folder / "training" / "reference"
            reference.mkdir(parents=True, exist_ok=True)
            (reference / f"{plan.name}-float16.tflite").write_bytes(export.to_float16(moved, plan.size))
    (folder / "manifest.toml").write_text("\n".join(parts))


HEADER = """\
# The packaged detectors. Written by `make model`; the keys are those of firmware/vision/manifest.py.
# Heatmaps hold probabilities (the sigmoid is in the file), boxes hold left, top, right, bottom in cells from the cell's centre.
"""


def entry(plan: Plan, sha256: str, outputs: tuple[dict, ...]) -> str:
    """One `[model.NAME]` table of the manifest."""
    size = plan.size[0] if plan.size[0] == plan.size[1] else list(plan.size)
    lines = [
        f"[model.{plan.name}]",
        f'description = "{plan.description}"',
        f'file = "{plan.name}.tflite"',
        f'sha256 = "{sha256}"',
        f"input = {size}",
        'dtype = "int8"',
        'decoder = "centre-point"',
        f"score_min = {SCORE_MIN}",
        f"score_even = {plan.score_even}",
        f"nms_iou_max = {NMS_IOU_MAX}",
        'labels = ["person"]',
        'licence = "Apache-2.0"',
        f'tiling = "{plan.tiling}"',
    ]
    for output in outputs:
        lines += [
            f"[[model.{plan.name}.output]]",
            f"heatmap = {output['heatmap']}",
            f"box = {output['box']}",
            f"stride = {output['stride']}",
            'activation = "none"',
            "peak = true",
        ]
    return "\n".join(lines) + "\n"
