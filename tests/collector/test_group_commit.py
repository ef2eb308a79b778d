"""Group commit: many answers, few commits; one bad request harms nobody; too many are told so."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from collector import group_commit
from collector.database import Database, open_database
from collector.group_commit import GroupCommit
from collector.receive import Post, prepare
from firmware.errors import StorageError
from firmware.uplink.exchange import write_request
from tests.collector.devices import OPENINGS, Device, window


def posts(path: Path, count: int) -> list[Post]:
    device, database = Device("door"), open_database(str(path))
    device.enrol(database)
    database.close()
    key = device.key.public_key()
    return [prepare(device.device, write_request([device.batch(window(index))]), key, OPENINGS) for index in range(count)]


def committed(path: Path, made: list[Post], held: threading.Event | None = None) -> tuple[GroupCommit, list[object]]:
    def connect() -> Database:
        if held is not None:
            held.wait(30)
        return open_database(str(path))

    commits = GroupCommit(connect, lambda: 1)

    async def story() -> list[object]:
        commits.start()
        waiting = [asyncio.ensure_future(commits.commit(post)) for post in made]
        await asyncio.sleep(0.05)
        if held is not None:
            held.set()
        said: list[object] = await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, commits.stop)
        return said

    return commits, asyncio.run(story())


def test_what_waits_together_is_committed_together(tmp_path: Path) -> None:
    """60 requests that waited for the writer: each answered, one or two commits."""
    commits, said = committed(tmp_path / "books.db", posts(tmp_path / "books.db", 60), threading.Event())
    assert [answer.acknowledged[0].through for answer in said] == list(range(60))  # type: ignore[attr-defined]
    assert commits.posts == 60
    assert commits.commits <= 2


def test_a_bad_request_does_not_take_others_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction fails as a whole, then each is tried alone: one refusal, all others durable."""
    made = posts(tmp_path / "books.db", 10)
    apply = group_commit.commit

    def fail_on_the_fifth(database: Database, together: list[Post], now_ms: int) -> object:
        answers = apply(database, together, now_ms) if made[5] not in together else None
        if answers is None:
            raise StorageError("the fifth")
        return answers

    monkeypatch.setattr(group_commit, "commit", fail_on_the_fifth)
    _, said = committed(tmp_path / "books.db", made, threading.Event())
    assert [isinstance(answer, StorageError) for answer in said] == [index == 5 for index in range(10)]
    database = open_database(str(tmp_path / "books.db"))
    assert database.rows("SELECT count(*) FROM ledger") == [(9,)]
    database.close()


def test_more_than_may_wait_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy, at once, instead of memory without end."""
    monkeypatch.setattr(group_commit, "WAITING_MAX", 4)
    _, said = committed(tmp_path / "books.db", posts(tmp_path / "books.db", 10), threading.Event())
    assert sum(isinstance(answer, StorageError) for answer in said) == 6
