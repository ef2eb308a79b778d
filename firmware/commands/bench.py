"""Times each stage on this machine, or compares models with each other: speed, and accuracy where the truth is known.

Without --models: a synthetic crowd goes through model, tracker and analytics; the table says where the time of a frame
goes, how many frames a second that allows, and what it costs around the model.

  passerby bench                                  the packaged model, 640x480, 20 people
  passerby bench --model person-448 --size 1280x720 --people 50
  passerby bench --models person-320 person-448 my-detector.tflite
                                                  side by side, taking turns in one run, ratios to the first
  passerby bench --models person-320 my-detector.tflite --pictures stills/ --truth labels/
                                                  the same on your pictures, with average precision at IoU 0.5

Other programs slow every stage down: compare ratios within a run rather than milliseconds of two. Exit codes: 0 done,
4 a model cannot be used, 5 pictures or truth cannot be read.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import math
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from firmware.bench import STAGES, WARM_UP, Compared, Picture, Timing, compare, crowd, time_stages
from firmware.commands.progress import bar
from firmware.errors import DataError
from firmware.pictures import find_pictures, read_picture, read_truth
from firmware.vision.detector import open_detector
from firmware.vision.manifest import find_model
from firmware.vision.tiling import TILINGS

SCORE_MIN_FOR_PRECISION: Final = 0.01  # the area under the curve wants its whole length
_SIDE_MAX: Final = 8192  # pixels; nothing that calls itself a camera has more


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="person-320", metavar="NAME|FILE", help="a packaged model, or a .tflite file (default person-320)"
    )
    parser.add_argument("--models", nargs="+", metavar="NAME|FILE", help="compare these instead")
    parser.add_argument(
        "--tiling", choices=("auto", *TILINGS), default="auto", help="parts that go through the model (default: the model's own)"
    )
    parser.add_argument(
        "--threads", type=_count, default=None, metavar="N", help="of the runtime (default: as many as pay; with --models 1)"
    )
    parser.add_argument("--frames", type=_count, default=200, metavar="N", help="to measure (default 200)")
    parser.add_argument("--people", type=_count, default=20, metavar="N", help="in the synthetic crowd (default 20)")
    parser.add_argument("--size", type=_size, default=(480, 640), metavar="WxH", help="of the frames (default 640x480)")
    parser.add_argument("--pictures", nargs="+", metavar="FOLDER", help="with --models: run them on these")
    parser.add_argument("--truth", metavar="FOLDER", help="with --pictures: YOLO text or JSON lines, for average precision")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 100000")
    return value


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and 8 <= int(width) <= _SIDE_MAX and 8 <= int(height) <= _SIDE_MAX):
        raise argparse.ArgumentTypeError(f"{text} is no size like 640x480")
    return int(height), int(width)


def run(args: argparse.Namespace) -> int:
    return _compare(args) if args.models else _stages(args)


def _stages(args: argparse.Namespace) -> int:
    detector = open_detector(args.model, threads=args.threads or 0, tiling=args.tiling)
    about = detector.description
    with contextlib.closing(detector), bar() as progress:
        task = progress.add_task("measuring", total=args.frames + WARM_UP)
        timing = time_stages(detector, args.size, args.people, args.frames, lambda: progress.advance(task))
    if args.json:
        described = {"model": about.model, "runtime": about.runtime, "threads": about.threads, "tiling": about.tiling}
        print(json.dumps({**described, "width": args.size[1], "height": args.size[0], **dataclasses.asdict(timing)}))
        return 0
    how = f"{about.model}, {about.tiling}, {about.runtime} on {about.threads} thread{'s' * (about.threads > 1)}"
    _print(_stage_table(timing, f"{how}, {args.size[1]}x{args.size[0]}, {timing.people} people tracked"))
    around = f"around the model {timing.around_share:.1%} of its invoke"
    print(f"{timing.fps:.0f} frames a second; {around}; memory {timing.memory_mb:.0f} MB at most")
    return 0


def _stage_table(timing: Timing, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("stage", "undisturbed ms", "median ms", "95 % below", "of invoke"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for name in STAGES:
        spread = timing.stage[name]
        share = spread.undisturbed_ms / timing.stage["invoke"].undisturbed_ms
        table.add_row(name, f"{spread.undisturbed_ms:.3f}", f"{spread.median_ms:.3f}", f"{spread.p95_ms:.3f}", f"{share:.1%}")
    return table


def _compare(args: argparse.Namespace) -> int:
    if args.truth and not args.pictures:
        raise DataError("--truth without --pictures", "say which pictures the truth is about")
    pictures, truths = _material(args)
    score_min = SCORE_MIN_FOR_PRECISION if args.truth else None
    rounds = max(1, math.ceil(args.frames / len(pictures))) if not args.truth else 1
    with contextlib.ExitStack() as stack:
        detectors = []
        for name in args.models:
            detector = open_detector(name, threads=args.threads or 1, tiling=args.tiling, score_min=score_min)
            stack.enter_context(contextlib.closing(detector))
            detectors.append((find_model(name).path, detector))
        progress = stack.enter_context(bar())
        task = progress.add_task("comparing", total=rounds * len(pictures) * len(detectors))
        found = compare(detectors, pictures, truths, rounds, lambda: progress.advance(task))
    if args.json:
        print(json.dumps({"pictures": len(pictures), "rounds": rounds, "models": [dataclasses.asdict(one) for one in found]}))
    else:
        threads = args.threads or 1
        _print(_comparison_table(found, f"{len(pictures)} pictures, {rounds} rounds, {threads} thread{'s' * (threads > 1)}"))
    return 0


def _material(args: argparse.Namespace) -> tuple[list[Picture], list[NDArray[np.float64] | None]]:
    """Pictures and their truth: the user's, read when their turn comes, or one synthetic frame."""
    if not args.pictures:
        frame = _synthetic(args.size, args.people)
        return [lambda: frame], [None]
    truth = read_truth(Path(args.truth)) if args.truth else None
    paths = find_pictures(args.pictures)
    return [functools.partial(read_picture, path) for path in paths], [truth.of(path) if truth else None for path in paths]


def _synthetic(size: tuple[int, int], people: int) -> NDArray[np.uint8]:
    """Noise with dark upright shapes; only for timing."""
    pixels = np.random.default_rng(0).integers(96, 160, (*size, 3), np.uint8)
    for x0, y0, x1, y1 in (crowd(people, 0.0) * np.array([size[1], size[0]] * 2)).astype(int):
        pixels[max(y0, 0) : y1, max(x0, 0) : x1] = 40
    return pixels


def _comparison_table(found: list[Compared], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("model", "input", "tiling", "runtime", "MB", "invoke ms", "in all ms", "ratio", "AP50"):
        table.add_column(heading, justify="left" if heading in {"model", "tiling", "runtime"} else "right")
    for one in found:
        ap = "" if one.ap50 is None else f"{one.ap50:.3f}"
        size = f"{one.input[1]}x{one.input[0]}"
        numbers = (f"{one.file_mb:.1f}", f"{one.invoke_ms:.2f}", f"{one.total_ms:.2f}", f"{one.ratio:.2f}", ap)
        table.add_row(one.model, size, one.tiling, one.runtime, *numbers)
    return table


def _print(table: Table) -> None:
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 140  # a file has no edge: nothing is cut off
    console.print(table)
