"""The daemon over a real vision process: what is counted, what is blind, and what survives a kill."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks.staying_up import CONFIG
from firmware import wall
from firmware.clock import SystemClock
from firmware.config import parse
from firmware.daemon import FEET_FRESH_S, INSIDE_KEPT_S, CameraDesk, Daemon, Source
from firmware.events import Event, LineSums, Window
from firmware.health import LiveNumbers, VisionHealth
from firmware.sd_notify import Notifier
from tests.fakes import FakeClock


class Ledger:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.windows: list[Window] = []
        self.events: list[Event] = []
        self.closed = False

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        assert camera == "shop"
        self.windows += windows
        self.events += events

    async def close(self) -> None:
        self.closed = True


def daemon_of(source: str, ledger: Ledger) -> Daemon:
    text = CONFIG.format(source=source)
    return Daemon(Source(parse(text, "test.toml"), text, "test.toml"), SystemClock(), [ledger], Notifier(""))


async def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> float:
    """Wait; how long it took."""
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    while not condition():
        assert loop.time() - started_s < timeout_s, "waited too long"
        await asyncio.sleep(0.05)
    return loop.time() - started_s


def assert_whole(windows: Sequence[Window]) -> None:
    """Every window of the grid once, in order, observed and blind together its length."""
    assert windows
    starts = [window.start_ms for window in windows]
    assert starts == list(range(starts[0], starts[0] + 5000 * len(starts), 5000))
    assert all(window.audit.observed_ms + window.audit.blind_ms == 5000 for window in windows)


async def test_a_healthy_camera_is_counted_and_settled() -> None:
    """Frames arrive, the process says it has no network, and an orderly stop closes the last window and every sink."""
    ledger = Ledger()
    daemon = daemon_of("sim-boxes:?seed=2&people=30", ledger)
    running = asyncio.create_task(daemon.run())
    await until(lambda: daemon.cameras()[0].health.frames > 30)
    health = daemon.cameras()[0].health
    assert (health.state, health.network_denied) == ("running", True)
    daemon.stop()
    await asyncio.wait_for(running, 30)
    assert ledger.closed
    assert daemon.cameras()[0].health.state == "ended"
    assert_whole(ledger.windows)
    assert sum(window.audit.frames for window in ledger.windows) == daemon.cameras()[0].health.frames


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_counting_resumes_after(number: signal.Signals) -> None:
    """Vision killed or stopped: it comes back by itself, the time without it is blind, no window is lost or doubled."""
    ledger, clock = Ledger(), asyncio.get_running_loop()
    daemon = daemon_of("sim-boxes:?seed=2&people=30", ledger)
    started_s = clock.time()
    running = asyncio.create_task(daemon.run())
    await until(lambda: daemon.cameras()[0].health.frames > 20)
    before = daemon.cameras()[0].health.frames
    (pid,) = daemon.vision_pids()
    assert pid is not None
    os.kill(pid, number)
    down_s = await until(lambda: daemon.cameras()[0].falls == 1)
    down_s += await until(lambda: daemon.cameras()[0].health.state == "running")
    assert daemon.vision_pids() != (pid,)
    await until(lambda: daemon.cameras()[0].health.frames > 20)
    daemon.stop()
    await asyncio.wait_for(running, 30)
    assert_whole(ledger.windows)
    frames = sum(window.audit.frames for window in ledger.windows)
    assert frames >= before
    observed_s = sum(window.audit.observed_ms for window in ledger.windows) / 1000
    assert down_s > 0.3
    assert observed_s <= clock.time() - started_s - down_s + 2.5  # what is unseen for blind_after_s is not yet blind


async def test_who_is_inside_stays_inside_over_a_restart() -> None:
    """What vision said last, and what its will settles at doors, is what the next life begins with; not for ever."""
    text = CONFIG.format(source="sim-boxes:") + LINE
    clock = FakeClock()
    desk = CameraDesk(parse(text, "t").camera[0], 5, clock, [Ledger()])
    desk.begin()
    assert desk.inside() == 0
    unsettled = (LineSums("entrance", entries=3, exits=1), LineSums("till", entries=9))
    running = VisionHealth("shop", 1, "running", frames=1)
    await desk.heard(wall.Alive(running, LiveNumbers(inside=5), wall.Will(Window(0, 5000), unsettled)))
    assert desk.inside() == 5
    await desk.fell("killed")
    assert desk.inside() == 7
    await desk.heard(wall.Alive(VisionHealth("shop", 2, "starting"), LiveNumbers()))  # it has not counted yet
    assert desk.inside() == 7
    clock.now_s += INSIDE_KEPT_S + 1.0
    assert desk.inside() == 0


async def test_a_source_that_cannot_be_opened_is_said_and_tried_again(tmp_path: Path) -> None:
    """The reason reaches the state in words, windows say blind, and the ladder goes on."""
    ledger = Ledger()
    daemon = daemon_of(str(tmp_path / "missing.mp4"), ledger)
    running = asyncio.create_task(daemon.run())
    await until(lambda: daemon.cameras()[0].falls >= 2)
    assert "missing.mp4" in daemon.cameras()[0].last_fall
    daemon.stop()
    await asyncio.wait_for(running, 30)
    assert_whole(ledger.windows)
    assert all(window.audit.blind_ms == 5000 for window in ledger.windows)


LINE = """
[[camera.line]]
name = "till"
start = [0.1, 0.3]
end = [0.9, 0.3]
door = false
"""
ZONE = """
[[camera.zone]]
name = "carpet"
polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
"""


async def test_a_new_configuration_counts_without_a_window_lost() -> None:
    """A zone drawn while the shop is open: the same windows go on, the new zone counts, and the old line has lost nobody."""
    ledger = Ledger()
    daemon = daemon_of("sim-boxes:?seed=2&people=60&minutes=2", ledger)
    seen: list[Source] = []
    daemon.on_seeing = seen.append
    running = asyncio.create_task(daemon.run())
    await until(lambda: daemon.cameras()[0].health.frames > 30)
    before = daemon.cameras()[0].health.frames
    text = daemon.source.text + ZONE
    assert await daemon.apply(Source(parse(text, "new.toml"), text, "new.toml"))
    await until(lambda: any(zone.occupancy_ms for window in ledger.windows for zone in window.zones), 90)
    daemon.stop()
    await asyncio.wait_for(running, 30)
    assert_whole(ledger.windows)
    assert daemon.cameras()[0].falls == 0
    assert sum(window.audit.frames for window in ledger.windows) >= before + daemon.cameras()[0].health.frames
    assert sum(zone.occupancy_ms for window in ledger.windows for zone in window.zones) > 0
    assert [source.filename for source in seen] == ["test.toml", "new.toml"]


async def test_other_terms_need_a_restart() -> None:
    """Where counts go, and what may leave, is not changed under a running camera."""
    daemon = daemon_of("sim-boxes:", Ledger())
    for change in (('site = "test"', 'site = "other"'), ("window_s = 5", "window_s = 15"), ('name = "shop"', 'name = "door"')):
        text = daemon.source.text.replace(*change)
        assert not await daemon.apply(Source(parse(text, "new.toml"), text, "new.toml"))
    assert daemon.source.filename == "test.toml"


async def test_without_a_camera_the_daemon_stays_up() -> None:
    """Safe mode with no configuration that could run: the page must have somebody behind it."""
    text = 'site = "test"\n'
    daemon = Daemon(Source(parse(text, "none"), text, "none", ("passerby.toml:1: wrong",)), SystemClock(), [Ledger()], Notifier(""))
    running = asyncio.create_task(daemon.run())
    await asyncio.sleep(0.3)
    assert not running.done()
    daemon.stop()
    await asyncio.wait_for(running, 10)


async def test_foot_points_cross_only_while_somebody_watches() -> None:
    """Nothing before, points within the view while watched, nothing a while after; no frame is lost by it."""
    ledger = Ledger()
    daemon = daemon_of("sim-boxes:?seed=2&people=60&minutes=2", ledger)
    running = asyncio.create_task(daemon.run())
    await until(lambda: daemon.cameras()[0].health.frames > 100)
    assert daemon.desks[0].feet() == ()
    await daemon.watch(2.0)
    await until(lambda: len(daemon.desks[0].feet()) > 0)
    assert all(0 <= x <= 1000 and 0 <= y <= 1000 for x, y in daemon.desks[0].feet())
    await asyncio.sleep(2.0 + FEET_FRESH_S + 0.5)
    assert daemon.desks[0].feet() == ()
    daemon.stop()
    await asyncio.wait_for(running, 30)
