"""Composition root of process 1: a camera on one side, a socket to the daemon on the other, and no network.

Order: give up the network; wait for the daemon's `Configure`; open the model and warm the kernels up; wait for its `Open`,
which says that no other process has the camera; open the source; give up files; then read, detect, step, say. What is said is
in `firmware.wall`. One camera, one process: a camera that hangs or a delegate that aborts takes nothing else with it.
Restarting is the daemon's work; so is every decision about what leaves the device.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import sys
import threading
from types import TracebackType
from typing import Final, Self

from firmware import wall
from firmware.errors import PasserbyError, WallError
from firmware.sd_notify import Watchdog
from firmware.vision.confine import Locks, die_with_parent, give_up_files, give_up_network

WAIT_S_MAX: Final = 30.0  # for the daemon's first message; under systemd it may be starting itself


class Channel:
    """The vision side of the wall: blocking writes, polled reads."""

    def __init__(self, connection: socket.socket, watchdog: Watchdog) -> None:
        """`watchdog` is fed with each heartbeat that saw a new picture, and only then."""
        self._connection, self._watchdog = connection, watchdog
        self._frames = 0
        self._buffer = b""
        self._writing = threading.Lock()

    def send(self, message: wall.FromVision) -> None:
        """Write one message.

        Raises:
            WallError: it may not cross, or the daemon is gone.
        """
        try:
            with self._writing:
                self._connection.sendall(wall.encode(message))
        except OSError as error:
            raise WallError("the daemon is gone") from error
        if isinstance(message, wall.Alive) and message.health.frames != self._frames:
            self._frames = message.health.frames
            self._watchdog.say(READY=1, WATCHDOG=1, STATUS=f"{message.health.camera} {message.health.state}")

    def receive(self, timeout_s: float) -> wall.ToVision | None:
        """The next message, or None when none came in time.

        Raises:
            WallError: the daemon hung up, or sent what may not cross.
        """
        while (message := self._pop()) is None:
            ready, _, _ = select.select([self._connection], [], [], timeout_s)
            if not ready:
                return None
            read = self._connection.recv(65536)
            if not read:
                raise WallError("the daemon hung up")
            self._buffer += read
        return message

    def _pop(self) -> wall.ToVision | None:
        if len(self._buffer) < wall.PREFIX_BYTES:
            return None
        end = wall.PREFIX_BYTES + wall.body_length(self._buffer[: wall.PREFIX_BYTES])
        if len(self._buffer) < end:
            return None
        body, self._buffer = self._buffer[wall.PREFIX_BYTES : end], self._buffer[end:]
        return wall.decode_to_vision(body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()


def main(argv: list[str] | None = None) -> int:
    """`python -m firmware.vision.process --fd N`: started by the daemon; with --socket PATH by the service manager."""
    parser = argparse.ArgumentParser(prog="passerby-vision", description=__doc__)
    wall_end = parser.add_mutually_exclusive_group(required=True)
    wall_end.add_argument("--fd", type=int, help="one end of a socket pair; the daemon holds the other")
    wall_end.add_argument("--socket", metavar="PATH", help="the unix socket at which the daemon listens")
    parser.add_argument("--network", action="store_true", help="an RTSP camera: the network stays, and the health says so")
    arguments = parser.parse_args(argv)
    if arguments.fd is not None:
        die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the daemon's: it asks us to settle first
    connection = _connected(arguments)  # before the locks: later nothing can be connected to
    watchdog = Watchdog(os.environ.get("NOTIFY_SOCKET", ""))
    locks = Locks(namespace=False, seccomp=False, files=False, reasons=("an RTSP camera needs the network",))
    if not arguments.network:
        locks = give_up_network()
    with Channel(connection, watchdog) as channel:
        return _serve(channel, locks)


def _connected(arguments: argparse.Namespace) -> socket.socket:
    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(arguments.socket)
    except OSError as error:
        print(f"vision: no daemon at {arguments.socket}: {error.strerror}", file=sys.stderr)
        sys.exit(WallError.exit_code)
    return connection


def _serve(channel: Channel, locks: Locks) -> int:
    """Wait for the configuration, then run until told to stop. Errors cross as `Failed`, in words."""
    camera = ""
    try:
        order = channel.receive(timeout_s=WAIT_S_MAX)
        if not isinstance(order, wall.Configure):
            raise WallError("the daemon sent no configuration")
        camera = order.camera
        from firmware.vision.live import Live  # late: nothing heavy, and no thread, before the locks

        live = Live.open(order, channel)
        live.run(give_up_files(locks))
    except PasserbyError as error:
        print(f"vision {camera}: {error}", file=sys.stderr)
        _say_failed(channel, camera, error)
        return error.exit_code
    return 0


def _say_failed(channel: Channel, camera: str, error: PasserbyError) -> None:
    try:
        channel.send(wall.Failed(camera, what=error.what[:500], hint=error.hint[:500], exit_code=error.exit_code))
    except WallError:
        return  # nobody is left to hear it


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a camera thread stuck in a driver must not keep the process alive
