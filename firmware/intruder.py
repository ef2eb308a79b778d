"""A vision process that somebody has taken over, for `passerby prove` and the tests: everything it can try to get out, it tries.

It is the real process (`firmware.vision.process`) with its real locks; only its loop is replaced, after the locks closed. It
tries to reach a network, a service of this machine, a file and another process, and says over the wall, in the one message
that carries text, what became of each. Nothing here weakens the program: this module is never imported by it.

    python -m firmware.intruder --fd N --inet 127.0.0.1:PORT --unix PATH --file PATH
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Final

from firmware import wall
from firmware.vision import live, process
from firmware.vision.confine import Locks

_PTRACE_SEIZE: Final = 0x4206
_IO_URING_SETUP: Final = 425
_TIMEOUT_S: Final = 2.0


def main(argv: list[str]) -> int:
    """Run vision, taken over."""
    parser = argparse.ArgumentParser(prog="firmware.intruder")
    parser.add_argument("--fd", required=True)
    parser.add_argument("--inet", required=True, help="host:port of a listener that is there")
    parser.add_argument("--unix", required=True, help="path of a unix socket that listens")
    parser.add_argument("--file", required=True, help="a path to write to")
    arguments = parser.parse_args(argv)

    def taken_over(self: live.Live, locks: Locks) -> None:
        found = dict(attempts(arguments.inet, arguments.unix, arguments.file))
        says = json.dumps({"tried": found, "locks": [locks.namespace, locks.seccomp, locks.files]})
        self._channel.send(wall.Failed(self._camera.name, says))

    live.Live.run = taken_over  # type: ignore[method-assign]
    return process.main(["--fd", arguments.fd])


def attempts(inet: str, unix: str, file: str) -> Iterator[tuple[str, str]]:
    """(what was tried, "" when it succeeded or how the kernel refused)."""
    host, _, port = inet.rpartition(":")
    at = (host, int(port))
    yield "connect by TCP", _tried(lambda: _connect(socket.AF_INET, socket.SOCK_STREAM, at))
    yield "send by UDP", _tried(lambda: _connect(socket.AF_INET, socket.SOCK_DGRAM, at))
    yield "connect by IPv6", _tried(lambda: _connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", int(port))))
    yield "open a packet socket", _tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close())
    yield "open a virtual-machine socket", _tried(lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close())
    yield "open a Bluetooth socket", _tried(lambda: socket.socket(31, socket.SOCK_RAW, 1).close())
    yield "ask a service by unix socket", _tried(lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, unix))
    yield "make a socket by io_uring", _tried(lambda: _call(_IO_URING_SETUP, 1, 0))
    yield "trace the daemon", _tried(_trace_parent)
    yield "read the daemon's memory", _tried(_read_parent)
    yield "write a file", _tried(lambda: _write(file))


def _tried(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""


def _connect(family: int, kind: int, address: tuple[str, int] | str) -> None:
    with socket.socket(family, kind) as out:
        out.settimeout(_TIMEOUT_S)
        out.connect(address)
        out.send(b"pixels")


def _call(number: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _trace_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_PTRACE_SEIZE, os.getppid(), None, None) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _read_parent() -> None:
    with open(f"/proc/{os.getppid()}/mem", "rb", buffering=0) as memory:  # noqa: PTH123  (as an intruder would)
        memory.read(1)


def _write(path: str) -> None:
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123
        file.write(b"pixels")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code)
