"""One vision process run by hand, for proofs: every byte that crosses the wall is kept, and every word it prints.

The trial stands where the daemon stands, at the other end of the socket pair. What it runs is the installed program, in an
environment whose folders are all in one place, so that whatever was written can be found. Left to others: what the bytes
prove (`firmware.prove`).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from firmware import wall
from firmware.clock import Clock
from firmware.errors import WallError

START_S_MAX: Final = 180.0  # a cold Numba cache on a Pi 4 takes about a minute
CROSSED_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Trial:
    """What came of it.

    Attributes:
        crossed: every byte that vision said over the wall.
        messages: the same, decoded.
        printed: stdout and stderr.
        pid: of the process, while it ran.
        refused: why a message could not be decoded; empty when all could.
    """

    crossed: bytes = b""
    messages: list[wall.FromVision] = field(default_factory=list)
    printed: bytes = b""
    pid: int = 0
    refused: str = ""


def environment(folder: Path) -> dict[str, str]:
    """This environment with every folder that a program might write to below one; the compiled kernels stay where they are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "NOTIFY_"))}
    return kept | {name: str(folder) for name in ("HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")}


def run_vision(configure: wall.Configure, seconds: float, clock: Clock, *, module: tuple[str, ...] = ("firmware.vision.process",)) -> Trial:
    """Run vision until it has seen for so many seconds, or ended; then ask it to stop.

    Args:
        configure: what it is to see.
        seconds: counted from its first picture; a source may take long to open, and kernels to compile.
        clock: to measure them.
        module: the module to run, with arguments of its own behind it.
    """
    trial = Trial()
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as printed, ours:
        with theirs:
            command = [sys.executable, "-m", module[0], "--fd", str(theirs.fileno()), *module[1:]]
            process = subprocess.Popen(
                command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
                env=environment(Path(tempfile.gettempdir())),
            )  # fmt: skip
        trial.pid = process.pid
        try:
            ours.sendall(wall.encode(configure) + wall.encode(wall.Open()))
            _listen(ours, trial, seconds, clock)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            printed.seek(0)
            trial.printed = printed.read()
    return trial


def _listen(ours: socket.socket, trial: Trial, seconds: float, clock: Clock) -> None:
    """Until the time is over and vision has said its last words, or hung up."""
    until_s = clock.monotonic_s() + START_S_MAX
    begun = stopped = False
    at = 0
    while clock.monotonic_s() < until_s and len(trial.crossed) < CROSSED_BYTES_MAX:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                read = ours.recv(1 << 16)
            except ConnectionError:
                return
            if not read:
                return
            trial.crossed += read
            at = _decode(trial, at)
        if not begun and any(isinstance(message, wall.Alive) and message.health.state != "starting" for message in trial.messages):
            begun, until_s = True, clock.monotonic_s() + seconds
        if begun and not stopped and clock.monotonic_s() >= until_s - 0.2:
            stopped, until_s = True, clock.monotonic_s() + 5.0
            ours.sendall(wall.encode(wall.Stop()))


def _decode(trial: Trial, at: int) -> int:
    """Decode what is whole from `at` on; where the next message begins."""
    while len(trial.crossed) - at >= wall.PREFIX_BYTES:
        try:
            end = at + wall.PREFIX_BYTES + wall.body_length(trial.crossed[at : at + wall.PREFIX_BYTES])
            if len(trial.crossed) < end:
                return at
            trial.messages.append(wall.decode_from_vision(trial.crossed[at + wall.PREFIX_BYTES : end]))
        except WallError as error:
            trial.refused = str(error)
            return len(trial.crossed)
        at = end
    return at
