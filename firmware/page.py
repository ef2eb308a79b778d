"""The status page of a running daemon: what the page asks for, answered from daemon, uplink and configuration.

A sink of the daemon that keeps the last seven days' sums in memory, and the composition that serves them. Everything shown
is made when somebody asks; nobody looking costs one addition a window and a comparison a frame. Left to others: who may
see it (`firmware.status.gate`), what is checked (`analytics.geometry_check`), what is written (`commissioning.config_store`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import __version__
from firmware.clock import Clock, wall_quality
from firmware.commission import RoomViewing, WalkDesk, news_of
from firmware.commissioning.presence import NOBODY, Presence, at_start, pressed
from firmware.config import CameraConfig
from firmware.daemon import CameraState, Daemon
from firmware.events import Event, Window
from firmware.health import UplinkHealth
from firmware.outbound import Outbound
from firmware.status.access import Sessions
from firmware.status.app import Behind, Place, StatusPage
from firmware.status.certificate import PageKeys
from firmware.status.curves import Curves
from firmware.status.discovery import WATCH_S, Announcer
from firmware.status.gate import Guards
from firmware.status.listening import serving_addresses
from firmware.status.ports import Drawing
from firmware.status.record import Record
from firmware.status.values import (
    CameraHealth,
    Delivery,
    Feet,
    History,
    PublicStatus,
    SentList,
    State,
    Status,
    Wall,
)

THERMAL: Final = Path("/sys/class/thermal")
DEMONSTRATION_S: Final = 86_400.0  # a day: the terminal is the power switch
NOTHING_YET: Final = 20.0  # seconds from start in which a camera may be opening


class Board:
    """What is shown: the ports of the page over a running daemon. Also a sink, for the curves."""

    def __init__(self, daemon: Daemon, outbound: Outbound | None, clock: Clock) -> None:
        self._daemon, self._outbound, self._clock = daemon, outbound, clock
        self._began_s = clock.monotonic_s()
        self._curves = Curves(daemon.source.config.camera)
        self._configured = daemon.source
        self.record = Record()
        self.presence: Presence = NOBODY
        self.identity: Ed25519PrivateKey | None = outbound.identity if outbound is not None else None
        if outbound is not None:
            outbound.witness = self.record

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        """Windows go into the curves; events pass by."""
        del events
        if windows:
            self._follow()
            self._curves.take(camera, windows)

    async def close(self) -> None:
        """Nothing to make durable: what the page remembers goes with the power."""

    def begin_presence(self, *, demonstration: bool) -> None:
        """The device starts: present if this is a power-up; who started the demonstration sits in front of it."""
        now_s = self._clock.monotonic_s()
        self.presence = Presence(now_s + DEMONSTRATION_S, "button") if demonstration else at_start(now_s)
        with suppress(NotImplementedError, RuntimeError):  # not the main thread: a test runs us
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.press)

    def press(self) -> None:
        """The device's button: whoever wires one lets it send SIGUSR1 (docs/status-page.md)."""
        self.presence = pressed(self.presence, self._clock.monotonic_s())

    def present(self, now_s: float) -> float:
        """For how long somebody counts as being beside the device."""
        return self.presence.left_s(now_s)

    def public(self) -> PublicStatus:
        config = self._daemon.source.config
        purposes = {camera.purpose for camera in config.camera if camera.purpose} or {config.purpose}
        return PublicStatus(self._state(), __version__, "; ".join(sorted(purposes)), config.disclosure)

    def status(self) -> Status:
        now_s, wall_ms = self._clock.monotonic_s(), self._clock.wall_ms()
        source = self._daemon.source
        configs = {camera.name: camera for camera in source.config.camera}
        return Status(
            site=source.config.site,
            state=self._state(),
            build=__version__,
            uptime_s=round(now_s - self._began_s, 1),
            clock=wall_quality(wall_ms),
            temperature_c=temperature_c(THERMAL),
            disclosure=source.config.disclosure,
            presence_left_s=round(self.present(now_s), 1),
            faults=source.faults,
            cameras=tuple(self._camera(state, configs[state.name]) for state in self._daemon.cameras() if state.name in configs),
            delivery=self._delivery(),
            sent=self.record.noted,
            history=self._curves.windows,
        )

    def history(self) -> History:
        self._follow()
        return self._curves.history(int(self._clock.monotonic_s() * 1000))

    def sent(self) -> SentList:
        return self.record.newest(self._clock.monotonic_s())

    async def watch(self, seconds: float) -> None:
        await self._daemon.watch(seconds)

    def feet(self) -> tuple[Feet, ...]:
        return tuple(Feet(desk.state.name, desk.feet()) for desk in self._daemon.desks)

    def _follow(self) -> None:
        """The daemon counts by another configuration: rows follow its lines and zones."""
        if self._configured is not self._daemon.source:
            self._configured = self._daemon.source
            self._curves.configure(self._configured.config.camera)

    def _state(self) -> State:
        starting = self._clock.monotonic_s() - self._began_s < NOTHING_YET
        cameras = self._daemon.cameras()
        sees = all(state.health.state in ({"running", "starting"} if starting else {"running"}) for state in cameras)
        return "running" if sees and cameras and not self._daemon.source.faults else "degraded"

    def _camera(self, state: CameraState, config: CameraConfig) -> CameraHealth:
        health = state.health
        observed_s, blind_s = self._curves.seen_of_day(state.name)
        return CameraHealth(
            name=state.name,
            state=health.state,
            reason=health.reason or (state.last_fall if health.state != "running" else ""),
            live=state.live,
            open=state.open_window,
            frames_per_s=round(health.fps_permille / 1000, 1),
            frames=health.frames,
            dropped_frames=health.dropped_frames,
            observed_s=round(observed_s, 1),
            blind_s=round(blind_s, 1),
            restarts=state.falls,
            model=health.model,
            model_sha256=health.model_sha256,
            runtime=health.runtime,
            fallback=health.fallback,
            wall=wall_of(config, health.network_denied, known=health.frames > 0),
            stage_ms={stage: round(us / 1000, 2) for stage, us in health.stage_us.items()},
        )

    def _delivery(self) -> Delivery:
        if self._outbound is None:
            return Delivery(configured=False)
        health: UplinkHealth = self._outbound.health
        return Delivery(
            configured=True,
            waiting=health.spooled,
            spool_bytes=health.spool_bytes,
            spool_bytes_max=self._daemon.source.config.uplink.spool_bytes_max,
            acknowledged=health.acknowledged,
            last_ack_age_s=self._outbound.ack_age_s(),
            last_error=health.last_error,
            storage=health.storage,
            bytes_sent=health.bytes_sent,
        )


def wall_of(config: CameraConfig, denied: bool, *, known: bool) -> Wall:  # noqa: FBT001  # what the kernel said
    """How far vision is from the network: a network camera is the one hole there may be."""
    if config.source.startswith(("rtsp:", "rtsps:")):
        return "weaker"
    if denied:
        return "enforced"
    return "open" if known else "unknown"


def temperature_c(root: Path) -> float | None:
    """The hottest zone of the board, or None where the machine does not tell."""
    found = []
    for path in root.glob("thermal_zone*/temp"):
        with suppress(OSError, ValueError):
            found.append(int(path.read_text(encoding="ascii")) / 1000)
    return round(max(found), 1) if found else None


def keys_folder(spool: str) -> Path | None:
    """Where the page keeps its key and its token's hash: the service's state folder, or beside the spool; None: in memory."""
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if state:
        return Path(state) / "page"
    return Path(spool).parent / "page" if spool else None


@dataclass(frozen=True, slots=True)
class Served:
    """A page that is up, and what tells the network of it."""

    page: StatusPage
    announcer: Announcer
    walk: WalkDesk
    telling: asyncio.Task[None]

    def addresses(self, port: int) -> tuple[str, ...]:
        """Where to open it."""
        return tuple(f"https://{address}:{port}/" for address in self.page.listening.bound)

    async def close(self) -> None:
        """Say good-bye, and serve nobody any more."""
        self.telling.cancel()
        await asyncio.gather(self.telling, return_exceptions=True)
        await self.walk.close()
        await self.announcer.close()
        await self.page.close()


async def serve(board: Board, drawing: Drawing, keys: PageKeys, daemon: Daemon, clock: Clock) -> Served:
    """Serve the page as the configuration says, and announce it. Never raises for a network that is not there."""
    walk, room = WalkDesk(daemon, board.identity, clock), RoomViewing(daemon, lambda: board.presence)
    status = daemon.source.config.status
    addresses = _addresses(status.interfaces)
    announcer = Announcer(status.port, os.urandom, lambda: [each for each in page.listening.bound if not each.startswith("127.")])
    guards = Guards(keys.token_hash, Sessions(os.urandom), board.present, clock.monotonic_s)
    names = _names(announcer)
    page = StatusPage(
        Behind(board, board, drawing, (*walk.routes(), *room.routes()), news_of(walk, room)),
        keys,
        Place(status.port, addresses, names),
        guards,
    )
    await page.start()
    return Served(page, announcer, walk, asyncio.create_task(_tell(board, announcer)))


async def _tell(board: Board, announcer: Announcer) -> None:
    """Announce beside the work, for that takes seconds; then running or degraded, for who looks for devices."""
    await announcer.start()
    while True:
        await announcer.tell(board.public().state)
        await asyncio.sleep(WATCH_S)


def _addresses(wanted: Sequence[str]) -> Callable[[], Sequence[str]]:
    return lambda: serving_addresses(wanted)


def _names(announcer: Announcer) -> Callable[[], Collection[str]]:
    return lambda: (f"{announcer.name}.local", f"{socket.gethostname().lower()}.local")
