"""What the page shows of a running daemon, and who counts as being beside the device."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from firmware.commissioning.presence import WINDOW_S
from firmware.config import CameraConfig, parse
from firmware.daemon import CameraState, Source
from firmware.events import Audit, LineSums, Window
from firmware.health import LiveNumbers, UplinkHealth, VisionHealth
from firmware.page import Board, keys_folder, temperature_c, wall_of
from tests.fakes import FakeClock

TEXT = """site = "shop"
purpose = "queue times"
[[camera]]
name = "door"
source = "sim:"
[[camera.line]]
name = "entrance"
start = [0.1, 0.6]
end = [0.9, 0.6]
"""
RUNNING = VisionHealth("door", 0, "running", frames=100, fps_permille=9_800, model="m", model_sha256="ab", network_denied=True)


class FakeDaemon:
    def __init__(self, health: VisionHealth = RUNNING, text: str = TEXT, faults: tuple[str, ...] = ()) -> None:
        self.source = Source(parse(text, "a"), text, "a", faults)
        self.state = CameraState("door", health, LiveNumbers(), falls=2, last_fall="silent")
        self.desks = [SimpleNamespace(state=self.state, feet=lambda: ((1, 2),))]
        self.watched: list[float] = []

    def cameras(self) -> tuple[CameraState, ...]:
        return (self.state,)

    async def watch(self, seconds: float) -> None:
        self.watched.append(seconds)


def board(daemon: Any = None, outbound: Any = None, clock: FakeClock | None = None) -> Board:
    return Board(daemon or FakeDaemon(), outbound, clock or FakeClock())


def window(blind_ms: int = 0, name: str = "entrance") -> Window:
    return Window(990_000, 15_000, (LineSums(name, 3, 1),), (), Audit(15_000 - blind_ms, blind_ms))


async def test_windows_become_curves_and_blind_seconds() -> None:
    """A sink of the daemon: what it takes is shown, and counted as news."""
    one = board()
    await one.take("door", (), [window(5_000)])
    status = one.status()
    assert (status.cameras[0].observed_s, status.cameras[0].blind_s, status.history) == (10.0, 5.0, 1)
    assert one.history().rows[0].cells == [(0, 3, 1, 0, 0, 0)]


@pytest.mark.parametrize(
    ("health", "faults", "later_s", "expected"),
    [
        (RUNNING, (), 60.0, "running"),
        (replace(RUNNING, state="blind"), (), 60.0, "degraded"),
        (replace(RUNNING, state="starting"), (), 1.0, "running"),
        (replace(RUNNING, state="starting"), (), 60.0, "degraded"),
        (RUNNING, ("a fault",), 60.0, "degraded"),
    ],
)
def test_running_means_that_every_camera_sees(health: VisionHealth, faults: tuple[str, ...], later_s: float, expected: str) -> None:
    """A camera that is blind, or only starting for long, or a configuration with faults: degraded, for everybody to see."""
    clock = FakeClock()
    one = board(FakeDaemon(health, faults=faults), clock=clock)
    clock.now_s += later_s
    assert one.public().state == one.status().state == expected


def test_without_a_camera_nothing_runs() -> None:
    """A device that was never configured is degraded."""
    daemon = FakeDaemon(text='site = "x"\n')
    daemon.cameras = lambda: ()  # type: ignore[method-assign]
    assert board(daemon).public().state == "degraded"


def test_the_public_see_purpose_and_level_and_no_name() -> None:
    """Nothing of the shop: no site, no camera."""
    assert "shop" not in str(board().public())
    assert "door" not in str(board().public())
    assert (board().public().purpose, board().public().disclosure) == ("queue times", "events")


def test_the_delivery_is_the_uplink_s_own_health() -> None:
    """And without an uplink it says so."""
    outbound = SimpleNamespace(
        health=UplinkHealth(spooled=3, acknowledged=9, bytes_sent=7), ack_age_s=lambda: 4.0, identity=None, witness=None
    )
    one = board(outbound=outbound)
    delivery = one.status().delivery
    assert (delivery.waiting, delivery.acknowledged, delivery.last_ack_age_s, delivery.bytes_sent) == (3, 9, 4.0, 7)
    assert outbound.witness is one.record
    assert not board().status().delivery.configured


async def test_the_button_gives_two_minutes() -> None:
    """Pressed, presence holds for its window and ends; a start long after power-up gives none."""
    clock = FakeClock()
    one = board(clock=clock)
    one.begin_presence(demonstration=False)
    assert one.present(clock.now_s) == 0.0
    signal.raise_signal(signal.SIGUSR1)
    import asyncio

    await asyncio.sleep(0.05)
    assert one.present(clock.now_s) == WINDOW_S
    clock.now_s += WINDOW_S
    assert one.present(clock.now_s) == 0.0
    asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)


async def test_a_power_up_gives_two_minutes_and_the_demonstration_a_day() -> None:
    """Presence counts from the boot; whoever started the demonstration sits in front of it."""
    one = board(clock=FakeClock(30.0))
    one.begin_presence(demonstration=False)
    assert one.present(30.0) == WINDOW_S
    one.begin_presence(demonstration=True)
    assert one.present(30.0) > 3600


async def test_feet_and_watching_pass_through() -> None:
    """To the daemon, and from it."""
    daemon = FakeDaemon()
    one = board(daemon)
    await one.watch(5.0)
    assert daemon.watched == [5.0]
    assert one.feet()[0].points == ((1, 2),)


async def test_curves_follow_a_new_configuration() -> None:
    """A line that was drawn while the device runs has its row, and the windows of the old one do no harm."""
    daemon = FakeDaemon()
    one = board(daemon)
    await one.take("door", (), [window()])
    renamed = TEXT.replace("entrance", "gate")
    daemon.source = Source(parse(renamed, "a"), renamed, "a")
    await one.take("door", (), [window(name="gate")])
    assert [(row.name, row.cells) for row in one.history().rows] == [("gate", [(0, 3, 1, 0, 0, 0)])]


@pytest.mark.parametrize(
    ("source", "denied", "known", "expected"),
    [
        ("picamera2", True, True, "enforced"),
        ("picamera2", False, True, "open"),
        ("picamera2", False, False, "unknown"),
        ("rtsp://a/b", True, True, "weaker"),
    ],
)
def test_the_wall_is_called_by_its_state(source: str, denied: bool, known: bool, expected: str) -> None:
    """Never called enforced before the kernel said so; a network camera is the hole there is."""
    assert wall_of(CameraConfig("door", source), denied, known=known) == expected


def test_the_hottest_zone_is_the_temperature(tmp_path: Path) -> None:
    """In degrees; a machine that does not tell has none."""
    assert temperature_c(tmp_path) is None
    for zone, text in (("thermal_zone0", "48500\n"), ("thermal_zone1", "51200"), ("thermal_zone2", "broken")):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "temp").write_text(text)
    assert temperature_c(tmp_path) == 51.2


def test_keys_lie_in_the_service_s_folder_or_beside_the_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd names its state folder; without one, and without a spool, nothing is kept."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert keys_folder("") is None
    assert keys_folder("/var/lib/passerby/spool") == Path("/var/lib/passerby/page")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")
    assert keys_folder("") == Path("/var/lib/a/page")
