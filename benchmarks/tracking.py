"""The tracker beside SORT, ByteTrack and OC-SORT of `trackers` 2.x: quality by the public scorer, time per frame, memory.

All get the same detections: SORT's own Faster R-CNN boxes on two sequences of MOTChallenge 2015, and perturbed ground truth
of four of 2017 at 30, 10 and 5 frames a second. The rivals run with their defaults and the true frame rate. Times are medians
of processor time of calls that take turns; ratios count, milliseconds are this machine's. Needs the venv of `make bench`.

  python -m benchmarks.tracking             figures, one JSON line each
  python -m benchmarks.tracking --table     the tables of docs/tracking.md
"""

from __future__ import annotations

import argparse
import configparser
import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import rival_trackers
from benchmarks.figure import Figure, figure
from benchmarks.mot_scores import Frames, Scores, score
from benchmarks.perturbed import STANDARD, Truth, perturbed, read_truth, thinned
from benchmarks.rival_trackers import DetectionFrames
from firmware import mot
from firmware.config import TrackerConfig
from firmware.hindsight import Hindsight
from firmware.vision.detection import Detections
from firmware.vision.tracker import Tracker, warm_up

COMMAND = "python -m benchmarks.tracking"
DATA = Path(os.environ.get("PASSERBY_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data")) / "mot"
OURS = "Passerby"
SIZES = (5, 20, 50, 100, 500)  # boxes a frame
TURN = 15  # frames that one tracker takes before the next has its turn
LONG_RUN_FRAMES = 1_000_000


class Sequence(NamedTuple):
    """Detections of one recording, and its truth."""

    name: str
    truth: Truth
    detections: DetectionFrames
    fps: float


def sequences(seed: int, *, quick: bool = False) -> Iterator[Sequence]:
    """What is compared; `quick` leaves out all but the two small recordings and one of the others."""
    for name in ("TUD-Campus", "TUD-Stadtmitte"):
        truth = read_truth((DATA / "MOT15" / name / "gt" / "gt.txt").read_text(), 25.0, (640, 480))
        path = DATA / "MOT15" / name / "det" / "det.txt"
        rows = mot.parse(path.read_text(), str(path))
        frames = range(1, int(truth.frames.max()) + 1)
        yield Sequence(name, truth, [(rows.boxes[rows.frames == f], rows.scores[rows.frames == f]) for f in frames], 25.0)
    for name in ("05",) if quick else ("02", "04", "05", "10"):
        folder = DATA / "MOT17" / f"MOT17-{name}"
        about = configparser.ConfigParser()
        about.read(folder / "seqinfo.ini")
        native = float(about["Sequence"]["frameRate"])
        size = (float(about["Sequence"]["imWidth"]), float(about["Sequence"]["imHeight"]))
        whole = read_truth((folder / "gt" / "gt.txt").read_text(), native, size)
        for target, stride in zip((30, 10, 5), (1, 3, 6) if native > 20 else (1, 2, 3), strict=True):
            truth = thinned(whole, stride)
            yield Sequence(f"MOT17-{name}@{target}", truth, perturbed(truth, STANDARD, seed), truth.fps)


def ours(detections: DetectionFrames, fps: float, *, online: bool = False) -> tuple[Frames, float]:
    """As `passerby track` does it, and milliseconds a frame; `online`: only what a live count knows at the time."""
    counts = [len(boxes) for boxes, _ in detections]
    rows = mot.MotRows(
        np.repeat(np.arange(1, len(counts) + 1), counts),
        np.full(sum(counts), -1),
        np.concatenate([boxes for boxes, _ in detections]),
        np.concatenate([scores for _, scores in detections]),
    )
    tracker, paths, spent_s, scale = Tracker(), Hindsight(), 0.0, mot.scale_px(rows)
    frames: Frames = [(np.empty(0, np.int64), np.empty((0, 4))) for _ in detections]
    for number, frame in enumerate(mot.frames_of(rows, fps), 1):
        begin_s = time.perf_counter()
        tracks = tracker.step(frame)
        spent_s += time.perf_counter() - begin_s
        paths.take(number, tracker.sightings())
        if online:
            frames[number - 1] = (tracks.ids[tracks.seen], _sides(tracks.boxes[tracks.seen]) * scale)
    if not online:
        by_frame: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
        for number, track, box, _ in paths.rows():
            by_frame.setdefault(number, []).append((track, box))
        for number, found in by_frame.items():
            frames[number - 1] = (np.array([track for track, _ in found]), _sides(np.array([box for _, box in found])) * scale)
    return frames, 1000 * spent_s / len(detections)


def _sides(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1)


def compared(sequence: Sequence) -> dict[str, Scores]:
    """Scores of all four on one sequence, and of ours without hindsight."""
    scores = {name: score(sequence.truth, rival_trackers.run(name, sequence.detections, sequence.fps)[0]) for name in rival_trackers.NAMES}
    scores[OURS] = score(sequence.truth, ours(sequence.detections, sequence.fps)[0])
    scores[f"{OURS} live"] = score(sequence.truth, ours(sequence.detections, sequence.fps, online=True)[0])
    return scores


def walkers(count: int, frames: int, seed: int) -> DetectionFrames:
    """`count` people walking about 1920 x 1080, boxes over about six tenths of the picture, jitter and 5 % misses."""
    rng = np.random.default_rng(seed)
    height = min(300.0, float(np.sqrt(0.6 * 1920 * 1080 / (count * 0.4))))
    place = rng.uniform((0, 0), (1920, 1080), (count, 2))
    speed = rng.normal(0, 0.02, (count, 2)) * height
    made: DetectionFrames = []
    for _ in range(frames):
        place += speed
        speed = np.where((place < 0) | (place > (1920, 1080)), -speed, speed)
        sides = np.exp(rng.normal(0, 0.03, (count, 2))) * (0.4 * height, height)
        boxes = np.concatenate((place + rng.normal(0, 0.02 * height, (count, 2)) - sides / 2, sides), axis=1)
        keep = rng.random(count) > 0.05
        made.append((boxes[keep], rng.uniform(0.65, 0.99, count)[keep]))
    return made


def times_ms(count: int, seed: int, frames: int = 90, fps: float = 10.0) -> dict[str, float]:
    """Median milliseconds of one update of each tracker on the same boxes.

    Processor time, so that a busy machine does not count; turns of TURN frames, so that a machine that warms up, or slows
    down, does so for all, and each finds its own code and memory at hand as it would alone.
    """
    made = walkers(count, frames, seed)
    trackers = {name: rival_trackers.rival(name, fps) for name in rival_trackers.NAMES}
    own = Tracker(TrackerConfig(capacity=1024))
    corners = [np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), axis=1) / (1920, 1080, 1920, 1080) for boxes, _ in made]
    mine = [Detections(k / fps, corners[k], scores, 16 / 9) for k, (_, scores) in enumerate(made)]
    theirs = [rival_trackers.as_rivals_take(boxes, scores) for boxes, scores in made]
    spent: dict[str, list[float]] = {name: [] for name in (*trackers, OURS)}
    for turn in range(0, frames, TURN):
        for name, values in spent.items():
            update = own.step if name == OURS else trackers[name].update
            for frame in (mine if name == OURS else theirs)[turn : turn + TURN]:
                begin = time.thread_time()
                update(frame)
                values.append(time.thread_time() - begin)
    return {name: 1000 * float(np.median(values[frames // 3 :])) for name, values in spent.items()}


def growth_bytes(frames: int, seed: int) -> int:
    """How much the process grew over `frames` frames of twenty people who come and go, after the first twentieth."""
    made = walkers(20, 500, seed)
    cycle = [
        (np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), axis=1) / (1920, 1080, 1920, 1080), scores) for boxes, scores in made
    ]
    tracker, before = Tracker(), 0
    for k in range(frames):
        if k == frames // 20:
            before = resident_bytes()
        tracker.step(Detections(k / 10, *cycle[k % len(cycle)]))
    return resident_bytes() - before


def resident_bytes() -> int:
    """Memory of this process that is in use."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def figures(seed: int = 7, *, quick: bool = False) -> Iterator[Figure]:
    """Quality, time and memory; quality only where the recordings are."""
    command = f"{COMMAND} --seed {seed}{' --quick' if quick else ''}"
    warm_up()
    for count in SIZES:
        times = times_ms(count, seed, 45 if quick else 90)
        fastest = min(times[name] for name in rival_trackers.NAMES)
        yield figure(f"tracker.ms.{count}", times[OURS], "shown", unit="ms a frame", command=command)
        least = 10 if count >= 50 else 1
        yield figure(f"tracker.speedup.{count}", fastest / times[OURS], "at least", least, unit="times the fastest rival", command=command)
    frames = LONG_RUN_FRAMES // 50 if quick else LONG_RUN_FRAMES
    grown = growth_bytes(frames, seed) / 2**20
    yield figure(f"tracker.growth.{frames}", grown, "at most", 4, unit="MiB after the first twentieth of so many frames", command=command)
    if not DATA.is_dir():
        print(f"{DATA} is missing: no figures of quality", file=sys.stderr)
        return
    for sequence in sequences(seed, quick=quick):
        scores = compared(sequence)
        for metric in ("hota", "idf1"):
            best = max(getattr(scores[name], metric) for name in rival_trackers.NAMES)
            value = getattr(scores[OURS], metric)
            yield figure(f"tracker.{metric}.{sequence.name}", value, "at least", best, unit="share; bound: best rival", command=command)
        yield figure(f"tracker.mota.{sequence.name}", scores[OURS].mota, "shown", unit="share", command=command)


def tables(seed: int, *, quick: bool) -> Iterator[str]:
    """The tables of docs/tracking.md, in Markdown."""
    names = (*rival_trackers.NAMES, OURS)
    yield "| boxes | " + " | ".join(f"{name}, ms" for name in names) + " | times the fastest rival |"
    yield "|---" * 6 + "|"
    for count in SIZES:
        times = times_ms(count, seed, 45 if quick else 90)
        fastest = min(times[name] for name in rival_trackers.NAMES)
        yield f"| {count} | " + " | ".join(f"{times[name]:.3f}" for name in names) + f" | {fastest / times[OURS]:.1f} |"
    judged = (*names, f"{OURS} live")
    yield "\n| sequence | " + " | ".join(judged) + " |"
    yield "|---" * 6 + "|"
    for sequence in sequences(seed, quick=quick):
        scores = compared(sequence)
        cells = (f"{100 * s.hota:.1f} / {100 * s.idf1:.1f} / {100 * s.mota:.1f} / {s.switches}" for s in (scores[name] for name in judged))
        yield f"| {sequence.name} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer frames and sequences")
    parser.add_argument("--seed", type=int, default=7, help="of walkers and faults")
    parser.add_argument("--table", action="store_true", help="print Markdown tables")
    args = parser.parse_args()
    warm_up()
    for line in tables(args.seed, quick=args.quick) if args.table else (f.line() for f in figures(args.seed, quick=args.quick)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
