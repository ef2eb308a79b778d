"""The face's end of the writing process: starts it, hands requests over, and waits for what became of each.

Waiting requests are bounded in number and bytes; above the bound the caller says busy. When the writing process ends
unasked, all that wait are told so, and the collector ends, to be started anew: nothing that was not
durable has been acknowledged. Everything here happens on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from collector.frames import Asked, Frames, Round, Start, Started, Told, frame
from collector.receive import Checked
from firmware import errors
from firmware.errors import PasserbyError, StorageError

WAITING_MAX: Final = 2048  # requests; an ordinary one has 1 KB
WAITING_BYTES_MAX: Final = 64 * 2**20  # of requests that drain, 256 KiB each
END_S_MAX: Final = 30.0  # to commit what it has taken


class Writer(asyncio.Protocol):
    """The other process, as seen from the event loop."""

    def __init__(self, told_lost: Callable[[], None]) -> None:
        """`told_lost` is called when the process ends unasked."""
        self._told_lost, self.lost = told_lost, False
        self._frames, self._decoder = Frames(), msgspec.msgpack.Decoder(Round)
        self._asked: dict[int, asyncio.Future[Told]] = {}
        self._started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._number = 0
        self._waiting_bytes = 0
        self._ending = False
        self.commits = 0
        self.posts = 0

    async def start(self, told: Start) -> None:
        """Start the process.

        Raises:
            PasserbyError: what keeps it from working: a key, a passphrase, the database.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "collector.writer_process", "--fd", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: ASYNC220  # forks and goes on
        await self.connect(ours)
        assert self._transport is not None
        self._transport.write(frame(told))
        started = await self._started
        if started.error:
            await self.stop()
            raise getattr(errors, started.error, PasserbyError)(started.what, started.hint)

    async def connect(self, ours: socket.socket) -> None:
        """Speak over this socket."""
        ours.setblocking(False)
        self._transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)

    async def stop(self) -> None:
        """Let it answer what it has taken, and end."""
        self._ending = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
        if self._process is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._process.wait, END_S_MAX)
        if self._transport is not None:
            self._transport.close()

    @property
    def waiting(self) -> int:
        """Requests not yet committed."""
        return len(self._asked)

    async def take(self, checked: Checked) -> Told:
        """Have a request entered; returns once it is durable.

        Raises:
            StorageError: too many wait, or the database refused this one.
        """
        size = sum(map(len, checked.envelopes))
        if self.waiting >= WAITING_MAX or self._waiting_bytes + size > WAITING_BYTES_MAX:
            raise StorageError(f"{self.waiting} requests wait for the database", "it is slower than what arrives")
        if self._transport is None or self._transport.is_closing():
            raise StorageError("the process that writes has ended")
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._waiting_bytes += size
        self._transport.write(frame(Asked(number, checked)))
        try:
            told: Told = await answer
        finally:
            self._waiting_bytes -= size
        if told.fault:
            raise StorageError(told.fault)
        return told

    def data_received(self, data: bytes) -> None:
        """What it says: first that it is ready, then what became of requests."""
        for message in self._frames.feed(data):
            if not self._started.done():
                self._started.set_result(msgspec.msgpack.decode(message, type=Started))
                continue
            said = self._decoder.decode(message)
            self.commits += said.commits
            for told in said.told:
                self.posts += not told.fault
                answer = self._asked.pop(told.number)
                if not answer.done():  # else the device has hung up; what it posted is durable all the same
                    answer.set_result(told)

    def eof_received(self) -> bool:
        """It has ended."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's
        """Nothing more will be answered."""
        if not self._started.done():
            self._started.set_result(Started("StorageError", "the process that writes did not start", "its last words stand above"))
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(StorageError("the process that writes has ended"))
        self._asked.clear()
        if not self._ending:
            self.lost = True
            self._told_lost()
