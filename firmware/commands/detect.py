"""Finds people in pictures, and says how well when the truth is known.

Each picture becomes one line of JSON: file, width, height, boxes (x0 y0 x1 y1 as shares of width and height, best
score first), scores. A folder stands for every picture below it. Pictures that cannot be read are named, left out,
and make the exit code 5 at the end.

  passerby detect photo.jpg                               people in one picture, on the screen
  passerby detect stills/ --jsonl found.jsonl             a folder, with the packaged model
  passerby detect stills/ --jsonl found.jsonl --model my-detector.tflite --tiling 2x2
  passerby detect stills/ --truth labels/ --score-min 0.01
                                            average precision at IoU 0.5; labels are YOLO text or such JSON lines

Exit codes: 0 done, 4 the model cannot be used, 5 a picture or the truth could not be read, 6 OUT cannot be written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from firmware.average_precision import Judged, average_precision
from firmware.commands.progress import tracked
from firmware.errors import DataError, StorageError
from firmware.pictures import Truth, find_pictures, read_picture, read_truth
from firmware.vision.detection import Detections
from firmware.vision.detector import OpenedDetector, open_detector
from firmware.vision.frame import Frame
from firmware.vision.tiling import TILINGS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pictures", nargs="+", metavar="PICTURE|FOLDER")
    parser.add_argument("--jsonl", metavar="OUT", help='write one line a picture to OUT; "-" is standard output')
    parser.add_argument(
        "--model", default="person-320", metavar="NAME|FILE", help="a packaged model, or a .tflite file (default person-320)"
    )
    parser.add_argument(
        "--tiling", choices=("auto", *TILINGS), default="auto", help="parts that go through the model (default: the model's own)"
    )
    parser.add_argument("--score-min", type=share, metavar="S", help="least score in 0..1 (default: the model's own)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of the runtime (default: as many as pay)")
    parser.add_argument("--runtime", default="auto", help="auto, litert, tflite or litert-builtin (default: the fastest)")
    parser.add_argument("--truth", metavar="FOLDER", help="YOLO text or JSON lines: print average precision at IoU 0.5")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON document on standard output")


def share(text: str) -> float:
    """A number between 0 and 1, for argparse."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def run(args: argparse.Namespace) -> int:
    paths = find_pictures(args.pictures)
    truth = read_truth(Path(args.truth)) if args.truth else None
    detector = open_detector(args.model, threads=args.threads, tiling=args.tiling, score_min=args.score_min, runtime=args.runtime)
    with contextlib.closing(detector), _opened(args.jsonl) as out:
        summary = _detect_all(detector, paths, truth, out)
    if args.json:
        print(json.dumps(summary))
    else:
        _say(summary, people_shown=args.jsonl is None and len(paths) == 1)
    return DataError.exit_code if summary["unreadable"] else 0


@contextlib.contextmanager
def _opened(name: str | None) -> Iterator[TextIO | None]:
    if name is None or name == "-":
        yield sys.stdout if name else None
        return
    try:
        with Path(name).open("w", encoding="utf-8") as out:
            yield out
    except OSError as error:
        raise StorageError(f"{name}: cannot be written: {error.strerror}", "choose another place for --jsonl") from error


def _detect_all(detector: OpenedDetector, paths: list[Path], truth: Truth | None, out: TextIO | None) -> dict[str, Any]:
    """Every picture through the detector; the summary."""
    unreadable: list[str] = []
    judged: list[Judged] = []
    people, done, invoke_s, last = 0, 0, 0.0, []
    for path in tracked(paths, "detecting"):
        try:
            pixels = read_picture(path)
        except DataError as error:
            print(f"passerby detect: {error}", file=sys.stderr)
            unreadable.append(str(path))
            continue
        found = detector.detect(Frame(0.0, pixels))
        people, done, invoke_s, last = people + len(found.scores), done + 1, invoke_s + detector.stage.invoke_s, found.boxes.tolist()
        if out is not None:
            print(_line(path, pixels.shape[1], pixels.shape[0], found), file=out)
        known = truth.of(path) if truth else None
        if known is not None:
            judged.append(Judged(found.boxes, found.scores, known))
    summary = {
        "pictures": done,
        "unreadable": unreadable,
        "people": people,
        "invoke_ms": round(invoke_s / max(1, done) * 1000, 3),
        "model": detector.description.model,
        "sha256": detector.description.sha256,
        "tiling": detector.description.tiling,
        "runtime": detector.description.runtime,
        "threads": detector.description.threads,
        "score_min": detector.description.score_min,
        "boxes": last if done == 1 else None,
    }
    if truth is not None:
        ap = average_precision(judged)
        summary |= {
            "judged": len(judged),
            "truth_people": sum(len(one.truth) for one in judged),
            "ap50": None if np.isnan(ap) else round(ap, 4),
        }
    return summary


def _line(path: Path, width: int, height: int, found: Detections) -> str:
    boxes = [[round(v, 5) for v in box] for box in found.boxes.tolist()]
    scores = [round(v, 4) for v in found.scores.tolist()]
    return json.dumps({"file": str(path), "width": width, "height": height, "boxes": boxes, "scores": scores})


def _say(summary: dict[str, Any], *, people_shown: bool) -> None:
    """The summary for a person; the boxes too when there is one picture and no file to write them to."""
    how = f"{summary['model']}, {summary['tiling']}, {summary['runtime']}, {summary['invoke_ms']:.1f} ms a picture in the model"
    print(f"{summary['people']} people in {summary['pictures']} pictures ({how})", file=sys.stderr)
    if people_shown:
        for box in summary["boxes"] or []:
            print("  " + " ".join(f"{v:.3f}" for v in box))
    if summary["unreadable"]:
        print(f"{len(summary['unreadable'])} could not be read", file=sys.stderr)
    if "ap50" in summary:
        ap = "-" if summary["ap50"] is None else f"{summary['ap50']:.3f}"
        print(f"AP50 {ap} on {summary['judged']} pictures with {summary['truth_people']} people")
