"""What the status page costs: per frame while nobody looks, in the background, and while somebody does.

Nobody looking is the normal state of a device: the page then adds windows to its curves (one a quarter of a minute) and
compares one number a frame in vision. What is measured is the real code of a running device, without camera and network.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Iterator
from importlib import resources
from types import SimpleNamespace
from typing import Any, Final

import msgspec

from benchmarks.figure import Figure, figure, print_figures
from firmware.clock import SystemClock
from firmware.config import parse
from firmware.daemon import CameraState, Source
from firmware.events import Audit, Event, LineCrossed, LineSums, Window, ZoneSums
from firmware.health import LiveLine, LiveNumbers, LiveZone, VisionHealth
from firmware.page import Board
from firmware.status.assets import FILES, FOLDER
from firmware.status.listening import WATCH_S, serving_addresses
from firmware.vision.simulated_shop import SimulatedShop

COMMAND: Final = "python -m benchmarks.status_cost"
FRAMES: Final = 150  # of a window of 15 s at 10 frames a second
FRAME_US_MAX: Final = 5.0  # 0.005 % of the time between two frames at 10 a second: nothing that could be measured in a device
BACKGROUND_SHARE_MAX: Final = 0.001
PAGE_BYTES_MAX: Final = 150_000  # a second on the slowest wireless network of a shop


class Silent:
    """A sink that does nothing: what the loop itself costs."""

    async def take(self, camera: str, events: tuple[Event, ...], windows: tuple[Window, ...]) -> None:
        pass


def a_board() -> Board:
    """Over the simulated shop's configuration."""
    text = SimulatedShop().config_toml()
    live = LiveNumbers((LiveLine("entrance", 40, 30),), (LiveZone("display", "area", 2), LiveZone("till", "queue", 3, 40_000, 60_000)), 10)
    state = CameraState("shop", VisionHealth("shop", 0, "running", frames=1000, network_denied=True), live)
    daemon: Any = SimpleNamespace(source=Source(parse(text, "a"), text, "a"), cameras=lambda: (state,), desks=())
    return Board(daemon, None, SystemClock())


def us_a_frame(sink: Board | Silent, windows: int) -> float:
    """Microseconds a frame, with the windows that come with so many frames, and an event in one frame of ten."""
    events: tuple[Event, ...] = (LineCrossed("entrance", 0, "in", "settled"),)
    start_ms = int(SystemClock().monotonic_s() * 1000)

    async def run() -> None:
        for n in range(windows):
            for frame in range(FRAMES):
                await sink.take("shop", events if frame % 10 == 0 else (), ())
            await sink.take("shop", (), (a_window(start_ms + 15_000 * n),))

    began_s = time.perf_counter()
    asyncio.run(run())
    return (time.perf_counter() - began_s) / (windows * FRAMES) * 1e6


def a_window(start_ms: int) -> Window:
    zones = (ZoneSums("display", "area", entries=2, occupancy_max=3), ZoneSums("till", "queue", entries=1, wait_ms=30_000, served=1))
    return Window(start_ms, 15_000, (LineSums("entrance", 3, 2),), zones, Audit(15_000, 0, frames=FRAMES))


def best_s(what: Callable[[], object], rounds: int) -> float:
    """The quickest of some rounds: what it costs where nothing disturbs."""
    best = float("inf")
    for _ in range(rounds):
        began_s = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - began_s)
    return best


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Nobody looks; then somebody does."""
    windows, rounds = (200, 3) if quick else (2000, 5)
    silent = min(us_a_frame(Silent(), windows) for _ in range(rounds))
    closed = min(us_a_frame(a_board(), windows) for _ in range(rounds))
    yield figure("status.closed.us_a_frame", max(0.0, closed - silent), "at most", FRAME_US_MAX, unit="us", command=COMMAND)
    looking = best_s(lambda: serving_addresses(()), 20) / WATCH_S
    yield figure("status.closed.background_share", looking, "at most", BACKGROUND_SHARE_MAX, unit="of one CPU", command=COMMAND)
    board = a_board()
    asyncio.run(board.take("shop", (), tuple(a_window(15_000 * n) for n in range(5760))))
    viewer = best_s(lambda: msgspec.json.encode(board.status()), 50)
    yield figure("status.viewer.ms_a_second", viewer * 1e3, "shown", unit="ms", command=COMMAND)
    yield figure(
        "status.viewer.history_ms", best_s(lambda: msgspec.json.encode(board.history()), 5) * 1e3, "shown", unit="ms", command=COMMAND
    )
    root = resources.files("firmware.status").joinpath(FOLDER)
    size = sum(len(root.joinpath(name).read_bytes()) for _, name, *_ in FILES)
    yield figure("status.page.bytes", size, "at most", PAGE_BYTES_MAX, unit="bytes", command=COMMAND)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the frames")
    parser.add_argument("--seed", type=int, help="nothing here is drawn")
    print_figures(figures(quick=parser.parse_args().quick))
