"""Group commit: many answers, few commits; one bad request harms nobody; too many are told so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector import group_commit
from collector.database import Database, open_database
from collector.group_commit import GroupCommit, Taken
from collector.receive import Post
from firmware.errors import DataError, StorageError
from firmware.uplink.exchange import read_answer, request_hash, write_request
from tests.collector.devices import OPENINGS, Device, window

RECEIPT = Ed25519PrivateKey.from_private_bytes(bytes(32))
DEVICE = Device("door")


def requests(path: Path, count: int) -> list[bytes]:
    device, database = Device("door"), open_database(str(path))
    device.enrol(database)
    database.close()
    return [write_request([device.batch(window(index))]) for index in range(count)]


def taken(path: Path, made: list[bytes]) -> tuple[GroupCommit, list[object]]:
    """What became of requests that all waited for the writer."""
    held = threading.Event()

    def connect() -> Database:
        held.wait(30)
        return open_database(str(path))

    commits = GroupCommit(connect, lambda: 1, RECEIPT, OPENINGS)

    async def story() -> list[object]:
        commits.start()
        waiting = [asyncio.ensure_future(commits.take(DEVICE.device, DEVICE.key.public_key(), body)) for body in made]
        await asyncio.sleep(0.05)
        held.set()
        said: list[object] = await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, commits.stop)
        return said

    return commits, asyncio.run(story())


def test_what_waits_together_is_committed_together(tmp_path: Path) -> None:
    """60 requests that waited for the writer: one or two commits, and each has its own signed answer."""
    made = requests(tmp_path / "books.db", 60)
    commits, said = taken(tmp_path / "books.db", made)
    for body, each in zip(made, said, strict=True):
        assert isinstance(each, Taken)
        assert read_answer(each.signed, RECEIPT.public_key(), body, DEVICE.device) == each.answer
    assert commits.posts == 60
    assert commits.commits <= 2
    assert commits.waiting == 0


def test_a_bad_request_does_not_take_others_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction fails as a whole, then each is tried alone: one refusal, all others durable."""
    made = requests(tmp_path / "books.db", 10)
    commit, bad = group_commit.commit, request_hash(made[5])

    def fail_on_the_fifth(database: Database, together: Sequence[Post], now_ms: int) -> object:
        if any(post.request == bad for post in together):
            raise StorageError("the fifth")
        return commit(database, together, now_ms)

    monkeypatch.setattr(group_commit, "commit", fail_on_the_fifth)
    _, said = taken(tmp_path / "books.db", made)
    assert [isinstance(answer, StorageError) for answer in said] == [index == 5 for index in range(10)]
    database = open_database(str(tmp_path / "books.db"))
    assert database.rows("SELECT count(*) FROM ledger") == [(9,)]
    database.close()


def test_a_request_that_is_none_is_told_so_at_once(tmp_path: Path) -> None:
    """Wrong framing reaches its own sender, and no commit."""
    made = requests(tmp_path / "books.db", 3)
    commits, said = taken(tmp_path / "books.db", [made[0], b"\0\0\0\2xx", *made[1:]])
    assert [isinstance(answer, DataError) for answer in said] == [False, True, False, False]
    assert commits.posts == 3


def test_more_than_may_wait_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy, at once, instead of memory without end: by the number of requests, and by their bytes."""
    made = requests(tmp_path / "books.db", 10)
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "WAITING_MAX", 4)
        _, said = taken(tmp_path / "books.db", made)
    assert sum(isinstance(answer, StorageError) for answer in said) == 6
    monkeypatch.setattr(group_commit, "WAITING_BYTES_MAX", sum(map(len, made[:7])))
    _, said = taken(tmp_path / "books.db", made)
    assert sum(isinstance(answer, StorageError) for answer in said) == 3


def test_large_requests_go_into_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group ends at its number of requests or of bytes, whatever comes first."""
    made = requests(tmp_path / "books.db", 12)
    monkeypatch.setattr(group_commit, "TOGETHER_BYTES_MAX", 3 * len(made[0]))
    commits, said = taken(tmp_path / "books.db", made)
    assert all(isinstance(each, Taken) for each in said)
    assert commits.commits == 4


def test_what_nobody_foresaw_reaches_who_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is not swallowed, holds nobody up for ever, and the writer goes on."""
    made = requests(tmp_path / "books.db", 3)
    prepare = group_commit.prepare

    def fail_on_the_second(device: bytes, body: bytes, *rest: object) -> Post:
        if body == made[1]:
            raise RuntimeError("a fault of ours")
        return prepare(device, body, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(group_commit, "prepare", fail_on_the_second)
    _, said = taken(tmp_path / "books.db", made)
    assert [type(each) for each in said] == [Taken, RuntimeError, Taken]
