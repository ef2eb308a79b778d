"""From windows and events to acknowledged bytes: folds, seals, spools and delivers, on a thread of its own.

A card may take seconds for one sync and a network may take for ever; neither may stop the daemon from hearing vision. So
spool, delivery and sender live on one thread with its own event loop, and the daemon hands things over and forgets them.
Rules: flush every `flush_s`, when much waits, and at the end; an hour of the boot clock is rolled up when it is over, or
when we stop; a clock anchor at start, when NTP takes hold and with an acknowledgement now and then. Left to others: what may
leave (`analytics.pipeline`), what is sent when (`uplink.delivery`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import __version__
from firmware.cancelling import cancelled
from firmware.clock import Clock, wall_quality
from firmware.config import UplinkConfig
from firmware.errors import PasserbyError
from firmware.events import Disclosure, Event, Window
from firmware.health import UplinkHealth, VisionHealth
from firmware.uplink.batch import Anchor, Gap, Health, Payload, Pulse, kind_of, to_bytes
from firmware.uplink.delivery import Delivery
from firmware.uplink.envelope import Place, header_for, seal
from firmware.uplink.exchange import Answer
from firmware.uplink.filesystem import RealFolder, open_folder
from firmware.uplink.fold import About, fold, hour_of, roll_up
from firmware.uplink.keys import DeviceKeys
from firmware.uplink.segment import LaneName, Missing
from firmware.uplink.sender import Sender
from firmware.uplink.spool import SealGap, Spool, SpoolLimits
from firmware.uplink.stamp import Stamp, WallQuality, boot_tag

HEALTH_S: Final = 300.0  # while somebody hears it
HEALTH_UNHEARD_S: Final = 6 * 3600.0  # a year of silence leaves 1,460 reports, not 105,000: they share the lane with the totals
ANCHOR_S: Final = 600.0  # drift of a crystal in ten minutes is 60 ms
EVENTS_WAITING_MAX: Final = 4096  # then flush at once: memory is bounded whatever happens at the door
STOP_S_MAX: Final = 10.0
_QUALITIES: Final = {"unknown": WallQuality.UNKNOWN, "restored": WallQuality.RESTORED, "rtc": WallQuality.RTC, "ntp": WallQuality.NTP}


class Vision(Protocol):
    """What the outbound asks of the daemon: a frozen picture of every camera."""

    def __call__(self) -> Sequence[VisionHealth]:
        """Now."""
        ...


class Witness(Protocol):
    """Who is shown what leaves, in clear, on the uplink's thread: the status page's memory."""

    def sealed(self, place: Place, payload: Payload, size: int, now_s: float) -> None:
        """A payload was sealed for its place, as an envelope of `size` bytes."""
        ...

    def acknowledged(self, ranges: Sequence[tuple[bytes, int, int]]) -> None:
        """The collector keeps these: (stream, first, last)."""
        ...


OpenSpool = Callable[[], contextlib.AbstractContextManager[Spool]]


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which data leaves."""

    site: str
    disclosure: Disclosure
    uplink: UplinkConfig


@dataclass(slots=True)
class _Camera:
    """What one camera has said since the last flush, and the hours not yet rolled up."""

    windows: list[Window] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    hour: list[Window] = field(default_factory=list)


class Sealer:
    """Makes envelopes of one device: the only place where stamps, keys and payloads meet."""

    def __init__(self, keys: DeviceKeys, clock: Clock) -> None:
        self._keys, self._clock = keys, clock
        self._boot = boot_tag(clock.boot_id(), keys.device)

    @property
    def identity(self) -> Ed25519PrivateKey:
        """What the device signs with."""
        return self._keys.identity

    def stamp(self) -> Stamp:
        """Now, by both clocks."""
        wall_ms = self._clock.wall_ms()
        return Stamp(self._boot, int(self._clock.monotonic_s() * 1000), max(wall_ms, 0), _QUALITIES[wall_quality(wall_ms)])

    def sealed(self, payload: Payload, place: Place) -> bytes:
        """The envelope of a payload at its place."""
        header = header_for(kind_of(payload), place, self.stamp(), self._keys.recipient, self._keys.device)
        return seal(header, to_bytes(payload), self._keys.recipient, self._keys.identity)

    def gap(self, missing: Missing, place: Place) -> bytes:
        """The envelope that says which numbers will not come."""
        gap = Gap(clock=self.stamp(), stream=missing.stream, first=missing.first, last=missing.last, reason=missing.reason)
        return self.sealed(gap, place)


@contextlib.contextmanager
def spool_in(path: Path, limits: SpoolLimits, owner: bytes, seal_gap: SealGap) -> Iterator[Spool]:
    """The spool in a folder, locked for us until the end.

    Raises:
        StorageError: another process has it.
    """
    folder = open_folder(path)
    try:
        spool = Spool.open(folder, limits, owner, os.urandom, seal_gap)
        yield spool
        spool.close()
    finally:
        if isinstance(folder, RealFolder):
            folder.close()


class Outbound:
    """A sink of the daemon. `start` before the first `take`."""

    def __init__(self, terms: Terms, sealer: Sealer, spool: OpenSpool, sender: Sender | None, vision: Vision, clock: Clock) -> None:
        """`spool` opens the spool, on the thread that will use it; without a `sender` everything stays spooled."""
        self._terms, self._sealer, self._open_spool, self._sender = terms, sealer, spool, sender
        self._vision, self._clock = vision, clock
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="uplink", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: PasserbyError | None = None
        self._cameras: dict[str, _Camera] = {}
        self._last_ack_s: float | None = None
        self._anchored_s = float("-inf")
        self._ntp = False
        self._health_due_s = 0.0
        self.health = UplinkHealth()
        self.witness: Witness | None = None

    def start(self) -> None:
        """Open the spool and begin to deliver; returns when both are under way.

        Raises:
            StorageError: the spool belongs to another process.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        """Hand over; never waits for card or network."""
        self._loop.call_soon_threadsafe(self._taken, camera, tuple(events), tuple(windows))

    async def close(self) -> None:
        """Flush what waits, try to deliver it for a moment, and let go."""
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, STOP_S_MAX + 5.0)

    @property
    def identity(self) -> Ed25519PrivateKey:
        """What this device signs with."""
        return self._sealer.identity

    def ack_age_s(self) -> float | None:
        """How long ago the collector last answered; None before it did."""
        return None if self._last_ack_s is None else round(self._clock.monotonic_s() - self._last_ack_s, 1)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            with self._open_spool() as self._spool:
                self._loop.run_until_complete(self._run())
        except PasserbyError as error:
            self._failure = error
            self._ready.set()
        finally:
            self._loop.close()

    async def _run(self) -> None:
        self._wake = asyncio.Event()
        self._delivery = Delivery(_uniform, self._clock.monotonic_s())
        self._anchor("boot", 1000)
        self._ready.set()
        sending = asyncio.create_task(self._send()) if self._sender is not None else None
        try:
            await self._flush_until_stopped()
        finally:
            self._roll_up_all()
            self._flush()
            if sending is not None:
                await self._last_try(sending)

    async def _send(self) -> None:
        assert self._sender is not None
        self._sender.on_answer = self._answered
        await self._sender.run(self._delivery, self._spool, self._clock.monotonic_s, self._wake)

    async def _last_try(self, sending: asyncio.Task[None]) -> None:
        """What was just flushed goes out now if the collector is there; else it is safe on the card."""
        assert self._sender is not None
        until_s = self._clock.monotonic_s() + STOP_S_MAX
        while self._spool.health().spooled and not self.health.last_error and self._clock.monotonic_s() < until_s:
            self._wake.set()
            await asyncio.sleep(0.05)
            self._note_health()
        await cancelled(sending)
        await self._sender.close()

    async def _flush_until_stopped(self) -> None:
        self._health_due_s = self._clock.monotonic_s() + HEALTH_S / 10
        while not self._stop.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._terms.uplink.flush_s)
            self._notice_ntp()
            now_s = self._clock.monotonic_s()
            if now_s >= self._health_due_s:
                self._health_due_s = now_s + (HEALTH_S if self._heard_lately(now_s) else HEALTH_UNHEARD_S)
                self._put("keep", self._health_report())
            self._flush()

    def _heard_lately(self, now_s: float) -> bool:
        return self._last_ack_s is not None and now_s - self._last_ack_s < 2 * HEALTH_S

    def _taken(self, name: str, events: tuple[Event, ...], windows: tuple[Window, ...]) -> None:
        camera = self._cameras.setdefault(name, _Camera())
        camera.events += events
        for window in windows:
            if camera.hour and hour_of(camera.hour[0]) != hour_of(window):
                self._roll_up(name, camera)
            camera.hour.append(window)
            camera.windows.append(window)
        if len(camera.events) > EVENTS_WAITING_MAX:
            self._flush()

    def _flush(self) -> None:
        for name, camera in self._cameras.items():
            windows, events = camera.windows, camera.events
            camera.windows, camera.events = [], []
            for batch in fold(self._about(name), windows, events):
                self._put("batches", batch)
        self._spool.flush()
        self._note_health()
        self._wake.set()

    def _roll_up_all(self) -> None:
        for name, camera in self._cameras.items():
            if camera.hour:
                self._roll_up(name, camera)

    def _roll_up(self, name: str, camera: _Camera) -> None:
        windows, camera.hour = camera.hour, []
        self._put("keep", roll_up(self._about(name), windows))

    def _put(self, lane: LaneName, payload: Payload) -> None:
        envelope = b""

        def seal_at(place: Place) -> bytes:
            nonlocal envelope
            envelope = self._sealer.sealed(payload, place)
            return envelope

        place = self._spool.put(lane, seal_at)
        if self.witness is not None:
            self.witness.sealed(place, payload, len(envelope), self._clock.monotonic_s())

    def _about(self, name: str) -> About:
        health = next((each for each in self._vision() if each.camera == name), VisionHealth(name, 0))
        spool = self._spool.health()
        pulse = Pulse(health.state[:16], health.fps_permille, spool.word, spool.spooled, spool.segments_bad, spool.gaps)
        model = bytes.fromhex(health.model_sha256[:16])
        return About(self._terms.site, name, self._terms.disclosure, model, self._sealer.stamp(), pulse)

    def _health_report(self) -> Health:
        self._note_health()
        return Health(
            site=self._terms.site, clock=self._sealer.stamp(), firmware=__version__, cameras=tuple(self._vision()), uplink=self.health
        )

    def _note_health(self) -> None:
        spool = self._spool.health()
        age_s = None if self._last_ack_s is None else self._clock.monotonic_s() - self._last_ack_s
        self.health = UplinkHealth(
            spooled=spool.spooled,
            spool_bytes=spool.spool_bytes,
            acknowledged=spool.acknowledged,
            last_ack_age_s=age_s,
            last_error=(self._sender.last_error if self._sender else "") or spool.last_error,
            storage=spool.word,
            segments_bad=spool.segments_bad,
            gaps=spool.gaps,
            bytes_sent=self._sender.bytes_sent if self._sender else 0,
        )

    def _answered(self, answer: Answer, round_trip_s: float) -> None:
        now_s = self._clock.monotonic_s()
        if not self._heard_lately(now_s):
            self._health_due_s = min(self._health_due_s, now_s)
        self._last_ack_s = now_s
        if self.witness is not None:
            self.witness.acknowledged([*_ranges(answer)])
        for conflict in answer.conflicts:
            self._renew_stream(conflict.stream)
        if now_s - self._anchored_s > ANCHOR_S and not self._stop.is_set():
            stamp = msgspec.structs.replace(
                self._sealer.stamp(), wall_ms=answer.server_ms + int(round_trip_s * 500), wall_quality=WallQuality.COLLECTOR
            )
            self._anchored_s = now_s
            self._put("keep", Anchor(reason="ack", clock=stamp, error_ms=max(1, int(round_trip_s * 500))))
        self._note_health()

    def _renew_stream(self, stream: bytes) -> None:
        """The collector holds other bytes under one of our numbers: whichever of us is the copy, we number anew."""
        for entry in self._spool.newest(1 << 18, ()):
            if entry.stream == stream:
                self._spool.renew(entry.lane)
                return

    def _notice_ntp(self) -> None:
        stamp = self._sealer.stamp()
        if stamp.wall_quality is WallQuality.NTP and not self._ntp:
            self._ntp = True
            self._anchor("ntp", 100)

    def _anchor(self, reason: str, error_ms: int) -> None:
        stamp = self._sealer.stamp()
        if stamp.wall_quality is not WallQuality.UNKNOWN:
            self._put("keep", Anchor(reason="ntp" if reason == "ntp" else "boot", clock=stamp, error_ms=error_ms))


def _ranges(answer: Answer) -> Iterator[tuple[bytes, int, int]]:
    """What an answer says is durable: (stream, first, last)."""
    for each in answer.acknowledged:
        if each.through is not None:
            yield each.stream, 0, each.through
        yield from ((each.stream, seq, seq) for seq in each.sparse)


def _uniform() -> float:
    return random.SystemRandom().random()
