"""Keeps one vision process running: starts it, listens, watches its heartbeat, and climbs the restart ladder.

Rules: vision gets one end of a socket pair and a pipe for its words, nothing else; it is killed when it has been silent
for `silent_s_max`; the pause before a restart doubles from 0.5 s to 60 s and starts anew after a quiet hour's tenth.
What vision says goes to the `Hearer`; what becomes of the time without it is `firmware.stitch`'s work.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from firmware import wall
from firmware.errors import WallError
from firmware.flow import Flow
from firmware.still_places import StillMap

PAUSE_S_MIN: Final = 0.5
PAUSE_S_MAX: Final = 60.0
QUIET_S: Final = 360.0  # so long without a fall: the ladder starts at its foot again
START_S_MAX: Final = 180.0  # a cold Numba cache on a Pi 4 takes about a minute
OPEN_S_MAX: Final = 20.0  # kernels are compiled, the source is being opened
SILENT_S_MAX: Final = 4.0  # heartbeats come twice a second, every 3 s beside a dead camera; counting must resume within 10 s
UNSEEN_S_MAX: Final = 4.5  # heartbeats without a new picture: the camera's own call hangs, only a new process helps
STOP_S_MAX: Final = 10.0
VISION_MODULE = "firmware.vision.process"  # tests put a faulty one here
WORDS_BYTES_MAX: Final = 4096  # one line of vision's stderr


class Hearer(Protocol):
    """Who is told what vision says, and of its falls."""

    async def heard(self, message: wall.FromVision) -> None:
        """A message crossed. Raises WallError when it should not have: that vision process is ended."""
        ...

    async def fell(self, reason: str) -> None:
        """Vision is gone, unasked; it will be started again."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What vision is to watch. `network` is for an RTSP camera alone."""

    configure: wall.Configure
    network: bool = False


class Supervisor:
    """One camera's vision process."""

    def __init__(self, order: Order, hearer: Hearer) -> None:
        """Nothing starts before `run`."""
        self._order = order
        self._hearer = hearer
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._again = False
        self.falls = 0

    @property
    def pid(self) -> int | None:
        """The vision process now running."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def run(self) -> None:
        """Until `stop`, or until vision ends of its own accord (a recording that is over)."""
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
        """Ask vision to settle and end; kill it when it does not."""
        self._stopping.set()
        await self.tell(wall.Stop())
        if self._process is not None and self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S_MAX)
            except TimeoutError:
                self._kill()

    def remember(self, still: StillMap) -> None:
        """The next life of vision begins with this still map."""
        self._order = replace(self._order, configure=msgspec.structs.replace(self._order.configure, still=still))

    async def reorder(self, order: Order) -> None:
        """Watch by another order: vision settles what it knows and ends, and begins anew."""
        still = self._order.configure.still  # what stands in the shop stays where it is
        self._order, self._again = order, True
        self.remember(still)
        await self.tell(wall.Stop())
        if self._process is not None and self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S_MAX)
            except TimeoutError:
                self._kill()

    async def tell(self, message: wall.ToVision) -> None:
        """Send vision a message; nothing happens when it is not there."""
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):
                self._writer.write(wall.encode(message))
                await self._writer.drain()

    async def _live_once(self) -> str | None:
        """One life of vision: why it fell, or None when it ended well."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", VISION_MODULE, "--fd", str(theirs.fileno())]
        command += ["--network"] if self._order.network else []
        with theirs:
            self._process = process = await asyncio.create_subprocess_exec(
                *command, pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE, limit=WORDS_BYTES_MAX,
            )  # fmt: skip
        words = asyncio.create_task(_last_words(process))
        reader, self._writer = await asyncio.open_connection(sock=ours)
        try:
            await self.tell(self._order.configure)
            reason = await self._listen(reader)
        finally:
            self._writer.close()
            self._writer = None
            if self._stopping.is_set():
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_S_MAX)
            self._kill()
            code = await process.wait()
        last = await words
        if reason == "" and code == 0:
            return None
        return reason or (f"ended by {signal.Signals(-code).name}" if code < 0 else last or f"ended with exit code {code}")

    async def _listen(self, reader: asyncio.StreamReader) -> str:
        """Pass messages on; the reason to end this life, empty when vision hung up."""
        patience_s, flow, loop = START_S_MAX, Flow(), asyncio.get_running_loop()
        frames, seen_s = 0, loop.time()
        while True:
            try:
                read = await asyncio.wait_for(_read(reader), patience_s)
                if read is None:
                    return ""
                message, length = read
                flow.spend(length, loop.time())
                await self._hearer.heard(message)
            except TimeoutError:
                return f"silent for {patience_s:.0f} s"
            except WallError as error:
                return str(error)
            patience_s = SILENT_S_MAX
            if isinstance(message, wall.Alive):
                patience_s = OPEN_S_MAX if message.health.state == "starting" else SILENT_S_MAX
                if message.health.frames != frames or message.health.state == "starting":
                    frames, seen_s = message.health.frames, loop.time()
                elif loop.time() - seen_s > UNSEEN_S_MAX:
                    return f"no new picture for {loop.time() - seen_s:.0f} s"
            if isinstance(message, wall.Failed):
                return message.what if not message.hint else f"{message.what}; {message.hint}"

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # SIGKILL reaches a stopped process too


async def _read(reader: asyncio.StreamReader) -> tuple[wall.FromVision, int] | None:
    """The next message and its length in bytes; None when vision hung up."""
    try:
        length = wall.body_length(await reader.readexactly(wall.PREFIX_BYTES))
        return wall.decode_from_vision(await reader.readexactly(length)), length
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """Pass vision's stderr on, line by line, and keep the last line. A line that is too long is cut."""
    last = ""
    assert process.stderr is not None
    while True:
        try:
            line = await process.stderr.readline()
        except ValueError:
            continue  # longer than WORDS_BYTES_MAX: dropped, the stream goes on
        if not line:
            return last
        last = line.decode("utf-8", "replace").strip() or last
        sys.stderr.write(f"vision: {last}\n")
