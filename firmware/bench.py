"""How long each stage takes on this machine, and how models compare: measured now, side by side, never stored.

A frame of a synthetic crowd goes through the real detector, tracker and analytics. The model really runs; what it says
is replaced by heads that see exactly the crowd, so that decoding, tracking and counting work on a known number of people
(centre-point models; others show what they find in the picture). Rules: models that are compared take turns within one
run, so that a busy machine slows all alike; ratios are of the fastest tenth, which other programs disturb least.
Printing is left to `firmware.commands.bench`.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.average_precision import Judged, average_precision
from firmware.clock import stopwatch_s
from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.vision.decode import Scale, scale_of
from firmware.vision.detection import Detections
from firmware.vision.detector import OpenedDetector
from firmware.vision.frame import Frame
from firmware.vision.recognise import Reading
from firmware.vision.tensors import Interpreter
from firmware.vision.tracker import Tracker

Picture = Callable[[], NDArray[np.uint8]]
STAGES: Final = ("resize", "invoke", "decode", "track", "analytics")
WARM_UP: Final = 15  # frames: kernels are compiled or loaded, caches filled, tracks confirmed
_FPS: Final = 10.0
_FRAMES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds of one stage over many frames.

    Attributes:
        undisturbed_ms: the fastest tenth of frames took at most so long: what the machine does when others leave it alone.
        median_ms: half of them.
        p95_ms: all but the slowest twentieth.
    """

    undisturbed_ms: float
    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Timing:
    """One model on this machine.

    Attributes:
        stage: by STAGES' names.
        around_share: everything but invoke, as a share of invoke, both undisturbed.
        fps: frames a second that the mean frame allows.
        people: tracks in the last frame.
        memory_mb: peak of this process.
    """

    stage: dict[str, Spread]
    around_share: float
    fps: float
    people: int
    memory_mb: float


def crowd(people: int, t_s: float) -> NDArray[np.float64]:
    """(people, 4) boxes of walkers who criss-cross the picture without leaving it; the same at the same time."""
    i = np.arange(people)
    height = 0.12 + 0.06 * (i % 5) / 4
    width = height * 0.3
    centre_x = 0.5 + 0.42 * np.sin(0.13 * (1 + i % 4) * t_s + 2.4 * i)
    foot_y = np.clip(0.25 + 0.7 * ((i * 0.618) % 1) + 0.04 * np.sin(0.4 * t_s + i), height + 0.01, 0.99)
    return np.stack([centre_x - width / 2, foot_y - height, centre_x + width / 2, foot_y], axis=1)


class CrowdSeen:
    """An interpreter that takes its time and says what it is told: real invokes, heads that see the crowd."""

    def __init__(self, inner: Interpreter, plan: Reading) -> None:
        """`inner` runs; `plan` is of a centre-point model."""
        self.signature = inner.signature
        self._inner, self._plan = inner, plan
        self._heads = tuple(np.zeros(output.shape, output.dtype) for output in inner.signature.outputs)

    def show(self, boxes: NDArray[np.float64]) -> None:
        """From now on the heads see these (N, 4) boxes, each with the blur around it that a real head has."""
        for index, level in enumerate(self._plan.levels):
            heat, box = self._heads[level.heatmap][0, :, :, 0], self._heads[level.box][0]
            to_score = scale_of(self.signature.outputs[level.heatmap], logistic=level.activation == "sigmoid")
            to_cells = scale_of(self.signature.outputs[level.box], logistic=False)
            heat[:] = _raw(to_score, 0.02, heat.dtype)
            mine = boxes[index :: len(self._plan.levels)]
            for x0, y0, x1, y1 in mine * np.array([heat.shape[1], heat.shape[0]] * 2):
                column, row = int((x0 + x1) / 2), int((y0 + y1) / 2)
                for dy, dx, score in ((0, 1, 0.4), (1, 0, 0.3), (0, -1, 0.4), (-1, 0, 0.3), (0, 0, 0.9)):
                    y, x = min(max(row + dy, 0), heat.shape[0] - 1), min(max(column + dx, 0), heat.shape[1] - 1)
                    heat[y, x] = _raw(to_score, score, heat.dtype)
                    sides = np.array([x + 0.5 - x0, y + 0.5 - y0, x1 - x - 0.5, y1 - y - 0.5])
                    box[y, x] = np.round(np.maximum(sides, 0.0) / to_cells.scale + to_cells.zero).clip(*_limits(box.dtype))

    def input(self) -> NDArray[Any]:
        """See Interpreter."""
        return self._inner.input()

    def invoke(self) -> None:
        """See Interpreter."""
        self._inner.invoke()

    def outputs(self) -> tuple[NDArray[Any], ...]:
        """See Interpreter: the heads that see the crowd."""
        return self._heads

    def close(self) -> None:
        """See Interpreter."""
        self._inner.close()


def _raw(scale: Scale, score: float, dtype: np.dtype[Any]) -> float:
    """The raw value whose score is nearest."""
    if len(scale.score):
        return float(int(np.argmin(np.abs(scale.score - score))) + scale.low)
    return float(dtype.type(np.log(score / (1 - score)) if scale.logistic else score))


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return -np.inf, np.inf
    return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


def camera() -> CameraConfig:
    """A door, a display and a queue: what a shop's camera usually counts."""
    return CameraConfig(
        name="bench",
        source="sim:",
        line=(LineConfig("door", (0.1, 0.6), (0.9, 0.6)), LineConfig("aisle", (0.5, 0.1), (0.5, 0.9))),
        zone=(
            ZoneConfig("display", ((0.05, 0.3), (0.45, 0.3), (0.45, 0.9), (0.05, 0.9))),
            ZoneConfig("till", ((0.55, 0.3), (0.95, 0.3), (0.95, 0.9), (0.55, 0.9)), kind="queue", service_side=1),
        ),
    )


def time_stages(
    detector: OpenedDetector, size: tuple[int, int], people: int, frames: int, tick: Callable[[], object] = lambda: None
) -> Timing:
    """Run a crowd through detector, tracker and analytics.

    Args:
        detector: used up: its interpreter is wrapped for good.
        size: height, width of the frames.
        people: in each.
        frames: to measure, after WARM_UP.
        tick: called for each frame.
    """
    seen = detector.show_to(CrowdSeen) if detector.reading.decoder == "centre-point" else None
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    tracker, pipeline = Tracker(), Pipeline(camera(), Pseudonyms(random.Random(0).randbytes))  # noqa: S311 a measurement must repeat
    rows: list[tuple[float, float, float, float, float]] = []
    live = 0
    for index in range(min(frames, _FRAMES_MAX) + WARM_UP):
        t_s = index / _FPS
        if seen is not None:
            seen.show(crowd(people, t_s))
        found = detector.detect(Frame(t_s, pixels))
        track_s, live = _timed(lambda found=found: len(tracker.step(found).ids))  # type: ignore[misc]
        pipeline_s, _ = _timed(lambda found=found: _step(pipeline, found))  # type: ignore[misc]
        stage = detector.stage
        if index >= WARM_UP:
            rows.append((stage.resize_s, stage.invoke_s, stage.decode_s, track_s, max(0.0, pipeline_s - track_s)))
        tick()
    return _timing(np.array(rows, np.float64) * 1000, live)


def _step(pipeline: Pipeline, found: Detections) -> int:
    return len(pipeline.step(found).events)


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    start_s = stopwatch_s()
    result = work()
    return stopwatch_s() - start_s, result


def _timing(ms: NDArray[np.float64], people: int) -> Timing:
    low, median, p95 = np.percentile(ms, (10, 50, 95), axis=0)
    around = np.percentile(ms.sum(axis=1) - ms[:, 1], 10)
    return Timing(
        {name: Spread(float(a), float(b), float(c)) for name, a, b, c in zip(STAGES, low, median, p95, strict=True)},
        float(around / low[1]),
        float(1000 / ms.sum(axis=1).mean()),
        people,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """One model beside others, in one run.

    Attributes:
        model: its name.
        runtime: what ran it.
        input: height, width.
        tiling: with which it was run.
        invoke_ms: of all its invokes for one picture, undisturbed (see Spread).
        total_ms: the same with resize, decode and suppression.
        ratio: invoke_ms by the first model's.
        ap50: average precision at IoU 0.5 on the pictures; None without truth.
        file_mb: size of its file.
    """

    model: str
    runtime: str
    input: tuple[int, int]
    tiling: str
    invoke_ms: float
    total_ms: float
    ratio: float
    ap50: float | None
    file_mb: float


def compare(
    detectors: Sequence[tuple[Path, OpenedDetector]],
    pictures: Sequence[Picture],
    truths: Sequence[NDArray[np.float64] | None],
    rounds: int,
    tick: Callable[[], object] = lambda: None,
) -> list[Compared]:
    """Every model on every picture, taking turns, `rounds` times.

    Args:
        detectors: each with the path of its file.
        pictures: each gives its (H, W, 3) uint8 pixels when called, so that a folder need not fit into memory.
        truths: of each picture (M, 4) boxes, None where unknown.
        rounds: over all pictures; boxes are judged in the first alone, for they repeat.
        tick: called for each picture and model.
    """
    invokes: list[list[float]] = [[] for _ in detectors]
    totals: list[list[float]] = [[] for _ in detectors]
    judged: list[list[Judged]] = [[] for _ in detectors]
    for turn in range(rounds):
        for picture, truth in zip(pictures, truths, strict=True):
            pixels = picture()
            for index, (_, detector) in enumerate(detectors):
                found = detector.detect(Frame(0.0, pixels))
                stage = detector.stage
                invokes[index].append(stage.invoke_s * 1000)
                totals[index].append((stage.resize_s + stage.invoke_s + stage.decode_s) * 1000)
                if turn == 0 and truth is not None:
                    judged[index].append(Judged(found.boxes, found.scores, truth))
                tick()
    first = _undisturbed(invokes[0])
    return [_compared(path, detector, invokes[i], totals[i], first, judged[i]) for i, (path, detector) in enumerate(detectors)]


def _compared(
    path: Path, detector: OpenedDetector, invokes: list[float], totals: list[float], first_ms: float, judged: list[Judged]
) -> Compared:
    about, invoke_ms = detector.description, _undisturbed(invokes)
    known = any(len(one.truth) for one in judged)
    return Compared(
        about.model,
        about.runtime,
        about.input_hw,
        about.tiling,
        invoke_ms,
        _undisturbed(totals),
        invoke_ms / first_ms,
        average_precision(judged) if known else None,
        path.stat().st_size / 1e6,
    )


def _undisturbed(ms: list[float]) -> float:
    return float(np.percentile(ms, 10))
