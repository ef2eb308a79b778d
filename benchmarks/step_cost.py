"""What a step costs around the model: resize, decode and suppression, tracking and analytics, at 20 people, beside the invoke.

Each frame goes through everything in turn, so that model and the rest see the same machine at the same moment. A stage is
the median of a block of frames, and of the blocks the fastest, for on a shared machine everything else only adds. The
camera has one line, one area and one queue; people stroll, jitter, and are missed one frame in ten.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.vision.detection import Detections
from firmware.vision.detector import OpenedDetector, open_detector
from firmware.vision.frame import Frame
from firmware.vision.shop.training import render_training_scene

COMMAND = "python -m benchmarks.step_cost"
PEOPLE = 20
SHARE_MAX = 0.10
BLOCK, BLOCKS = 60, 12
SIZE = (640, 480)
CAMERA = CameraConfig(
    "shop",
    "-",
    line=(LineConfig("door", (0.0, 0.5), (1.0, 0.5)),),
    zone=(
        ZoneConfig("display", ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))),
        ZoneConfig("till", ((0.4, 0.2), (0.9, 0.2), (0.9, 0.7), (0.4, 0.7)), kind="queue", service_side=0),
    ),
)


def strollers(people: int, frames: int, seed: int = 1, fps: float = 10.0) -> Iterator[Detections]:
    """Frames of people who stroll about."""
    rng = np.random.default_rng(seed)
    feet, speeds = rng.uniform(0.1, 0.9, (people, 2)), rng.normal(0.0, 0.05, (people, 2))
    for frame in range(frames):
        feet += speeds / fps
        speeds = np.where((feet < 0.1) | (feet > 0.9), -speeds, speeds)
        feet = feet.clip(0.1, 0.9)
        seen = feet[rng.random(people) > 0.1]
        seen = seen + rng.normal(0.0, 0.003, seen.shape)
        boxes = np.column_stack((seen[:, 0] - 0.04, seen[:, 1] - 0.25, seen[:, 0] + 0.04, seen[:, 1])).clip(0.0, 1.0)
        yield Detections(frame / fps, boxes, np.full(len(boxes), 0.9))


def crowded_picture(people: int, seed: int = 1) -> NDArray[np.uint8]:
    """A rendered room with at least so many people to be seen in it."""
    for attempt in range(2000):
        pixels, boxes = render_training_scene(np.random.default_rng([seed, attempt]), SIZE)
        if (boxes[:, 4] > 0.3).sum() >= people:
            return pixels
    raise AssertionError(f"no room with {people} people in 2000 tries")


def stages_ms(blocks: int, seed: int) -> dict[str, float]:
    """Milliseconds of each stage."""
    detector: OpenedDetector = open_detector("person-320", threads=1, tiling="1x1")
    pipeline = Pipeline(CAMERA, Pseudonyms(random.Random(seed).randbytes))
    pixels = crowded_picture(PEOPLE, seed)
    spent: dict[str, list[float]] = {"resize": [], "invoke": [], "decode": [], "step": []}
    best: dict[str, float] = dict.fromkeys(spent, float("inf"))
    for number, detections in enumerate(strollers(PEOPLE, (blocks + 1) * BLOCK, seed)):
        detector.detect(Frame(detections.t_s, pixels))
        began = perf_counter()
        pipeline.step(detections)
        spent["step"].append(perf_counter() - began)
        for stage in ("resize", "invoke", "decode"):
            spent[stage].append(getattr(detector.stage, f"{stage}_s"))
        if number % BLOCK == BLOCK - 1:
            if number >= BLOCK:  # the first block compiles, loads and warms up
                best = {stage: min(best[stage], statistics.median(values)) for stage, values in spent.items()}
            spent = {stage: [] for stage in spent}
    detector.close()
    return {stage: 1000 * seconds for stage, seconds in best.items()}


def figures(*, quick: bool = False, seed: int = 1) -> Iterator[Figure]:
    """The stages, and what all but the model cost together as a share of it."""
    stages = stages_ms(3 if quick else BLOCKS, seed)
    for stage, value in stages.items():
        yield figure(f"step.{stage}", value, "shown", unit="ms", command=COMMAND)
    around = stages["resize"] + stages["decode"] + stages["step"]
    yield figure("step.around_model_share", around / stages["invoke"], "at most", SHARE_MAX, unit="of the invoke", command=COMMAND)


def main(argv: Sequence[str] | None = None) -> int:
    """Print them; 1 when one does not hold."""
    args = figure_parser(__doc__).parse_args(argv)
    return print_figures(figures(quick=args.quick, seed=args.seed))


if __name__ == "__main__":
    raise SystemExit(main())
