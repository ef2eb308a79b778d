"""Keeps one vision process running: starts it, listens, watches its heartbeat, and climbs the restart ladder.

Rules: a life is ended when `firmware.sight` says so; at the first doubt another begins to stand by (`firmware.standby`); the pause before
a restart doubles from 0.2 s to 60 s and starts anew after a quiet hour's tenth. What vision says goes to the `Hearer`; how
it is started is `firmware.lives`' work, what becomes of the time without it `firmware.stitch`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from firmware import wall
from firmware.errors import WallError
from firmware.flow import Flow
from firmware.lives import Begin, Life, begin_child
from firmware.sight import Sight
from firmware.standby import Standby
from firmware.still_places import StillMap

PAUSE_S_MIN: Final = 0.2
PAUSE_S_MAX: Final = 60.0
QUIET_S: Final = 360.0  # so long without a fall: the ladder starts at its foot again
STOP_S_MAX: Final = 10.0
LATE_S: Final = 0.02  # two rounds of the event loop
EXIT_S_MAX: Final = 0.5  # from hanging up to the exit code
VISION_MODULE = "firmware.vision.process"  # tests put a faulty one here


class Hearer(Protocol):
    """Who is told what vision says, and of its falls."""

    async def heard(self, message: wall.FromVision) -> None:
        """A message crossed. Raises WallError when it should not have: that vision process is ended."""
        ...

    async def fell(self, reason: str) -> None:
        """Vision is gone, unasked; it will be started again."""
        ...

    def inside(self) -> int:
        """How many are inside by the doors, for the next life to go on from."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What vision is to watch. `network` is for an RTSP camera alone."""

    configure: wall.Configure
    network: bool = False


class Supervisor:
    """One camera's vision process."""

    def __init__(self, order: Order, hearer: Hearer, begin: Begin | None = None) -> None:
        """Nothing starts before `run`. `begin` brings vision to life; by default as a child of ours."""
        self._order = order
        self._hearer = hearer
        self._begin: Begin = begin or _child
        self._standby = Standby(_child if begin is None else None)
        self._life: Life | None = None
        self._stopping = asyncio.Event()
        self._again = False
        self._over = asyncio.Event()
        self._ended_well = False
        self.falls = 0

    @property
    def pid(self) -> int | None:
        """The vision process now running."""
        return self._life.pid if self._life is not None else None

    async def run(self) -> None:
        """Until `stop`, or until vision ends of its own accord (a recording that is over)."""
        try:
            await self._live_on()
        finally:
            await self._standby.dismiss()

    async def _live_on(self) -> None:
        pause_s = PAUSE_S_MIN
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started_s = loop.time()
            reason = await self._live_once()
            if self._stopping.is_set() or (reason is None and not self._again):
                return
            self._again, asked = False, self._again
            if asked and reason is None:  # it ended because we asked it to: no fall, no pause
                continue
            self.falls += 1
            await self._hearer.fell(reason or "")
            pause_s = PAUSE_S_MIN if loop.time() - started_s > QUIET_S else pause_s
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def stop(self) -> None:
        """Ask vision to settle and end; `run` ends it when it does not."""
        self._stopping.set()
        await self._ask_to_end()

    def remember(self, still: StillMap) -> None:
        """The next life of vision begins with this still map."""
        self._order = replace(self._order, configure=msgspec.structs.replace(self._order.configure, still=still))

    async def reorder(self, order: Order) -> None:
        """Watch by another order: vision settles what it knows and ends, and begins anew."""
        still = self._order.configure.still  # what stands in the shop stays where it is
        self._order, self._again = order, True
        self.remember(still)
        await self._standby.dismiss()
        await self._ask_to_end()

    async def tell(self, message: wall.ToVision) -> None:
        """Send vision a message; nothing happens when it is not there."""
        if self._life is not None:
            with contextlib.suppress(ConnectionError):
                self._life.writer.write(wall.encode(message))
                await self._life.writer.drain()

    async def _ask_to_end(self) -> None:
        """Wait until this life is over, or hang up on it."""
        life, over = self._life, self._over
        await self.tell(wall.Stop())
        if life is not None:
            try:
                await asyncio.wait_for(over.wait(), STOP_S_MAX)
            except TimeoutError:
                life.writer.transport.abort()

    async def _live_once(self) -> str | None:
        """One life of vision: why it fell, or None when it ended well."""
        spare = await self._standby.take()
        life = spare or await self._born()
        if life is None:
            return None
        self._life, self._over, self._ended_well, last, reason = life, asyncio.Event(), False, None, ""
        try:
            if spare is None:
                await self.tell(self._order.configure)
            await self.tell(wall.Open(self._hearer.inside()))
            reason = await self._listen(life.reader)
        finally:
            last = await life.end(STOP_S_MAX if self._ended_well else EXIT_S_MAX if not reason else 0.0)
            self._life = None
            self._over.set()
        return None if self._ended_well and not reason else reason or last

    async def _born(self) -> Life | None:
        """The next life; None when we are told to stop while waiting for one."""
        begun = asyncio.create_task(self._begin(self._order.network))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((begun, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if not begun.done():
            begun.cancel()
            return None
        return begun.result()

    async def _listen(self, reader: asyncio.StreamReader) -> str:
        """Pass messages on; the reason to end this life, empty when vision hung up."""
        loop, flow = asyncio.get_running_loop(), Flow()
        sight = Sight(loop.time())
        reading = asyncio.create_task(_read(reader))
        try:
            while True:
                await asyncio.wait((reading,), timeout=sight.until_s(loop.time()) - loop.time())
                if not reading.done():
                    await asyncio.sleep(LATE_S)  # this process itself may have been stopped: what waits in the socket comes first
                if not reading.done():
                    reason = await self._judged(sight, loop.time())
                elif (read := reading.result()) is None:
                    return ""
                else:
                    flow.spend(read[1], loop.time())
                    reason = await self._heard(read[0], sight, loop.time())
                    reading = asyncio.create_task(_read(reader))
                if reason:
                    return reason
        except WallError as error:
            return str(error)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _heard(self, message: wall.FromVision, sight: Sight, now_s: float) -> str:
        """One message; the reason to end this life, or nothing."""
        await self._hearer.heard(message)
        if isinstance(message, wall.Failed):
            return message.what if not message.hint else f"{message.what}; {message.hint}"
        if not isinstance(message, wall.Alive):
            sight.said(now_s)
            return ""
        self._ended_well = message.health.state == "ended"
        sight.alive(message.health.state, message.health.frames, now_s)
        return await self._judged(sight, now_s)

    async def _judged(self, sight: Sight, now_s: float) -> str:
        """Call somebody to stand by in doubt, send them away without; the reason to end this life, or nothing."""
        if sight.doubtful(now_s):
            self._standby.call(self._order.configure, network=self._order.network, now_s=now_s)
        elif self._standby.waits and sight.saw:
            await self._standby.dismiss()
        return sight.verdict(now_s)


async def _child(network: bool) -> Life:  # noqa: FBT001 as Begin
    return await begin_child(VISION_MODULE, network=network)


async def _read(reader: asyncio.StreamReader) -> tuple[wall.FromVision, int] | None:
    """The next message and its length in bytes; None when vision hung up."""
    try:
        length = wall.body_length(await reader.readexactly(wall.PREFIX_BYTES))
        return wall.decode_from_vision(await reader.readexactly(length)), length
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
