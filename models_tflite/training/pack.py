"""Writes the package: one TFLite file for each planned input size, and the manifest that describes them.

All sizes hold the same weights. Calibration pictures come from the training sources, half of them plain, half composed as in training, so
that the ranges cover what the network met. The manifest's schema is read by `firmware.vision.manifest`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models_tflite.training import appearance, compose, export
from models_tflite.training.network import Detector
from models_tflite.training.pictures import Picture

CALIBRATION_PICTURES = 120
FILE_BYTES_MAX = 2_000_000  # what a slow link and a small card can bear, and a repository can hold


@dataclass(frozen=True)
class Plan:
    """One packaged model: its name, input (height, width), score threshold, tiling and purpose in a sentence."""

    name: str
    size: tuple[int, int]
    score_min: float
    tiling: str
    description: str


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
            square = compose.compose(rng, draw, max(size))
            pixels = appearance.spoil(rng, square.pixels)
        else:
            pixels = draw(rng).pixels
        made.append(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR))
    return made


def pack(detector: Detector, sources: dict[str, list[Picture]], plans: tuple[Plan, ...], folder: Path, seed: int = 7) -> None:
    """Exports every plan into `folder` and writes `manifest.toml`."""
    parts = [HEADER]
    for plan in plans:
        content = export.to_tflite(detector, plan.size, calibration(sources, plan.size, seed))
        if len(content) > FILE_BYTES_MAX:
            raise ValueError(f"{plan.name} has {len(content)} bytes, at most {FILE_BYTES_MAX} are allowed")
        path = folder / f"{plan.name}.tflite"
        path.write_bytes(content)
        parts.append(entry(plan, hashlib.sha256(content).hexdigest(), export.output_plan(path)))
    (folder / "manifest.toml").write_text("\n".join(parts))


HEADER = """\
# The packaged detectors. Written by `make model`; the keys are those of firmware/vision/manifest.py.
# Heatmaps hold probabilities (the sigmoid is in the file), boxes hold left, top, right, bottom in cells from the cell's centre.
"""


def entry(plan: Plan, sha256: str, outputs: list[dict[str, int]]) -> str:
    """One `[model.NAME]` table of the manifest."""
    size = plan.size[0] if plan.size[0] == plan.size[1] else list(plan.size)
    lines = [
        f"[model.{plan.name}]",
        f'description = "{plan.description}"',
        f'file = "{plan.name}.tflite"',
        f'sha256 = "{sha256}"',
        f"input = {size}",
        'dtype = "uint8"',
        'decoder = "centre-point"',
        f"score_min = {plan.score_min}",
        "nms_iou_max = 0.55",
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
