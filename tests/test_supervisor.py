"""One camera's lives, with made-up processes: who stands by takes over, and is sent away when pictures come again."""

from __future__ import annotations

import asyncio
import socket

import pytest

from firmware import sight, standby, supervisor, wall
from firmware.health import LiveNumbers, VisionHealth
from firmware.lives import Begin
from firmware.supervisor import Order, Supervisor
from tests.waiting import until

ORDER = Order(wall.Configure("", "t", "shop"))


class Hearing:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.heard_messages = 0
        self.reasons: list[str] = []

    async def heard(self, message: wall.FromVision) -> None:
        del message
        self.heard_messages += 1

    async def fell(self, reason: str) -> None:
        self.reasons.append(reason)

    def inside(self) -> int:
        return 7


class Vision:
    """The other end of a life: says what it is told to, and notes what it hears."""

    def __init__(self, ours: socket.socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ours, self.reader, self.writer, self.pid = ours, reader, writer, 1
        self.ended = False
        ours.setblocking(False)

    def beat(self, state: str, frames: int) -> None:
        self.ours.send(wall.encode(wall.Alive(VisionHealth("shop", frames, state, frames=frames), LiveNumbers())))

    def was_told(self) -> bytes:
        try:
            return self.ours.recv(65536)
        except BlockingIOError:
            return b""

    async def end(self, patience_s: float) -> str | None:
        del patience_s
        self.ended = True
        self.writer.close()
        self.ours.close()
        return "it was ended"


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> list[Vision]:
    """A world twenty times as fast, in which a supervisor's children are made up; each that was begun."""
    born: list[Vision] = []

    async def begin(network: bool) -> Vision:
        del network
        daemons, visions = socket.socketpair()
        born.append(Vision(visions, *await asyncio.open_connection(sock=daemons)))
        return born[-1]

    monkeypatch.setattr(supervisor, "_child", begin)
    for name, seconds in (("DOUBT_S", 0.2), ("UNSEEN_S_MAX", 0.6), ("SILENT_S_MAX", 0.8)):
        monkeypatch.setattr(sight, name, seconds)
    monkeypatch.setattr(standby, "EVERY_S", 0.0)
    return born


async def ended(one: Supervisor, running: asyncio.Task[None], lives: list[Vision]) -> None:
    """Stop it; the life that runs says its last words."""
    stopping = asyncio.create_task(one.stop())
    await asyncio.sleep(0.05)
    lives[-1].beat("ended", 99)
    lives[-1].ours.shutdown(socket.SHUT_WR)
    await asyncio.wait_for(asyncio.gather(stopping, running), 5.0)


async def test_who_stands_by_takes_over(lives: list[Vision]) -> None:
    """In doubt a second process is configured; at the verdict the first is ended, and only then the second may open the camera."""
    hearing = Hearing()
    one = Supervisor(ORDER, hearing)
    running = asyncio.create_task(one.run())
    await until(lambda: len(lives) == 1)
    await until(lambda: lives[0].was_told() == wall.encode(ORDER.configure) + wall.encode(wall.Open(7)))
    lives[0].beat("running", 5)
    await until(lambda: len(lives) == 2)
    assert not lives[0].ended
    await asyncio.sleep(0.05)
    assert lives[1].was_told() == wall.encode(ORDER.configure)
    await until(lambda: lives[0].ended)
    lives[1].beat("starting", 0)
    told = b""
    while not told:
        await asyncio.sleep(0.01)
        told = lives[1].was_told()
    assert told == wall.encode(wall.Open(7))
    lives[1].beat("running", 5)
    assert (hearing.reasons, one.falls, len(lives)) == (["silent for 1 s"], 1, 2)
    await ended(one, running, lives)


async def test_pictures_that_come_again_send_it_away(lives: list[Vision]) -> None:
    """Nothing fell, and nobody is left standing by."""
    hearing = Hearing()
    one = Supervisor(ORDER, hearing)
    running = asyncio.create_task(one.run())
    await until(lambda: len(lives) == 1)
    lives[0].beat("running", 5)
    await until(lambda: len(lives) == 2)
    lives[0].beat("running", 9)
    await until(lambda: lives[1].ended)
    assert (hearing.reasons, one.falls, lives[0].ended) == ([], 0, False)
    lives.pop()
    await ended(one, running, lives)


async def test_a_guest_has_nobody_standing_by(lives: list[Vision]) -> None:
    """Under a service manager a doubt begins nothing."""
    begin: Begin = supervisor._child
    one = Supervisor(ORDER, Hearing(), begin)
    running = asyncio.create_task(one.run())
    await until(lambda: len(lives) == 1)
    lives[0].beat("running", 5)
    await asyncio.sleep(0.4)
    assert len(lives) == 1
    lives[0].beat("running", 9)
    await ended(one, running, lives)
