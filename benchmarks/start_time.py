"""From the start of the program to the first counted frame, with compiled kernels at hand, and what a cold cache costs.

The whole program is started as a service manager would, on a configuration of the simulated shop with the packaged model.
Warm: `passerby warm` ran before, in a cache folder of its own. Complete: a start after it compiles nothing more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, figure, print_figures

COMMAND: Final = "python -m benchmarks.start_time"
START_S_MAX: Final = 3.0
RUNS: Final = 3
CONFIG: Final = """
site = "start"
[[camera]]
name = "shop"
source = "sim:?people=20&size=640x480"
[[camera.line]]
name = "entrance"
start = [0.1, 0.6]
end = [0.9, 0.6]
[status]
enabled = false
"""
PROBE: Final = """
import asyncio, json, sys, time
from pathlib import Path
from firmware.clock import SystemClock
from firmware.config import parse
from firmware.daemon import Daemon, Source
from firmware.sd_notify import Notifier
began = float(sys.argv[2])
async def main():
    text = Path(sys.argv[1]).read_text()
    daemon = Daemon(Source(parse(text, "start"), text, "start"), SystemClock(), [], Notifier(""))
    running = asyncio.create_task(daemon.run())
    while not daemon.cameras()[0].health.frames:
        await asyncio.sleep(0.005)
    print(json.dumps(time.time() - began), flush=True)
    daemon.stop()
    await running
asyncio.run(main())
"""


def start_s(folder: Path, cache: Path | None) -> float:
    """Start the device in a process of its own, with kernels from a cache or beside the program; seconds to its first counted frame."""
    config = folder / "start.toml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-c", PROBE, str(config), repr(time.time())]
    done = subprocess.run(command, env=environment(cache), capture_output=True, text=True, check=True, timeout=600)
    return float(json.loads(done.stdout.splitlines()[0]))


def environment(cache: Path | None) -> dict[str, str]:
    """This environment, with the compiled kernels in one folder."""
    return dict(os.environ) if cache is None else os.environ | {"NUMBA_CACHE_DIR": str(cache)}


def kernels(cache: Path) -> int:
    """How many compiled kernels a cache holds."""
    return len(list(cache.rglob("*.nbc")))


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """The fastest of a few warm starts; with a cold cache first, unless in a hurry."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = None if quick else folder / "kernels"
        if cache is not None:
            began_s = time.monotonic()
            subprocess.run([sys.executable, "-m", "firmware", "warm"], env=environment(cache), check=True, capture_output=True, timeout=900)
            yield figure("start.warming", time.monotonic() - began_s, "shown", unit="s", command=COMMAND)
        before = kernels(cache) if cache is not None else 0
        times = [start_s(folder, cache) for _ in range(RUNS)]
        if cache is not None:
            yield figure("start.compiled_after_warming", kernels(cache) - before, "equal", 0, unit="kernels", command=COMMAND)
        yield figure("start.first_frame", min(times), "at most", START_S_MAX, unit="s", command=COMMAND)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="with the kernels that lie beside the program, whatever they are")
    parser.add_argument("--seed", type=int, help="the shop is always the same one")
    print_figures(figures(quick=parser.parse_args().quick))
