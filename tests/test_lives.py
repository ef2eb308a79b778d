"""How vision comes to life: by the unix socket, as under systemd, with a real vision process that a test starts and restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.config import parse
from firmware.daemon import Daemon, Source
from firmware.lives import Reception, activated_socket, who
from firmware.sd_notify import Notifier
from tests.test_daemon import CONFIG, Ledger, assert_whole, until


def listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def guest(path: Path, notify: str = "") -> subprocess.Popen[bytes]:
    """What passerby-vision@0.service starts."""
    command = [sys.executable, "-m", "firmware.vision.process", "--socket", str(path)]
    return subprocess.Popen(command, env=os.environ | {"NOTIFY_SOCKET": notify})


async def test_vision_comes_by_the_socket_and_comes_back(tmp_path: Path) -> None:
    """It counts; it is killed and started again by its manager; every window comes once; its watchdog was fed with pictures."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.setblocking(False)
    ledger, text = Ledger(), CONFIG.format(source="sim-boxes:?seed=2&people=30")
    reception = Reception(listening(tmp_path / "wall"), os.getuid())
    daemon = Daemon(Source(parse(text, "t"), text, "t"), SystemClock(), [ledger], Notifier(""), reception.begin)
    running = asyncio.create_task(daemon.run())
    first = guest(tmp_path / "wall", str(tmp_path / "notify"))
    await until(lambda: daemon.cameras()[0].health.frames > 20)
    assert daemon.vision_pids() == (first.pid,)
    first.send_signal(signal.SIGKILL)
    first.wait()
    await until(lambda: daemon.cameras()[0].falls == 1)
    second = guest(tmp_path / "wall")
    await until(lambda: daemon.cameras()[0].health.state == "running")
    await until(lambda: daemon.cameras()[0].health.frames > 20)
    daemon.stop()
    await asyncio.wait_for(running, 30)
    assert second.wait(20) == 0  # it settled and ended by itself
    await reception.close()
    assert_whole(ledger.windows)
    said = manager.recv(4096)
    assert b"READY=1" in said
    assert b"WATCHDOG=1" in said
    manager.close()


async def test_another_user_is_turned_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever may open the socket is still asked for by the kernel; root is nobody special."""
    reception = Reception(listening(tmp_path / "wall"), os.getuid() + 1)
    waiting = asyncio.create_task(reception.begin(False))
    await asyncio.sleep(0.1)
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "wall"))
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert not waiting.done()
    waiting.cancel()
    await reception.close()
    assert f"of user {os.getuid()} was turned away" in capsys.readouterr().err


def test_the_kernel_says_who_it_is() -> None:
    """Process and user of the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert who(ours) == (os.getpid(), os.getuid())


def test_only_one_socket_meant_for_us_is_taken() -> None:
    """Variables that were inherited from somebody else's start are not ours."""
    assert activated_socket({}, 7) is None
    assert activated_socket({"LISTEN_PID": "8", "LISTEN_FDS": "1"}, 7) is None
    assert activated_socket({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 7) is None


def test_without_a_daemon_vision_ends_in_words(tmp_path: Path) -> None:
    """One line and the exit code of the wall; its manager tries again."""
    done = subprocess.run(
        [sys.executable, "-m", "firmware.vision.process", "--socket", str(tmp_path / "none")], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (8, b"")
    assert done.stderr.decode().strip() == f"vision: no daemon at {tmp_path / 'none'}: No such file or directory"
