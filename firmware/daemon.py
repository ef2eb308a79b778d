"""Composition root of process 2: hears vision, completes windows, hands them on, and never sees a pixel.

One `CameraDesk` a camera: what it hears goes through the stitcher and on to the sinks (uplink, terminal, status page).
The daemon has the network and no camera; vision, its child, has the camera and no network. Signals end both in order:
vision settles and says its last words first, then the sinks are closed, so nothing counted is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import msgspec

from firmware import wall
from firmware.cancelling import cancelled
from firmware.clock import Clock
from firmware.commissioning.presence import Presence
from firmware.commissioning.room_desk import RoomDesk
from firmware.config import CameraConfig, Config
from firmware.errors import ConfigError, StorageError
from firmware.events import Event, LineSums, Window, ZoneSums
from firmware.health import LiveNumbers, VisionHealth
from firmware.lives import Begin
from firmware.sd_notify import Notifier
from firmware.still_places import StillMap
from firmware.still_store import StillStore
from firmware.stitch import Stitcher
from firmware.supervisor import Order, Supervisor

TICK_S: Final = 1.0
FRESH_S: Final = 15.0  # the service manager's watchdog is fed only while a new frame came within so long
INSIDE_KEPT_S: Final = 600.0  # after ten minutes in which nobody watched the doors, who was inside says little about who is
FEET_FRESH_S: Final = 1.0  # where somebody stood a second ago nobody stands now


class Sink(Protocol):
    """Where counted things go: uplink, terminal, status page. A sink that is slow slows nobody: it queues, bounded."""

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        """Events and complete windows of one camera, each exactly once."""
        ...

    async def close(self) -> None:
        """Last call: make durable what was taken."""
        ...


class CameraState(msgspec.Struct, frozen=True):
    """One camera as the status page and the terminal see it. `rooms` counts the empty rooms that were made, refused ones too."""

    name: str
    health: VisionHealth
    live: LiveNumbers = LiveNumbers()
    falls: int = 0
    last_fall: str = ""
    last_new_frame_s: float | None = None
    rooms: int = 0
    last_room_s: float | None = None
    open_window: Window | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration as it was read: its text crosses the wall, vision parses it anew.

    `faults` says why another one was wanted and does not run (safe mode), one line each; empty when this is the wanted one.
    """

    config: Config
    text: str
    filename: str
    faults: tuple[str, ...] = ()


class CameraDesk:
    """Hears one camera; implements `supervisor.Hearer`."""

    def __init__(self, camera: CameraConfig, window_s: int, clock: Clock, sinks: Sequence[Sink]) -> None:
        """`window_s` is the window grid; the clock is the one vision stamps its frames with."""
        self._stitcher = Stitcher(window_s * 1000, *_nothing(camera))
        self._clock = clock
        self._sinks = sinks
        self._vision_is_up = False
        self._will = wall.Will()
        self._feet: tuple[float, tuple[tuple[int, int], ...]] = (float("-inf"), ())
        self._doors = _doors(camera)
        self._inside: tuple[float, int] = (float("-inf"), 0)
        self.room = RoomDesk()
        self.on_still: Callable[[StillMap], None] = lambda _: None
        self.ended = asyncio.Event()
        self.state = CameraState(camera.name, VisionHealth(camera.name, 0))

    def begin(self) -> None:
        """From now on time without vision is blind time."""
        self._stitcher.begin(self._now_ms())

    async def heard(self, message: wall.FromVision) -> None:
        """A message crossed."""
        if isinstance(message, wall.Counted):
            whole = [whole for window in message.windows for whole in self._closed(window)]
            self._take_will(message.will)
            await self._hand_on(message.events, whole)
        elif isinstance(message, wall.Alive):
            self._hear_alive(message)
        elif isinstance(message, wall.Floor):
            self._feet = (self._clock.monotonic_s(), message.points)
        elif isinstance(message, wall.Still):
            self.on_still(message.map)
        elif isinstance(message, wall.EmptyRoom):
            self._hear_room(message)
        else:
            self._note_state("failed", message.what)

    def reconfigure(self, camera: CameraConfig) -> None:
        """Vision will count by this from now on."""
        self._stitcher.expect(*_nothing(camera))
        self._doors = _doors(camera)

    def feet(self) -> tuple[tuple[int, int], ...]:
        """Where people stand now, as far as somebody watches; nothing that is older than FEET_FRESH_S."""
        heard_s, points = self._feet
        return points if self._clock.monotonic_s() - heard_s <= FEET_FRESH_S else ()

    def inside(self) -> int:
        """How many are inside by the doors, as far as vision said it lately: what it settled in its last half second may lack."""
        heard_s, count = self._inside
        return count if self._clock.monotonic_s() - heard_s <= INSIDE_KEPT_S else 0

    async def fell(self, reason: str) -> None:
        """Vision is gone; what it had open is kept, the rest of the time is blind until it is back."""
        self._vision_is_up = False
        doors = [line for line in self._will.unsettled if line.name in self._doors]
        pending = sum(line.entries - line.exits for line in doors)
        self._inside = (self._inside[0], max(0, self._inside[1] + pending))
        self._stitcher.died()
        await self._hand_on(self._will.events, ())
        self._will = wall.Will()
        self.room.fell()
        self.state = msgspec.structs.replace(self.state, falls=self.state.falls + 1, last_fall=reason)
        self._note_state("failed", reason)

    async def tick(self) -> None:
        """Once a second: while vision is down, say so in windows; forget a picture whose time is over."""
        self.room.forget(self._clock.monotonic_s())
        if not self._vision_is_up:
            await self._hand_on((), [*self._stitcher.blind_until(self._now_ms())])

    async def finish(self) -> None:
        """Vision has ended: the window that was open comes out with what is known of it."""
        self._stitcher.died()
        await self._hand_on(self._will.events, ())
        window_end_ms = self._now_ms() + self._stitcher.length_ms
        await self._hand_on((), [*self._stitcher.blind_until(window_end_ms)])

    def _hear_room(self, message: wall.EmptyRoom) -> None:
        now_s = self._clock.monotonic_s()
        self.room.came(message, now_s)
        self.state = msgspec.structs.replace(self.state, rooms=self.state.rooms + 1, last_room_s=now_s)
        said = message.refused or f"{message.known_permille / 10:.0f} % of the view, over {message.seconds} s"
        print(f"camera {message.camera}: an empty room was made: {said}", file=sys.stderr)  # the log is its record

    def _closed(self, window: Window) -> Iterator[Window]:
        """A window that vision closed; one whose time is not over is held, for vision may be back before it is."""
        if window.start_ms + window.length_ms > self._now_ms():
            self._stitcher.hold(window)
            return iter(())
        return self._stitcher.closed(window)

    def _take_will(self, will: wall.Will) -> None:
        self._will = will
        if will.window is not None:
            self._stitcher.snapshot(will.window, will.unsettled)

    def _hear_alive(self, alive: wall.Alive) -> None:
        self._vision_is_up = alive.health.state != "ended"
        if alive.health.state == "ended":
            self.ended.set()
        self._take_will(alive.will)
        if alive.health.state in {"running", "ended"}:
            self._inside = (self._clock.monotonic_s(), alive.live.inside)
        seen_s = self.state.last_new_frame_s
        if alive.health.frames != self.state.health.frames:
            seen_s = self._clock.monotonic_s()
        self.state = msgspec.structs.replace(
            self.state, health=alive.health, live=alive.live, last_new_frame_s=seen_s, open_window=alive.will.window
        )

    def _note_state(self, state: str, reason: str) -> None:
        health = msgspec.structs.replace(self.state.health, state=state, reason=reason)
        self.state = msgspec.structs.replace(self.state, health=health)

    async def _hand_on(self, events: Sequence[Event], windows: Sequence[Window]) -> None:
        if events or windows:
            for sink in self._sinks:
                await sink.take(self.state.name, events, windows)

    def _now_ms(self) -> int:
        return int(self._clock.monotonic_s() * 1000)


class Daemon:
    """All cameras of one configuration."""

    def __init__(self, source: Source, clock: Clock, sinks: Sequence[Sink], notifier: Notifier, begin: Begin | None = None) -> None:
        """Nothing starts before `run`.

        `begin` brings a vision process to life, by default as a child. `on_seeing` is called, in a thread, once every camera
        saw under a configuration.
        """
        self._clock = clock
        self._sinks = sinks
        self._notifier = notifier
        self._stop = asyncio.Event()
        self._seen: Source | None = None
        self.on_seeing: Callable[[Source], None] | None = None
        self._stills = StillStore(None)
        self.source = source
        self.desks = tuple(CameraDesk(camera, source.config.window_s, clock, sinks) for camera in source.config.camera)
        self._supervisors = tuple(
            Supervisor(_order(source, camera), desk, begin) for camera, desk in zip(source.config.camera, self.desks, strict=True)
        )

    def keep_stills(self, store: StillStore) -> None:
        """Give vision the still maps that are kept, and keep what it learns; before `run`."""
        self._stills = store
        for desk, supervisor in zip(self.desks, self._supervisors, strict=True):
            supervisor.remember(store.load(desk.state.name))
            desk.on_still = partial(self._keep_still, desk.state.name, supervisor)

    def _keep_still(self, camera: str, supervisor: Supervisor, still: StillMap) -> None:
        supervisor.remember(still)
        asyncio.get_running_loop().run_in_executor(None, self._save_still, camera, still)

    def _save_still(self, camera: str, still: StillMap) -> None:
        try:
            self._stills.save(camera, still)
        except StorageError as error:
            print(f"camera {camera}: what stands still is not kept: {error}", file=sys.stderr)

    async def apply(self, source: Source) -> bool:
        """Count by another configuration from now on, without a window lost: each camera settles, and begins anew.

        Returns:
            False, and nothing is done, where more than cameras' own settings changed: that needs a restart of the device.
        """
        if not _only_cameras_differ(self.source.config, source.config):
            return False
        self.source, self._seen = source, None
        for desk, camera in zip(self.desks, source.config.camera, strict=True):
            desk.reconfigure(camera)
        orders = (_order(source, camera) for camera in source.config.camera)
        await asyncio.gather(*(each.reorder(order) for each, order in zip(self._supervisors, orders, strict=True)))
        return True

    def cameras(self) -> tuple[CameraState, ...]:
        """A frozen picture of now."""
        return tuple(desk.state for desk in self.desks)

    async def watch(self, seconds: float) -> None:
        """Somebody looks at the floor view: let vision say foot points for so long."""
        await asyncio.gather(*(supervisor.tell(wall.Watch(seconds)) for supervisor in self._supervisors))

    async def want_room(self, camera: str, presence: Presence) -> None:
        """Ask a camera for its empty room; half a minute later `room` has it, for ten minutes.

        Raises:
            ConfigError: no such camera, it does not see now, nobody is beside the device, or one is being made.
        """
        names = [desk.state.name for desk in self.desks]
        if camera not in names:
            raise ConfigError(f"there is no camera {camera!r}", f"one of: {', '.join(names)}")
        index = names.index(camera)
        if self.desks[index].state.health.state != "running":
            raise ConfigError(f"camera {camera} does not see now", "wait until it is running")
        self.desks[index].room.ask(presence, self._clock.monotonic_s())
        await self._supervisors[index].tell(wall.RoomWanted("button" if presence.how == "button" else "power-up"))

    def room(self, camera: str) -> wall.EmptyRoom | None:
        """The empty room of a camera, or its refusal; None while there is none, and when its time is over."""
        now_s = self._clock.monotonic_s()
        return next((desk.room.show(now_s) for desk in self.desks if desk.state.name == camera), None)

    def vision_pids(self) -> tuple[int | None, ...]:
        """The vision processes now running, one a camera."""
        return tuple(supervisor.pid for supervisor in self._supervisors)

    def stop(self) -> None:
        """Ask for an orderly end; `run` returns when it is reached."""
        self._stop.set()

    async def run(self) -> None:
        """Until `stop`, a signal, or the end of every recording."""
        self._install_signals()
        for desk in self.desks:
            desk.begin()
        watching = [asyncio.create_task(supervisor.run()) for supervisor in self._supervisors]
        ticking = asyncio.create_task(self._tick_for_ever())
        stopping = asyncio.create_task(self._stop.wait())
        ended = asyncio.gather(*watching)
        await asyncio.wait((ended, stopping) if watching else (stopping,), return_when=asyncio.FIRST_COMPLETED)
        self._notifier.say(STOPPING=1)
        await asyncio.gather(*(supervisor.stop() for supervisor in self._supervisors))
        await ended
        for task in (ticking, stopping):
            await cancelled(task)
        for desk in self.desks:
            await desk.finish()
        for sink in self._sinks:
            await sink.close()

    async def _tick_for_ever(self) -> None:
        ready = False
        while True:
            await asyncio.sleep(TICK_S)
            for desk in self.desks:
                await desk.tick()
            now_s = self._clock.monotonic_s()
            seeing = [d for d in self.cameras() if d.last_new_frame_s is not None and now_s - d.last_new_frame_s < FRESH_S]
            if not ready and (seeing or not self.desks):
                ready = True
                self._notifier.say(READY=1)
            if len(seeing) == len(self.desks):
                self._notifier.say(WATCHDOG=1)
                await self._tell_seeing()
            safe = f"; safe mode, {len(self.source.faults)} faults in the configuration" if self.source.faults else ""
            self._notifier.say(STATUS=f"{len(seeing)} of {len(self.desks)} cameras see{safe}")

    async def _tell_seeing(self) -> None:
        """The first time that every camera sees under a configuration."""
        if self.on_seeing is None or self._seen is self.source or not self.desks:
            return
        if all(desk.state.health.state == "running" for desk in self.desks):
            self._seen = self.source
            await asyncio.get_running_loop().run_in_executor(None, self.on_seeing, self.source)

    def _install_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError):  # not the main thread: a test runs us
                loop.add_signal_handler(number, self.stop)


def _nothing(camera: CameraConfig) -> tuple[tuple[LineSums, ...], tuple[ZoneSums, ...]]:
    """The sums of a window in which nothing was seen."""
    return tuple(LineSums(line.name) for line in camera.line), tuple(ZoneSums(zone.name, zone.kind) for zone in camera.zone)


def _doors(camera: CameraConfig) -> frozenset[str]:
    """The lines by which people come and go."""
    return frozenset(line.name for line in camera.line if line.door)


def _order(source: Source, camera: CameraConfig) -> Order:
    return Order(wall.Configure(source.text, source.filename, camera.name), camera.source.startswith("rtsp"))


def _only_cameras_differ(old: Config, new: Config) -> bool:
    """Whether the same cameras, under the same terms, only look at other things."""
    if [camera.name for camera in old.camera] != [camera.name for camera in new.camera]:
        return False
    return msgspec.structs.replace(old, camera=(), opening_hours="") == msgspec.structs.replace(new, camera=(), opening_hours="")
