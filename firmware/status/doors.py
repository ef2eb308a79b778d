"""Connections: how many, from whom, and for how long one may stay without asking anything.

aiohttp waits for ever for the end of a request's headers, and asyncio takes a quarter of a megabyte for a TLS connection
before a byte of it has come: two hundred slow strangers (slowloris) would take the memory of a small board. So connections
are counted as they arrive, before TLS: at most CONNECTIONS_MAX together and PEER_MAX from one address; who has not finished
TLS, or then the headers of a request, within ASK_S_MAX is cut. An answer under way is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from aiohttp import web

CONNECTIONS_MAX: Final = 64  # a browser opens six; ten people in a shop
PEER_MAX: Final = 24
ASK_S_MAX: Final = 10.0  # for TLS, and again for the headers of each request

MakeInner = Callable[[], web.RequestHandler]


class Doors:
    """All connections of one server."""

    def __init__(self, make_inner: MakeInner, context: ssl.SSLContext) -> None:
        """`make_inner` makes aiohttp's protocol for one connection."""
        self._make_inner, self._context = make_inner, context
        self._busy: dict[asyncio.BaseTransport, Door] = {}
        self._peers: Counter[str] = Counter()
        self._opening: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return self._peers.total()

    def porch(self) -> asyncio.Protocol:
        """What a socket talks to first."""
        return Porch(self)

    def enter(self, peer: str) -> bool:
        """Whether one more may come in."""
        if len(self) >= CONNECTIONS_MAX or self._peers[peer] >= PEER_MAX:
            return False
        self._peers[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        """It is gone."""
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]

    def open(self, transport: asyncio.Transport, peer: str) -> None:
        """Speak TLS, then let aiohttp answer."""
        task = asyncio.get_running_loop().create_task(self._open(transport, peer))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def opened(self, door: Door, transport: asyncio.BaseTransport) -> None:
        """A connection whose TLS stands."""
        self._busy[transport] = door

    def closed(self, transport: asyncio.BaseTransport) -> None:
        """It ended."""
        self._busy.pop(transport, None)

    def answering(self, transport: asyncio.BaseTransport | None, *, busy: bool) -> None:
        """A request of this connection is being answered, or was."""
        door = self._busy.get(transport) if transport is not None else None
        if door is not None:
            door.answering(busy=busy)

    async def _open(self, transport: asyncio.Transport, peer: str) -> None:
        door = Door(self._make_inner(), self, peer)
        loop = asyncio.get_running_loop()
        try:
            tls = await loop.start_tls(transport, door, self._context, server_side=True, ssl_handshake_timeout=ASK_S_MAX)
        except (OSError, TimeoutError, ssl.SSLError):
            transport.abort()
            self.leave(peer)
            return
        if tls is None or tls.is_closing():
            self.leave(peer)
            return
        door.connection_made(tls)


class Porch(asyncio.Protocol):
    """A connection before TLS: counted, and nothing read."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tcp = cast("asyncio.Transport", transport)
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        if self._doors.enter(peer):
            tcp.pause_reading()  # nothing before TLS has its own protocol
            self._doors.open(tcp, peer)
        else:
            tcp.abort()


class Door(asyncio.Protocol):
    """One connection: aiohttp's protocol with a clock beside it."""

    def __init__(self, inner: web.RequestHandler, doors: Doors, peer: str) -> None:
        self._inner, self._doors, self._peer = inner, doors, peer
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._doors.opened(self, transport)
        self._inner.connection_made(transport)
        self.answering(busy=False)
        for each in self._early:  # what came while TLS was handed over
            self._inner.data_received(each)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        else:
            self._inner.data_received(data)

    def eof_received(self) -> None:
        if self._transport is not None:
            self._inner.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_clock()
        if self._transport is not None:
            self._doors.closed(self._transport)
            self._doors.leave(self._peer)
            self._inner.connection_lost(exc)
            self._transport = None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def answering(self, *, busy: bool) -> None:
        """Stop the clock while an answer is made; start it anew afterwards."""
        self._stop_clock()
        if not busy and self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(ASK_S_MAX, self._cut)

    def _cut(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(ConnectionError):
                self._transport.abort()

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
