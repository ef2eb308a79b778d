"""Compile everything now, so that the first picture after a start or an upgrade is counted at once.

    passerby warm                       for the packaged models and any configuration
    passerby warm --config shop.toml    also for that configuration's models and cameras

Kernels are compiled by Numba for this very processor and this very version, and kept in NUMBA_CACHE_DIR (else beside the
program): they cannot be shipped, and an upgrade makes them worthless. The installer runs this as each of the services'
users; by hand it is needed only when a cache was lost. On a Raspberry Pi 4 it takes about a minute, on a Pi 5 half of it.

Exit codes: 0 done, 2 configuration, 4 model.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from firmware.clock import stopwatch_s
from firmware.commands.config_file import load
from firmware.config import CameraConfig, Config, parse

FRAMES = 50  # of a simulated crowd: people come, cross, stand and go


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--config", metavar="FILE", help="also what this configuration needs")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    configs = [_usual(), *([load(arguments.config)] if arguments.config else [])]
    began_s = stopwatch_s()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("compiling")
        for config in configs:
            for camera in config.camera:
                for what in _compile(config, camera):
                    progress.update(task, description=f"compiling {what}")
    print(f"compiled for this machine in {stopwatch_s() - began_s:.0f} s, kept in {cache_folder()}", file=sys.stderr)
    return 0


def cache_folder() -> str:
    """Where the compiled kernels are."""
    import firmware

    return os.environ.get("NUMBA_CACHE_DIR", "") or str(Path(firmware.__file__).parent)


def has_kernels() -> bool:
    """Whether anything was compiled here before."""
    return any(Path(cache_folder()).rglob("*.nbi"))


def _usual() -> Config:
    from firmware.vision.simulated_shop import SimulatedShop

    return parse(SimulatedShop().config_toml(), "warm")


def _compile(config: Config, camera: CameraConfig) -> Iterator[str]:
    """Run everything that a device runs, once; yields what comes next."""
    from firmware.analytics.pipeline import Pipeline
    from firmware.analytics.pseudonym import Pseudonyms
    from firmware.vision.detector import open_detector
    from firmware.vision.simulated_source import SimulatedBoxes, SimulatedFrames
    from firmware.vision.simulated_source import parse as wish_of
    from firmware.vision.sources import gives_detections

    yield "tracking and counting"
    pipeline = Pipeline(camera, Pseudonyms(os.urandom, config.epoch_s), config.disclosure, config.window_s)
    boxes = SimulatedBoxes(wish_of("sim-boxes:?people=60&minutes=1&fps=5"))
    for _ in range(FRAMES):
        if (seen := boxes.read()) is not None:
            pipeline.step(seen)
    pipeline.finish(60.0)
    if gives_detections(camera.source):
        return
    yield f"detection by {camera.model}"
    detector = open_detector(camera.model, threads=camera.threads, tiling=camera.tiling)
    frame = SimulatedFrames(wish_of("sim:?people=20&minutes=1")).read()
    if frame is not None:
        detector.detect(frame)
    detector.close()
