"""Connections: how many, from whom, and for how long one may stay without asking anything.

A wrapper around aiohttp's protocol, because that waits for ever for the end of a request's headers: two hundred
connections that send a byte a minute (slowloris) would hold two hundred buffers. Rules: at most CONNECTIONS_MAX together and
PEER_MAX from one address; who has not finished asking within ASK_S_MAX is cut; an answer under way is left alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final, cast

from aiohttp import web

CONNECTIONS_MAX: Final = 64  # a browser opens six; ten people in a shop
PEER_MAX: Final = 24
ASK_S_MAX: Final = 10.0  # for TLS, and again for the headers of each request


class Doors:
    """All connections of one server."""

    def __init__(self) -> None:
        self._open: dict[asyncio.BaseTransport, Door] = {}
        self._peers: Counter[str] = Counter()

    def enter(self, door: Door, transport: asyncio.BaseTransport, peer: str) -> bool:
        """Whether one more may come in."""
        if len(self._open) >= CONNECTIONS_MAX or self._peers[peer] >= PEER_MAX:
            return False
        self._open[transport] = door
        self._peers[peer] += 1
        return True

    def leave(self, transport: asyncio.BaseTransport, peer: str) -> None:
        """It is gone."""
        if self._open.pop(transport, None) is not None:
            self._peers[peer] -= 1
            if self._peers[peer] <= 0:
                del self._peers[peer]

    def answering(self, transport: asyncio.BaseTransport | None, *, busy: bool) -> None:
        """A request of this connection is being answered, or was."""
        door = self._open.get(transport) if transport is not None else None
        if door is not None:
            door.answering(busy=busy)

    def __len__(self) -> int:
        return len(self._open)


class Door(asyncio.Protocol):
    """One connection: aiohttp's protocol with a clock beside it."""

    def __init__(self, inner: web.RequestHandler, doors: Doors) -> None:
        self._inner, self._doors = inner, doors
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._doors.enter(self, transport, self._peer):
            self._transport.abort()
            self._transport = None
            return
        self._inner.connection_made(transport)
        self.answering(busy=False)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._inner.data_received(data)

    def eof_received(self) -> None:
        if self._transport is not None:
            self._inner.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_clock()
        if self._transport is not None:
            self._doors.leave(self._transport, self._peer)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def answering(self, *, busy: bool) -> None:
        """Stop the clock while an answer is made; start it anew afterwards."""
        self._stop_clock()
        if not busy and self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(ASK_S_MAX, self._transport.abort)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
