"""Tracks the people of a file of detections, MOTChallenge text in and out, so that public scorers can judge it.

A line of the input is: frame, id (-1), left, top, width, height, score; further columns are not read. A line of the
output is the same with the id of the track. Frames count from 1; boxes are pixels of any picture size.

  passerby track det.txt --fps 30 --out tracks.txt          every confirmed track, where it was seen
  passerby track det.txt --fps 5 --out tracks.txt --json    a summary for machines, with ms_per_frame
  passerby track det.txt --fps 30 --out tracks.txt --interpolate 0.5
                                                            and gaps of up to half a second, filled with a straight line

The tracker is the device's own, with its defaults. Two things are hindsight, which a live count does not have: a track's first
boxes are written once it is confirmed, and gaps are filled when --interpolate asks for it.

Scores: all the same number means that every box is trusted. Within 0..1, a tenth of them at 0.5 or more: as they are. Any
other range (margins, percent) is read by rank: the lowest quarter keeps tracks alive, the rest may begin one. The summary says
which. ms_per_frame is the mean time of the tracker alone, compiled before.

Exit codes: 0 done, 2 usage, 5 DET.txt is not what its format says, 6 TRACKS.txt cannot be written.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from firmware import mot
from firmware.clock import stopwatch_s
from firmware.commands.progress import bar
from firmware.config import TrackerConfig
from firmware.errors import DataError, StorageError
from firmware.hindsight import Hindsight
from firmware.vision.tracker import Tracker, warm_up

FPS_MAX = 1000.0  # faster than any camera that counts people
BYTES_MAX = 2 << 30  # ROWS_MAX boxes of a hundred characters
CAPACITY_MAX = 4096  # what the configuration allows
FORGET_EVERY = 500  # frames between two looks for trials that failed; any number does


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("detections", metavar="DET.txt", help="MOTChallenge detections")
    parser.add_argument("--fps", type=rate, required=True, metavar="N", help="frames a second of the recording")
    parser.add_argument("--out", required=True, metavar="TRACKS.txt", help='MOTChallenge tracks; "-" is standard output')
    parser.add_argument("--interpolate", type=seconds, default=0.0, metavar="S", help="fill gaps of up to S seconds, at most 5 (default 0)")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON document on standard output")


def rate(text: str) -> float:
    """A frame rate, for argparse."""
    value = float(text)
    if not 0 < value <= FPS_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most {FPS_MAX:g} frames a second")
    return value


def seconds(text: str) -> float:
    """A gap, for argparse."""
    value = float(text)
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 5 seconds: a longer gap is not a straight line")
    return value


def run(args: argparse.Namespace) -> int:
    rows = mot.parse(_read(args.detections), args.detections)
    if not len(rows):
        raise DataError(f"{args.detections}: no boxes", "a line is: frame, -1, left, top, width, height, score")
    paths, spent_s, refused = _track(rows, args.fps)
    tracks = paths.rows(math.floor(args.interpolate * args.fps + 1e-6))
    scale = mot.scale_px(rows)
    _write(args.out, "".join(mot.line(frame, track, mot.pixels(box, scale), score) for frame, track, box, score in tracks))
    summary = {
        "frames": rows.frame_last,
        "boxes": len(rows),
        "tracks": len({track for _, track, _, _ in tracks}),
        "rows": len(tracks),
        "refused": refused,
        "fps": args.fps,
        "interpolate_s": args.interpolate,
        "scores": mot.score_rule(rows.scores),
        "ms_per_frame": round(1000 * spent_s / rows.frame_last, 5),
    }
    _say(summary, args)
    return 0


def _track(rows: mot.MotRows, fps: float) -> tuple[Hindsight, float, int]:
    """Every frame through the tracker: the paths, seconds spent in it, and detections that found no room."""
    config = TrackerConfig(capacity=int(np.clip(2 * np.bincount(rows.frames).max(), TrackerConfig().capacity, CAPACITY_MAX)))
    warm_up(config)
    tracker, paths, spent_s = Tracker(config), Hindsight(), 0.0
    with bar() as progress:
        task = progress.add_task("tracking", total=rows.frame_last)
        for frame, detections in enumerate(mot.frames_of(rows, fps), 1):
            begin_s = stopwatch_s()
            tracker.step(detections)
            spent_s += stopwatch_s() - begin_s
            paths.take(frame, tracker.sightings())
            if frame % FORGET_EVERY == 0:
                paths.forget(frame - math.ceil(10 * fps))
                progress.update(task, completed=frame)
    return paths, spent_s, tracker.refused


def _read(name: str) -> str:
    try:
        path = Path(name)
        if path.stat().st_size > BYTES_MAX:
            raise DataError(f"{name}: larger than {BYTES_MAX >> 30} GiB", "split the file")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not a text file (byte {error.start})", "MOTChallenge detections are lines of numbers") from error
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror}", "give a file of detections") from error


def _write(name: str, text: str) -> None:
    if name == "-":
        sys.stdout.write(text)
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{name}: cannot be written: {error.strerror}", "choose another place for --out") from error


def _say(summary: dict[str, Any], args: argparse.Namespace) -> None:
    """For a machine on standard output; for a person on standard error, which never mixes with tracks on `-`."""
    if args.json:
        print(json.dumps(summary), file=sys.stderr if args.out == "-" else sys.stdout)
        return
    text = "{tracks} tracks of {boxes} boxes in {frames} frames, {ms_per_frame:.3f} ms a frame; scores read as: {scores}"
    print(text.format(**summary), file=sys.stderr)
