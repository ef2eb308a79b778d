"""The vision process in reserve: begun once, taken or let go, and told everything but to open the camera."""

from __future__ import annotations

import asyncio
import socket

import pytest

from firmware import standby, wall
from firmware.lives import Begin
from firmware.standby import Standby
from tests.waiting import until

ORDER = wall.Configure("", "t", "shop")


class Reserve:
    """A life in this process: what it is told can be read at `theirs`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, theirs: socket.socket) -> None:
        self.reader, self.writer, self.theirs = reader, writer, theirs
        self.pid, self.ended = 1, False

    async def end(self, patience_s: float) -> str | None:
        del patience_s
        self.ended = True
        self.writer.close()
        self.theirs.close()
        return None


def begins(born: list[Reserve]) -> Begin:
    """Begins reserves, and keeps them in a list."""

    async def begin(network: bool) -> Reserve:
        del network
        ours, theirs = socket.socketpair()
        theirs.settimeout(5.0)
        born.append(Reserve(*await asyncio.open_connection(sock=ours), theirs))
        return born[-1]

    return begin


async def test_who_stands_by_knows_its_camera_and_does_not_open_it() -> None:
    """It was told what to watch; `Open` is for the one who takes it to say."""
    born: list[Reserve] = []
    reserve = Standby(begins(born))
    reserve.call(ORDER, network=False, now_s=0.0)
    life = await reserve.take()
    assert life is born[0]
    assert not reserve.waits
    assert await asyncio.to_thread(born[0].theirs.recv, 65536) == wall.encode(ORDER)
    await life.end(0.0)


async def test_one_at_a_time_and_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that doubts itself at each breath starts one process a minute, not one a second."""
    monkeypatch.setattr(standby, "EVERY_S", 60.0)
    born: list[Reserve] = []
    reserve = Standby(begins(born))
    for now_s in (0.0, 0.1, 0.2):
        reserve.call(ORDER, network=False, now_s=now_s)
    await until(lambda: len(born) == 1)
    await reserve.dismiss()
    assert born[0].ended
    reserve.call(ORDER, network=False, now_s=59.0)
    assert not reserve.waits
    reserve.call(ORDER, network=False, now_s=60.0)
    assert reserve.waits
    await reserve.dismiss()


async def test_one_that_died_is_not_taken() -> None:
    """The caller then begins one as if nobody had stood by."""
    born: list[Reserve] = []
    reserve = Standby(begins(born))
    reserve.call(ORDER, network=False, now_s=0.0)
    await until(lambda: len(born) == 1)
    await asyncio.sleep(0.05)
    born[0].theirs.close()
    await asyncio.sleep(0.05)
    assert await reserve.take() is None
    assert born[0].ended


async def test_one_that_could_not_be_begun_is_nobody() -> None:
    """No process could be made."""

    async def fails(network: bool) -> Reserve:
        raise OSError("no memory")

    reserve = Standby(fails)
    reserve.call(ORDER, network=False, now_s=0.0)
    assert await reserve.take() is None


async def test_under_a_service_manager_nobody_stands_by() -> None:
    """Processes are its own there."""
    reserve = Standby(None)
    reserve.call(ORDER, network=False, now_s=0.0)
    assert not reserve.waits
    assert await reserve.take() is None
