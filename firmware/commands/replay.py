"""Runs a recording through the same pipeline as a live camera, and prints what it counted.

SOURCE is a video file, recorded detections (.jsonl), or the simulated shop (sim:, sim-boxes:); without it, the camera's
own source in the configuration. A recording goes as fast as it can; a second run writes the same bytes.

  passerby replay shop.mp4 --config shop.toml                     a table of lines and zones
  passerby replay shop.mp4 --config shop.toml --json              the same as one JSON document
  passerby replay found.jsonl --config shop.toml --events e.jsonl --windows w.jsonl
                                                                  what a device would have sent, one JSON object a line
  passerby replay shop.mp4 --config shop.toml --annotate film.mp4 boxes, lines and zones on a blank floor
  passerby replay --config shop.toml --camera till                another camera of the configuration

--events and --windows hold what the configuration's `disclosure` lets out: at "windows" the events file stays empty.
A line of recorded detections: {"t": 1.5, "boxes": [[x0, y0, x1, y1], ...], "scores": [0.9, ...]}, in 0..1 of the picture.

Exit codes: 0 done, 2 configuration or usage, 3 the source cannot be read, 4 the model cannot be used, 5 recorded
detections that do not fit the format, 6 a file cannot be written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from firmware.analytics.pipeline import Pipeline, Step
from firmware.analytics.pseudonym import Pseudonyms
from firmware.annotate import Film
from firmware.clock import stopwatch_s
from firmware.commands.config_file import load
from firmware.config import CameraConfig, Config
from firmware.errors import ConfigError, StorageError
from firmware.replay import Tally, json_lines
from firmware.vision.detection import Detections, no_detections
from firmware.vision.detector import OpenedDetector, open_detector
from firmware.vision.frame import Frame
from firmware.vision.libav import without_credentials
from firmware.vision.ports import DetectionSource, FrameSource
from firmware.vision.sources import SourceSettings, gives_detections, open_source

CAMERAS: Final = ("picamera2", "v4l2:", "rtsp:", "rtsps:")
STAGES: Final = ("resize", "invoke", "decode")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="a video file, detections.jsonl, or sim: (default: the camera's own)")
    parser.add_argument("--config", required=True, metavar="FILE", help='lines, zones and thresholds; "-" reads standard input')
    parser.add_argument("--camera", metavar="NAME", help="which camera of the configuration (default: the first)")
    parser.add_argument("--events", metavar="OUT.jsonl", help="write each event as a line of JSON")
    parser.add_argument("--windows", metavar="OUT.jsonl", help="write each window as a line of JSON")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON document on standard output")
    parser.add_argument("--annotate", metavar="OUT.mp4", help="write a film of boxes, lines and zones on a blank floor")
    parser.add_argument("--show-pixels", action="store_true", help="the film shows the recording itself; never for a live camera")
    parser.add_argument("--fps-max", type=_rate, metavar="N", help="leave frames out above this rate (default: the camera's fps_max)")
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the camera's model")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the pseudonyms, which a device draws at random (default 0)")


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a number of frames a second")
    return value


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    camera = _camera(config, args.camera)
    spec = args.source or camera.source
    if spec.startswith(CAMERAS):
        raise ConfigError(f"{without_credentials(spec)} is a live camera", "replay is for recordings; passerby run is for cameras")
    if args.show_pixels and not args.annotate:
        raise ConfigError("--show-pixels without --annotate shows nothing", "add --annotate film.mp4")
    if args.show_pixels and gives_detections(spec):
        raise ConfigError(f"{spec} holds boxes and no pixels", "leave --show-pixels out")
    tally = _replay(args, config, camera, spec)
    if args.json:
        print(json.dumps(tally.summary()))
    else:
        _say(tally)
    return 0


def _camera(config: Config, name: str | None) -> CameraConfig:
    if not config.camera:
        raise ConfigError("the configuration has no camera", "add a [[camera]] with name and source")
    for camera in config.camera:
        if name is None or camera.name == name:
            # The purpose of the whole device is every camera's that states none of its own.
            return camera if camera.purpose else _with_purpose(camera, config.purpose)
    raise ConfigError(f'the configuration has no camera "{name}"', f"there is {', '.join(camera.name for camera in config.camera)}")


def _with_purpose(camera: CameraConfig, purpose: str) -> CameraConfig:
    import msgspec

    return msgspec.structs.replace(camera, purpose=purpose)


def _replay(args: argparse.Namespace, config: Config, camera: CameraConfig, spec: str) -> Tally:
    """Open everything, run the recording through, close everything."""
    fps_max = args.fps_max if args.fps_max is not None else camera.fps_max
    pseudonyms = Pseudonyms(random.Random(args.seed).randbytes, config.epoch_s)  # noqa: S311 a replay must repeat; a device draws from the system
    with contextlib.ExitStack() as stack:
        pipeline = Pipeline(camera, pseudonyms, config.disclosure, config.window_s)
        source = stack.enter_context(contextlib.closing(open_source(spec, SourceSettings(fps_max=fps_max, threads=0))))
        detector = None
        if not gives_detections(spec):
            model = open_detector(args.model or camera.model, threads=camera.threads, tiling=camera.tiling)
            detector = stack.enter_context(contextlib.closing(model))
        out = _Files(stack, args.events, args.windows)
        film = stack.enter_context(contextlib.closing(Film(Path(args.annotate), camera))) if args.annotate else None
        tally = Tally(camera)
        Pipeline(camera, Pseudonyms(bytes)).step(no_detections(0.0))  # the kernels compile or load now, and stage_ms tells the truth
        for seen in _watched(source, tally):
            detections = _detect(seen, detector, tally)
            began_s = stopwatch_s()
            step = pipeline.step(detections)
            tally.took("step", stopwatch_s() - began_s)
            tally.seen(detections)
            _keep(step, tally, out)
            if film is not None:
                film.draw(detections, step.live, seen.pixels if args.show_pixels and isinstance(seen, Frame) else None)
        _keep(pipeline.finish(tally.last_s), tally, out)
    return tally


class _Files:
    """Where events and windows go."""

    def __init__(self, stack: contextlib.ExitStack, events: str | None, windows: str | None) -> None:
        self.events = stack.enter_context(_opened(events)) if events else None
        self.windows = stack.enter_context(_opened(windows)) if windows else None


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    try:
        with Path(name).open("wb") as out:
            yield out
    except OSError as error:
        raise StorageError(f"{name}: cannot be written: {error.strerror}", "choose another place") from error


def _keep(step: Step, tally: Tally, out: _Files) -> None:
    tally.take(step)
    if out.events is not None:
        out.events.write(json_lines(step.events))
    if out.windows is not None:
        out.windows.write(json_lines(step.windows))


def _detect(seen: Frame | Detections, detector: OpenedDetector | None, tally: Tally) -> Detections:
    if isinstance(seen, Detections):
        return seen
    assert detector is not None  # a source of frames was opened with one
    found = detector.detect(seen)
    for stage in STAGES:
        tally.took(stage, getattr(detector.stage, f"{stage}_s"))
    return found


def _watched(source: FrameSource | DetectionSource, tally: Tally) -> Iterator[Frame | Detections]:
    """Everything a source has, with a bar on standard error where somebody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("replay"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=getattr(source, "seconds", None))
        while True:
            began_s = stopwatch_s()
            seen = source.read()
            tally.took("read", stopwatch_s() - began_s)
            if seen is None:
                return
            yield seen
            if not progress.disable:
                progress.update(
                    task, completed=tally.last_s - (tally.first_s or 0.0), description=f"{tally.last_s:.0f} s, {tally.frames} frames"
                )


def _say(tally: Tally) -> None:
    """The summary for a person."""
    summary = tally.summary()
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(
        f"{summary['frames']} frames, {summary['seconds']:.1f} s"
        + (f", {summary['dropped']} dropped" if summary["dropped"] else "")
        + (f", blind {summary['audit']['blind_s']:.1f} s" if summary["audit"]["blind_s"] else "")
    )
    if summary["lines"]:
        console.print(_lines(summary["lines"]))
    if summary["zones"]:
        console.print(_zones(summary["zones"]))
    audit = summary["audit"]
    console.print(
        f"audit: {audit['ambiguous']} ambiguous crossings, {audit['births_inside']} of {audit['births']} people began in mid-view, "
        f"{audit['relinked']} re-linked, {audit['still']} still things, "
        f"staff in {audit['staff_in']} out {audit['staff_out']}",
        highlight=False,
    )
    console.print("ms a frame: " + ", ".join(f"{stage} {spent:.2f}" for stage, spent in summary["stage_ms"].items()), highlight=False)


def _lines(lines: dict[str, Any]) -> Table:
    table = Table("line", "in", "out", "in at once", "out at once", "ambiguous")
    for name, counts in lines.items():
        table.add_row(name, *(str(counts[key]) for key in ("in", "out", "provisional_in", "provisional_out", "ambiguous")))
    return table


def _zones(zones: dict[str, Any]) -> Table:
    table = Table("zone", "visits", "dwell mean", "median", "most at once", "served", "abandoned", "wait mean", "longest")
    for name, zone in zones.items():
        dwell, wait = zone["dwell_s"], zone["wait_s"]
        queue = zone["served"] + zone["abandoned"] > 0
        table.add_row(
            name,
            str(zone["visits"]),
            _seconds(dwell["mean"]),
            _seconds(dwell["p50"]),
            str(zone["occupancy_max"]),
            *((str(zone["served"]), str(zone["abandoned"]), _seconds(wait["mean"]), _seconds(wait["max"])) if queue else ("", "", "", "")),
        )
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
