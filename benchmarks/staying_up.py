"""What happens to a device whose vision dies, hangs or sees nothing: how soon it counts again, and whether blind time is right.

Each scenario runs the real daemon over a real vision process. The truth is taken from outside: when the fault struck (the signal's
time, or that of the picture at which it was ordered), and when the first picture after it was seen. Blind time said in windows is
held against it; every window of the grid must come once, and every settled crossing in events must be in the windows.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, figure, print_figures
from firmware import supervisor
from firmware.clock import SystemClock
from firmware.config import parse
from firmware.daemon import Daemon, Source
from firmware.events import Event, LineCrossed, Window
from firmware.health import VisionHealth
from firmware.sd_notify import Notifier

COMMAND: Final = "python -m benchmarks.staying_up"
RESUME_S_MAX: Final = 10.0
BLIND_ERROR_S_MAX: Final = 1.0
WINDOW_S: Final = 5
FAULTS: Final = ("SIGKILL", "SIGSTOP", "call", "read", "garbage", "crash", "coral")
STRIKES_AT: Final = 60  # the picture at which a fault is ordered
FRAMES: Final = ("call", "coral")  # these need pictures: a camera's thread, a model
CONFIG: Final = """
site = "test"
window_s = 5
[[camera]]
name = "shop"
source = "{source}"
[[camera.line]]
name = "entrance"
start = [0.1, 0.6]
end = [0.9, 0.6]
"""


@dataclass
class Ledger:
    """A sink that keeps everything."""

    windows: list[Window] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        del camera
        self.windows += windows
        self.events += events

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario.

    Attributes:
        resumed_s: from the fault to the first picture after it.
        blind_error_s: observed time in windows against the truth.
        grid_holes: windows missing, doubled, or whose parts do not make their length.
        event_error: settled crossings in events against those in windows.
        falls: how often vision had to be started anew.
        fallback_frames: frames that the CPU did in place of the accelerator.
    """

    resumed_s: float
    blind_error_s: float
    grid_holes: int
    event_error: int
    falls: int
    fallback_frames: int


async def scenario(fault: str, seconds_after: float = 6.0) -> Outcome:
    """Live through one fault."""
    ledger, clock = Ledger(), SystemClock()
    text = CONFIG.format(
        source="sim:?seed=2&people=60&minutes=2&size=320x240" if fault in FRAMES else "sim-boxes:?seed=2&people=60&minutes=2"
    )
    daemon = Daemon(Source(parse(text, "t"), text, "t"), clock, [ledger], Notifier(""))
    began_s = clock.monotonic_s()
    running = asyncio.create_task(daemon.run())
    seen = _Watch(daemon, clock)
    watching = asyncio.create_task(seen.run())
    await seen.until(lambda: seen.frames > (20 if fault.startswith("SIG") else 60), 120)
    if fault.startswith("SIG"):
        (pid,) = daemon.vision_pids()
        assert pid is not None
        os.kill(pid, getattr(signal, fault))
        seen.struck_s = clock.monotonic_s()
    await seen.until(lambda: seen.frames > 10 and (seen.gaps >= 1 or fault == "coral"), 120)
    await asyncio.sleep(seconds_after)
    ended_s = clock.monotonic_s()
    daemon.stop()
    await asyncio.wait_for(running, 40)
    watching.cancel()
    return _judged(ledger, seen, (began_s, ended_s), daemon.cameras()[0].falls)


class _Watch:
    """Follows the newest frame: the gaps in it are the truth. Heartbeats are half a second apart; pictures between them are reckoned."""

    def __init__(self, daemon: Daemon, clock: SystemClock) -> None:
        self._daemon, self._clock = daemon, clock
        self._beat = VisionHealth("", 0)
        self.struck_s: float | None = None
        self.first_s: float | None = None
        self.last_s = 0.0
        self.frames = self.gaps = 0
        self.gap_s = 0.0

    async def run(self) -> None:
        """Look at every heartbeat."""
        told = (-1, -1)
        while True:
            await asyncio.sleep(0.02)
            state = self._daemon.cameras()[0]
            now = (state.falls, state.health.frames)
            if now == told or state.health.frames == 0 or state.health.state not in {"running", "ended"}:
                continue
            fell, told = state.falls > told[0] >= 0, now
            t_s = state.health.t_ms / 1000
            if self.first_s is None:
                self.first_s = t_s
            elif fell or t_s - self.last_s > 1.5:  # a new process may be there within a second
                self.gaps, self.gap_s, self.frames = self.gaps + 1, self.gap_s + t_s - self._last_picture_s(), 0
            self.last_s, self._beat = t_s, state.health
            self.frames += 1 if self.frames < 5 else 5

    def _last_picture_s(self) -> float:
        """When the last picture before the fault came."""
        if self.struck_s is not None:
            return self.struck_s
        grabbed = self._beat.frames + self._beat.dropped_frames
        return self.last_s + max(0, STRIKES_AT - 1 - grabbed) / max(1.0, self._beat.fps_permille / 1000)

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait for something to come true."""
        end_s = self._clock.monotonic_s() + timeout_s
        while not condition():
            if self._clock.monotonic_s() > end_s:
                raise TimeoutError("nothing came of it")
            await asyncio.sleep(0.05)


def _judged(ledger: Ledger, seen: _Watch, span: tuple[float, float], falls: int) -> Outcome:
    windows = ledger.windows
    assert seen.first_s is not None
    truth_s = seen.last_s - seen.first_s - seen.gap_s
    observed_s = sum(window.audit.observed_ms for window in windows) / 1000
    starts = [window.start_ms for window in windows]
    whole = list(range(starts[0], starts[0] + 1000 * WINDOW_S * len(starts), 1000 * WINDOW_S))
    first_ms, last_ms = int(span[0] * 1000), int(span[1] * 1000)
    holes = sum(a != b for a, b in zip(starts, whole, strict=True)) + (starts[0] > first_ms) + (starts[-1] + 1000 * WINDOW_S < last_ms)
    holes += sum(window.audit.observed_ms + window.audit.blind_ms != 1000 * WINDOW_S for window in windows)
    settled = sum(isinstance(event, LineCrossed) and event.stage == "settled" for event in ledger.events)
    booked = sum(line.entries + line.exits + line.staff_entries + line.staff_exits for window in windows for line in window.lines)
    fallback = sum(window.audit.fallback_frames for window in windows)
    return Outcome(seen.gap_s, abs(observed_s - truth_s), holes, abs(settled - booked), falls, fallback)


def lived(fault: str) -> Outcome:
    """One scenario, from a process of its own choosing."""
    module = supervisor.VISION_MODULE
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PASSERBY_FAULT"] = f"{fault}:{STRIKES_AT}:{Path(folder) / 'struck'}"
        try:
            if not fault.startswith("SIG"):
                supervisor.VISION_MODULE = "benchmarks.faulty_vision"
            return asyncio.run(scenario(fault))
        finally:
            supervisor.VISION_MODULE = module
            del os.environ["PASSERBY_FAULT"]


def figures(*, faults: Sequence[str] = FAULTS) -> Iterator[Figure]:
    """Four a fault."""
    for fault in faults:
        outcome = lived(fault)
        yield figure(f"up.{fault}.resumed", outcome.resumed_s, "at most", RESUME_S_MAX, unit="s", command=COMMAND)
        yield figure(f"up.{fault}.blind_error", outcome.blind_error_s, "at most", BLIND_ERROR_S_MAX, unit="s", command=COMMAND)
        yield figure(f"up.{fault}.windows_wrong", outcome.grid_holes, "equal", 0, unit="windows", command=COMMAND)
        yield figure(f"up.{fault}.events_wrong", outcome.event_error, "equal", 0, unit="events", command=COMMAND)
        if fault == "coral":
            yield figure("up.coral.fallback_frames", outcome.fallback_frames, "at least", 1, unit="frames", command=COMMAND)
            yield figure("up.coral.falls", outcome.falls, "equal", 0, unit="falls of vision", command=COMMAND)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only SIGKILL and a hanging camera")
    parser.add_argument("--seed", type=int, help="the simulated shop is always the same one")
    print_figures(figures(faults=("SIGKILL", "call") if parser.parse_args().quick else FAULTS))
