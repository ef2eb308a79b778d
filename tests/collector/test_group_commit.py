"""Group commit: many answers, few commits; one bad request harms nobody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector import group_commit
from collector.database import Database, open_database
from collector.frames import Asked, Frames, Round, Told, frame
from collector.group_commit import GroupCommit
from collector.receive import Checked, Opening, Post, check
from firmware.errors import StorageError
from firmware.uplink.exchange import read_answer, read_request, request_hash, write_request
from tests.collector.devices import OPENINGS, Device, window

RECEIPT = Ed25519PrivateKey.from_private_bytes(bytes(32))
DEVICE = Device("door")


def requests(path: Path, count: int) -> list[bytes]:
    """As many requests of one envelope, and a database that knows the device."""
    device, database = Device("door"), open_database(str(path))
    device.enrol(database)
    database.close()
    return [write_request([device.batch(window(index))]) for index in range(count)]


def rounds(path: Path, made: Sequence[bytes]) -> list[Round]:
    """What is said of requests that all wait when the writer begins."""
    ours, theirs = socket.socketpair()
    database = open_database(str(path))
    asked = [Asked(number, check(DEVICE.device, body, DEVICE.key.public_key())) for number, body in enumerate(made)]

    def ask() -> None:
        ours.sendall(b"".join(map(frame, asked)))
        ours.shutdown(socket.SHUT_WR)

    asking = threading.Thread(target=ask)
    said = bytearray()

    def listen() -> None:
        while received := ours.recv(65536):
            said.extend(received)

    listening = threading.Thread(target=listen)
    with ours, theirs:
        for thread in (asking, listening):
            thread.start()
        asking.join(0.2)
        GroupCommit(theirs, database, RECEIPT, OPENINGS, lambda: 1).run()
        theirs.close()
        for thread in (asking, listening):
            thread.join()
    database.close()
    return [msgspec.msgpack.decode(message, type=Round) for message in Frames().feed(bytes(said))]


def told(said: Sequence[Round]) -> list[Told]:
    """By number."""
    return sorted((each for one in said for each in one.told), key=lambda each: each.number)


def test_what_waits_together_is_committed_together(tmp_path: Path) -> None:
    """60 requests that waited for the writer: one or two commits, and each has its own signed answer."""
    made = requests(tmp_path / "books.db", 60)
    said = rounds(tmp_path / "books.db", made)
    for body, each in zip(made, told(said), strict=True):
        assert read_answer(each.signed, RECEIPT.public_key(), body, DEVICE.device).acknowledged
    assert sum(one.commits for one in said) <= 2


def test_a_bad_request_does_not_take_others_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction fails as a whole, then each is tried alone: one refusal, all others durable."""
    made = requests(tmp_path / "books.db", 10)
    commit, bad = group_commit.commit, request_hash(made[5])

    def fail_on_the_fifth(database: Database, together: Sequence[Post], now_ms: int) -> object:
        if any(post.request == bad for post in together):
            raise StorageError("the fifth")
        return commit(database, together, now_ms)

    monkeypatch.setattr(group_commit, "commit", fail_on_the_fifth)
    said = rounds(tmp_path / "books.db", made)
    assert [(each.fault, bool(each.signed)) for each in told(said)] == [("the fifth", False) if n == 5 else ("", True) for n in range(10)]
    assert sum(one.commits for one in said) == 9
    database = open_database(str(tmp_path / "books.db"))
    assert database.rows("SELECT count(*) FROM ledger") == [(9,)]
    database.close()


def test_what_did_not_verify_is_not_opened_and_stays_named(tmp_path: Path) -> None:
    """One envelope of another device among good ones: set aside, named in the answer, and entered nowhere."""
    made = requests(tmp_path / "books.db", 2)
    mixed = write_request([Device("stranger").batch(window(0)), *read_request(made[1])])
    said = told(rounds(tmp_path / "books.db", [made[0], mixed]))
    assert [(each.kept, each.spoiled) for each in said] == [(1, 0), (1, 1)]
    answer = read_answer(said[1].signed, RECEIPT.public_key(), mixed, DEVICE.device)
    assert [(refused.index, "an envelope of device" in refused.reason) for refused in answer.refused] == [(0, True)]
    database = open_database(str(tmp_path / "books.db"))
    assert database.rows("SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM quarantine)") == [(2, 1)]
    database.close()


def test_large_requests_go_into_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group ends at its number of requests or of bytes, whatever comes first."""
    made = requests(tmp_path / "books.db", 12)
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "TOGETHER_BYTES_MAX", 3 * len(made[0]) - 24)  # of envelopes, without the frames around them
        assert sum(one.commits for one in rounds(tmp_path / "books.db", made)) == 4
    monkeypatch.setattr(group_commit, "TOGETHER_MAX", 5)
    assert [(len(one.told), one.commits) for one in rounds(tmp_path / "books.db", made)] == [(4, 1), (1, 0), (4, 1), (1, 0), (2, 1)]


def test_what_nobody_foresaw_reaches_who_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is logged with its place, holds nobody up, and the writer goes on."""
    made = requests(tmp_path / "books.db", 3)
    open_checked, bad = group_commit.open_checked, request_hash(made[1])

    def fail_on_the_second(checked: Checked, opening: Opening | None) -> Post:
        if checked.request == bad:
            raise RuntimeError("a fault of ours")
        return open_checked(checked, opening)

    monkeypatch.setattr(group_commit, "open_checked", fail_on_the_second)
    said = told(rounds(tmp_path / "books.db", made))
    assert [each.fault for each in said] == ["", "a fault of ours", ""]
    assert "fail_on_the_second" in caplog.text
