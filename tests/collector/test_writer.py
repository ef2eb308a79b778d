"""The face's end: each gets what became of its own request; too many are told so; a writer that dies is no silence."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from collector import writer as writer_module
from collector.frames import Asked, Frames, Round, Start, Started, Told, frame
from collector.receive import Checked
from collector.writer import Writer
from firmware.errors import DataError, StorageError


class FarEnd:
    """Plays the writing process."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.frames = Frames()

    async def asked(self, count: int) -> list[Asked]:
        made: list[Asked] = []
        while len(made) < count:
            received = await asyncio.get_running_loop().sock_recv(self.connection, 65536)
            made += [msgspec.msgpack.decode(message, type=Asked) for message in self.frames.feed(received)]
        return made

    async def say(self, *told: Told, commits: int = 1) -> None:
        await asyncio.get_running_loop().sock_sendall(self.connection, frame(Round(told, commits)))


@asynccontextmanager
async def connected(lost: list[str]) -> AsyncIterator[tuple[Writer, FarEnd]]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    writer = Writer(lambda: lost.append("lost"))
    await writer.connect(ours)
    await asyncio.get_running_loop().sock_sendall(theirs, frame(Started()))
    with theirs:
        yield writer, FarEnd(theirs)
        await writer.stop()


def take(writer: Writer, body: bytes) -> asyncio.Future[Told]:
    return asyncio.ensure_future(writer.take(request(body)))


def request(body: bytes) -> Checked:
    return Checked(bytes(16), bytes(32), (body,), ())


async def test_each_gets_its_own(tmp_path: Path) -> None:
    """Answers in another order than the questions, in groups, some of them refusals."""
    async with connected([]) as (writer, far):
        waiting = [take(writer, bytes([number])) for number in range(5)]
        asked = await far.asked(5)
        assert [each.checked for each in asked] == [request(bytes([number])) for number in range(5)]
        assert writer.waiting == 5
        numbers = [each.number for each in asked]
        await far.say(Told(numbers[3], b"three"), Told(numbers[1], fault="busy"))
        await far.say(Told(numbers[0], b"zero"), Told(numbers[2], fault="disk"), Told(numbers[4], b"four"), commits=2)
        said = await asyncio.gather(*waiting, return_exceptions=True)
        assert [each.signed if isinstance(each, Told) else type(each) for each in said] == [
            b"zero",
            StorageError,
            StorageError,
            b"three",
            b"four",
        ]
        assert (writer.waiting, writer.commits, writer.posts) == (0, 3, 3)


async def test_more_than_may_wait_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy, at once, instead of memory without end: by the number of requests, and by their bytes; there is room again afterwards."""
    for name, value in (("WAITING_MAX", 4), ("WAITING_BYTES_MAX", 49)):
        with monkeypatch.context() as patch:
            patch.setattr(writer_module, name, value)
            async with connected([]) as (writer, far):
                waiting = [take(writer, bytes(10)) for _ in range(10)]
                for asked in await far.asked(4):
                    await far.say(Told(asked.number, b"done"))
                said = await asyncio.gather(*waiting, return_exceptions=True)
                assert [isinstance(each, StorageError) for each in said] == [False] * 4 + [True] * 6
                again = take(writer, bytes(10))
                await far.say(Told((await far.asked(1))[0].number, b"done"))
                assert (await again).signed == b"done"


async def test_a_device_that_hangs_up_disturbs_nobody() -> None:
    """Its answer goes nowhere; the next one is the next one's."""
    async with connected([]) as (writer, far):
        first, second = take(writer, b"1"), take(writer, b"2")
        asked = await far.asked(2)
        first.cancel()
        await far.say(*(Told(each.number, each.checked.envelopes[0]) for each in asked))
        assert (await second).signed == b"2"
        assert writer.waiting == 0


async def test_a_writer_that_dies_is_told_and_known() -> None:
    """Who waits gets an error, who comes later, too, and the collector hears of it; a writer that was asked to end is no loss."""
    lost: list[str] = []
    async with connected(lost) as (writer, far):
        waiting = take(writer, b"1")
        await far.asked(1)
        far.connection.close()
        with pytest.raises(StorageError):
            await waiting
        with pytest.raises(StorageError):
            await writer.take(request(b"2"))
        assert lost == ["lost"]
        assert writer.lost
    lost.clear()
    async with connected(lost) as (writer, far):
        pass
    assert lost == []
    assert not writer.lost


async def test_what_keeps_the_process_from_working_is_said(tmp_path: Path) -> None:
    """A site without its keys: the error that the writing process met, as if it had been met here."""
    writer = Writer(lambda: None)
    with pytest.raises(DataError, match="receipt"):
        await writer.start(Start(str(tmp_path), str(tmp_path / "books.db"), True, None))
    assert not writer.lost
