"""Bytes that reach the block device per batch: our spool beside plain append and SQLite, on ext4 on a loop device.

Needs root, losetup, mkfs.ext4 and mount; `available` says so. Counted is everything between two syncs of the whole file
system, from the kernel's own statistics (sectors written, /sys/block/*/stat), metadata and zero-fill included.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware.uplink.filesystem import open_folder
from firmware.uplink.spool import Spool, SpoolLimits

BATCH = bytes(range(256)) * 3 + bytes(32)  # 800 bytes
BATCHES = 1000
_DEVICE_BYTES = 96 * 1024 * 1024
_SECTOR = 512


def available() -> str:
    """Why it cannot be measured here, or nothing."""
    if os.geteuid() != 0:
        return "loop devices and mounts need root"
    missing = [tool for tool in ("losetup", "mkfs.ext4", "mount", "umount") if shutil.which(tool) is None]
    return f"missing: {', '.join(missing)}" if missing else ""


def spooled(folder: Path, count: int) -> None:
    """Our spool, a flush a batch."""
    spool = Spool.open(open_folder(folder / "spool"), SpoolLimits(bytes_free_min=0), b"owner-of-16-byte", os.urandom, lambda *_: b"gap")
    for _ in range(count):
        spool.put("batches", lambda _: BATCH)
        spool.flush()
    assert spool.health().spooled == count
    spool.close()


def appended(folder: Path, count: int) -> None:
    """A file that grows, fdatasync a batch."""
    with (folder / "log").open("ab", buffering=0) as file:
        for _ in range(count):
            file.write(BATCH)
            os.fdatasync(file.fileno())


def in_sqlite(folder: Path, count: int) -> None:
    """SQLite in WAL mode, synchronous FULL, a transaction a batch."""
    database = sqlite3.connect(folder / "queue.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    for _ in range(count):
        database.execute("INSERT INTO queue (body) VALUES (?)", (BATCH,))
    database.close()


STRATEGIES: dict[str, Callable[[Path, int], None]] = {"spool": spooled, "append": appended, "sqlite_wal_full": in_sqlite}


def bytes_per_batch(strategy: str, count: int = BATCHES) -> float:
    """Bytes written to the device for each batch of 800 bytes.

    Raises:
        RuntimeError: it cannot be measured here; see `available`.
    """
    with _card() as (device, folder):
        os.sync()
        before = _written(device)
        STRATEGIES[strategy](folder, count)
        os.sync()
        return (_written(device) - before) / count


def _written(device: str) -> int:
    return int(Path(f"/sys/block/{Path(device).name}/stat").read_text().split()[6]) * _SECTOR


@contextmanager
def _card() -> Iterator[tuple[str, Path]]:
    """A fresh ext4 of 96 MiB on a loop device, mounted."""
    with tempfile.TemporaryDirectory() as place:
        image, folder = Path(place, "image"), Path(place, "card")
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(_DEVICE_BYTES)
        _tool("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        device = _tool("losetup", "--find", "--show", str(image))
        try:
            _tool("mount", "-o", "noatime", device, str(folder))
            try:
                yield device, folder
            finally:
                _tool("umount", "-l", str(folder))
        finally:
            _tool("losetup", "--detach", device)


def _tool(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()
