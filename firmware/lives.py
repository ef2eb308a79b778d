"""How a life of vision begins and ends: as our child over a socket pair, or as a guest that came by the unix socket.

A child (`passerby run`) is started by us and killed by us. A guest (under systemd) was started by the service manager, as
another user and without a network, and connects; the kernel says who it is, and whoever is not vision's user is turned
away. A guest that hangs is hung up on; the manager's watchdog ends it and starts it again. Left to others: what is said,
and when a life is over (`firmware.supervisor`).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

WORDS_BYTES_MAX: Final = 4096  # one line of vision's stderr
GUESTS_WAITING_MAX: Final = 8  # a device has no more cameras
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Life(Protocol):
    """One life of vision, from connected to ended."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: int

    async def end(self, patience_s: float) -> str | None:
        """Give it so long to end by itself, then end it. Why it ended; None when it ended well."""
        ...


Begin = Callable[[bool], Coroutine[Any, Any, Life]]
"""Begins a life; the argument says whether it needs the network, for an RTSP camera alone."""


class Child:
    """A process of ours."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process, self.reader, self.writer = process, reader, writer
        self._words = asyncio.create_task(_last_words(process))
        self.pid = process.pid

    async def end(self, patience_s: float) -> str | None:
        """See Life."""
        self.writer.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), patience_s)
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # SIGKILL reaches a stopped process too
        code = await self._process.wait()
        last = await self._words
        if code == 0:
            return None
        return f"ended by {signal.Signals(-code).name}" if code < 0 else last or f"ended with exit code {code}"


async def begin_child(module: str, *, network: bool) -> Child:
    """Start the vision process with one end of a socket pair, and a pipe for its words, nothing else."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", module, "--fd", str(theirs.fileno()), *(["--network"] if network else [])]
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *command, pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, limit=WORDS_BYTES_MAX,
        )  # fmt: skip
    return Child(process, *await asyncio.open_connection(sock=ours))


class Guest:
    """A process of the service manager's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pid: int) -> None:
        self.reader, self.writer, self.pid = reader, writer, pid

    async def end(self, patience_s: float) -> str | None:
        """See Life: hang up; its manager does the rest."""
        del patience_s
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
        return "it hung up"


class Reception:
    """Where guests come in: a unix socket that is listening, and the one user who may."""

    def __init__(self, listener: socket.socket, uid: int) -> None:
        """`uid`: vision's user; everybody else is turned away, root too."""
        self._listener, self._uid = listener, uid
        self._waiting: asyncio.Queue[Guest] = asyncio.Queue(GUESTS_WAITING_MAX)
        self._server: asyncio.Server | None = None

    async def begin(self, network: bool) -> Guest:  # noqa: FBT001 as Begin
        """The next guest; waits for one. Which camera it gets is ours to say: they are all alike."""
        del network
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._arrived, sock=self._listener)
        while True:
            guest = await self._waiting.get()
            if not guest.reader.at_eof():
                return guest

    async def close(self) -> None:
        """Nobody comes in any more."""
        if self._server is not None:
            self._server.close()

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid, uid = who(writer.get_extra_info("socket"))
        if uid != self._uid or self._waiting.full():
            print(f"process {pid} of user {uid} was turned away from the wall", file=sys.stderr)
            writer.close()
            return
        self._waiting.put_nowait(Guest(reader, writer, pid))


def who(connection: socket.socket) -> tuple[int, int]:
    """(pid, uid) of the process at the other end of a unix socket, by the kernel's word (SO_PEERCRED)."""
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid, uid


def activated_socket(environment: dict[str, str], own_pid: int) -> socket.socket | None:
    """The one socket that the service manager hands over (sd_listen_fds(3)); None when it hands over none."""
    if environment.get("LISTEN_PID") != str(own_pid) or environment.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=3)


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
