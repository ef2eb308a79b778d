"""systemd's notification datagrams, against a real socket."""

from __future__ import annotations

import socket
from pathlib import Path

from firmware.sd_notify import Notifier


def test_fields_become_lines(tmp_path: Path) -> None:
    """KEY=VALUE a line, and a line break in a value cannot forge another key."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        Notifier(address).say(READY=1, STATUS="counting\nWATCHDOG=1")
        assert manager.recv(1000) == b"READY=1\nSTATUS=counting WATCHDOG=1"


def test_abstract_addresses_work() -> None:
    """A leading @ is the abstract namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0passerby-test-notify")
        Notifier("@passerby-test-notify").say(WATCHDOG=1)
        assert manager.recv(1000) == b"WATCHDOG=1"


def test_nobody_listens_and_nothing_happens(tmp_path: Path) -> None:
    """Without a manager, or with one that is gone, saying is silent."""
    Notifier("").say(READY=1)
    Notifier(str(tmp_path / "gone")).say(READY=1)
