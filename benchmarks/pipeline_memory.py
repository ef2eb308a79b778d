"""A million synthetic frames through the pipeline: memory must not grow.

A day and more of a busy shop at ten frames a second: people come, stroll, stand and go, are missed, cross the line, queue; the
detector sees ghosts. Everything that could grow does its work: ids, pseudonyms, visits, windows, still places, staff. Resident
memory and the number of Python's allocations are read after a warm-up and at the end; their growth is held against a bound.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from benchmarks.step_cost import CAMERA
from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import StillConfig
from firmware.vision.detection import Detections

COMMAND = "python -m benchmarks.pipeline_memory"
FRAMES, QUICK_FRAMES = 1_000_000, 30_000
WARM_UP_SHARE = 0.1
GROWTH_MB_MAX = 8.0  # an allocator's own wavering; a leak of ten bytes a frame would be ten
BLOCKS_MAX = 2_000  # Python's own allocations: those of the visits and the window of the moment waver by hundreds
PAGE_KB = 4


def busy_shop(frames: int, people: int = 6, fps: float = 10.0, seed: int = 1) -> Iterator[Detections]:
    """People who come in at the bottom, stroll or stand, and leave; one frame in ten missed; a ghost now and then."""
    rng = np.random.default_rng(seed)
    feet, speeds, stay_s = np.zeros((people, 2)), np.zeros((people, 2)), np.zeros(people)
    for frame in range(frames):
        stay_s -= 1.0 / fps
        new = stay_s <= 0.0
        if new.any():
            count = int(new.sum())
            feet[new] = np.column_stack((rng.uniform(0.1, 0.9, count), np.full(count, 1.05)))
            speeds[new] = np.column_stack((rng.normal(0.0, 0.05, count), rng.uniform(-0.15, -0.05, count)))
            stay_s[new] = rng.uniform(5.0, 60.0, count)
        turning = rng.random(people) < 0.05 / fps
        speeds[turning] = rng.normal(0.0, 0.05, (int(turning.sum()), 2)) * (rng.random() > 0.3)
        feet += speeds / fps
        seen = feet[(rng.random(people) > 0.1) & (feet > 0.0).all(axis=1) & (feet < 1.2).all(axis=1)]
        if rng.random() < 0.02:
            seen = np.vstack((seen, rng.uniform(0.2, 0.9, (1, 2))))
        seen = seen + rng.normal(0.0, 0.003, seen.shape)
        boxes = np.column_stack((seen[:, 0] - 0.04, seen[:, 1] - 0.25, seen[:, 0] + 0.04, seen[:, 1])).clip(0.0, 1.0)
        boxes = boxes[(boxes[:, 2] - boxes[:, 0] > 0.01) & (boxes[:, 3] - boxes[:, 1] > 0.02)]
        yield Detections(frame / fps, boxes, np.full(len(boxes), 0.8))


def resident_kb() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_KB


def figures(*, quick: bool = False, seed: int = 1, frames: int | None = None) -> Iterator[Figure]:
    """Growth over the run, and what went through."""
    frames = frames or (QUICK_FRAMES if quick else FRAMES)
    camera = msgspec.structs.replace(CAMERA, still=StillConfig(still_s=60.0))
    pipeline = Pipeline(camera, Pseudonyms(random.Random(seed).randbytes))
    warm, events, windows, blocks, resident = int(frames * WARM_UP_SHARE), 0, 0, 0, 0
    began_s = perf_counter()
    for number, detections in enumerate(busy_shop(frames, seed=seed)):
        step = pipeline.step(detections, closed=number % 864_000 > 600_000)
        events, windows = events + len(step.events), windows + len(step.windows)
        if number == warm:
            gc.collect()
            resident, blocks = resident_kb(), sys.getallocatedblocks()
    seconds = perf_counter() - began_s
    gc.collect()
    growth_mb = (resident_kb() - resident) / 1024
    yield figure("pipeline.frames", frames, "shown", unit="frames", command=COMMAND)
    yield figure("pipeline.events", events, "shown", unit="events", command=COMMAND)
    yield figure("pipeline.us_per_frame", 1e6 * seconds / frames, "shown", unit="us", command=COMMAND)
    yield figure("pipeline.windows", windows, "at least", frames / 10 / 15 - 1, unit="windows", command=COMMAND)
    grown = sys.getallocatedblocks() - blocks
    yield figure("pipeline.allocations_growth", grown, "at most", BLOCKS_MAX, unit="blocks", command=COMMAND)
    yield figure("pipeline.memory_growth", growth_mb, "at most", GROWTH_MB_MAX, unit="MB", command=COMMAND)


def main(argv: Sequence[str] | None = None) -> int:
    """Print them; 1 when one does not hold."""
    parser = figure_parser(__doc__)
    parser.add_argument("--frames", type=int, default=None)
    args = parser.parse_args(argv)
    return print_figures(figures(quick=args.quick, seed=args.seed, frames=args.frames))


if __name__ == "__main__":
    raise SystemExit(main())
