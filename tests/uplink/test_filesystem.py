"""The real card: promises of the port on a real file system, kill -9, a full one, a read-only one, and who holds the lock."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.errors import StorageError
from firmware.uplink.filesystem import NoFolder, RealFolder, open_folder
from firmware.uplink.ports import NoRoomError, NothingWrittenError
from firmware.uplink.segment import LaneLimits
from firmware.uplink.spool import Spool, SpoolLimits
from tests.uplink import spool_writer
from tests.uplink.crash_model import offered
from tests.uplink.spool_writer import kill_cycles, opened

CYCLES = 200


def closed(spool: Spool, folder: RealFolder) -> None:
    spool.close()
    folder.close()


def test_the_port_keeps_its_promises(tmp_path: Path) -> None:
    """Open, write in place, read beyond the end, rename, remove twice, sync."""
    folder = open_folder(tmp_path / "spool")
    file = folder.open("a")
    file.write_at(3, b"xyz")
    file.sync()
    file.forget()
    file.close()
    assert folder.read("a", 0, 100) == b"\0\0\0xyz"
    assert folder.read("a", 4, 1) == b"y"
    assert folder.read("a", 100, 1) == b""
    folder.rename("a", "b")
    folder.sync()
    assert sorted(folder.names()) == ["LOCK", "b"]
    folder.remove("b")
    folder.remove("b")
    assert folder.names() == ["LOCK"]
    assert folder.bytes_free() > 0
    with pytest.raises(StorageError, match="No such file"):
        folder.read("b", 0, 1)
    with pytest.raises(StorageError):
        folder.rename("b", "c")


def test_there_is_one_writer(tmp_path: Path) -> None:
    """A second opener is told so; after `close`, or the end of the process, it may."""
    folder = open_folder(tmp_path / "spool")
    assert isinstance(folder, RealFolder)
    with pytest.raises(StorageError, match="another process"):
        open_folder(tmp_path / "spool")
    folder.close()
    open_folder(tmp_path / "spool")


def test_the_folder_is_nobody_elses(tmp_path: Path) -> None:
    """0700 and 0600."""
    spool, folder = opened(tmp_path / "spool")
    closed(spool, folder)
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "spool").iterdir()} == {0o600}


def test_segments_are_really_filled(tmp_path: Path) -> None:
    """No holes: each byte of a segment is on the card before it is used."""
    spool, folder = opened(tmp_path / "spool")
    closed(spool, folder)
    for path in (tmp_path / "spool").glob("*.seg"):
        assert path.stat().st_blocks * 512 >= path.stat().st_size == 64 * 1024


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_200_kills_lose_nothing_confirmed(tmp_path: Path) -> None:
    """kill -9 of a real writer on a real file system: all that was confirmed is there, in the bytes it had."""
    tally = kill_cycles(tmp_path / "spool", CYCLES)
    assert (tally["cycles"], tally["lost"], tally["bad_segments"]) == (CYCLES, 0, 0)
    assert tally["confirmed"] > CYCLES


@pytest.fixture
def small_card(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    path = tmp_path / "card"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"may not mount: {mounted.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_card_loses_detail_not_totals(small_card: Path) -> None:
    """ENOSPC for real: batches are evicted with gaps, every total is there, nothing raises."""
    spool, folder = opened(small_card / "spool", SpoolLimits(LaneLimits(1 << 20, 64), LaneLimits(256 << 10, 32), 0))
    totals = []
    for index in range(9000):
        spool.put("batches", lambda place, index=index: index.to_bytes(4, "big") * 250)  # type: ignore[misc]
        if index % 30 == 0:
            totals.append(b"total" + index.to_bytes(4, "big") * 120)
            spool.put("keep", lambda place, total=totals[-1]: total)  # type: ignore[misc]
        spool.flush()
    health = spool.health()
    assert (health.storage, health.full) == ("durable", True)
    found = set(offered(spool).values())
    assert set(totals) <= found
    assert sum(envelope[:3] == b"gap" for envelope in found) > 0
    closed(spool, folder)
    again, folder = opened(small_card / "spool", SpoolLimits(LaneLimits(1 << 20, 64), LaneLimits(256 << 10, 32), 0))
    assert set(totals) <= set(offered(again).values())
    closed(again, folder)


def test_a_card_that_turns_read_only_is_survived(small_card: Path) -> None:
    """Remounted read-only in the middle: volatile, new stream, all that was durable still offered, and a start works."""
    spool, folder = opened(small_card / "spool")
    spool.put("batches", lambda place: b"before")
    spool.flush()
    remount = ["mount", "-o", "remount,ro", str(small_card)]
    if subprocess.run(remount, capture_output=True, check=False).returncode:
        spool.close()
        folder.close()
        lazily = subprocess.run(["mount", "-o", "remount,ro,bind", str(small_card)], capture_output=True, check=False)
        if lazily.returncode:
            pytest.skip("may not remount while files are open")
        spool, folder = opened(small_card / "spool")
    spool.put("batches", lambda place: b"after")
    spool.flush()
    assert spool.health().storage == "volatile"
    assert {b"before", b"after"} <= set(offered(spool).values())
    closed(spool, folder)
    again, folder = opened(small_card / "spool")
    assert b"before" in offered(again).values()
    assert again.health().storage == "volatile"
    closed(again, folder)


def test_a_folder_that_cannot_be_had_refuses_everything(tmp_path: Path) -> None:
    """A file where the folder should be: no card, and the spool lives in memory."""
    (tmp_path / "spool").write_bytes(b"")
    folder = open_folder(tmp_path / "spool")
    assert isinstance(folder, NoFolder)
    for act in (folder.names, folder.bytes_free, folder.sync, lambda: folder.open("a"), lambda: folder.read("a", 0, 1)):
        with pytest.raises(NothingWrittenError, match="File exists"):
            act()
    for act in (lambda: folder.rename("a", "b"), lambda: folder.remove("a")):
        with pytest.raises(NothingWrittenError):
            act()
    spool = Spool.open(folder, spool_writer.LIMITS, spool_writer.OWNER, os.urandom, spool_writer.gap)
    spool.put("batches", lambda place: b"x")
    assert list(offered(spool).values()) == [b"x"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, NoRoomError), (errno.EDQUOT, NoRoomError), (errno.EROFS, NothingWrittenError), (errno.EIO, StorageError)],
)
def test_errors_say_what_may_be_on_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StorageError]) -> None:
    """Full, read-only, or anything else; the system's words are in the message."""
    file = open_folder(tmp_path / "spool").open("a")

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(kind, match=os.strerror(number)) as caught:
        file.write_at(0, b"x")
    assert type(caught.value) is kind


def test_garbage_of_every_kind_in_the_folder(tmp_path: Path) -> None:
    """Directories, links, sockets' names, unreadable and huge files under our names: the start succeeds and envelopes are kept."""
    path = tmp_path / "spool"
    path.mkdir()
    (path / "batches-00000001.seg").mkdir()
    (path / "batches-00000002.seg").symlink_to("nowhere")
    (path / "batches-00000003.seg").symlink_to(path)
    (path / "keep-00000001.seg").write_bytes(os.urandom(300_000))
    (path / "keep-00000002.tmp").mkdir()
    os.mkfifo(path / "other")
    spool, folder = opened(path)
    spool.put("batches", lambda place: b"x")
    spool.put("keep", lambda place: b"y")
    spool.flush()
    assert {b"x", b"y"} <= set(offered(spool).values())
    closed(spool, folder)
    again, folder = opened(path)
    assert {b"x", b"y"} <= set(offered(again).values())
    assert (spool.health().storage, again.health().storage) == ("durable", "durable")
    closed(again, folder)
