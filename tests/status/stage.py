"""A status page with nothing behind it but fakes: real TLS, real sockets, a clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

from firmware.config import LineConfig, ZoneConfig
from firmware.health import LiveLine, LiveNumbers, LiveZone
from firmware.status.access import Sessions
from firmware.status.app import Behind, Place, StatusPage
from firmware.status.certificate import PageKeys, page_keys
from firmware.status.gate import CSRF_HEADER, Guards
from firmware.status.routes import Call, Route, reply
from firmware.status.streams import News
from firmware.status.values import (
    CameraHealth,
    Checked,
    Delivery,
    Done,
    Feet,
    Geometry,
    History,
    Plane,
    Planes,
    PublicStatus,
    Row,
    Sent,
    SentList,
    Status,
)
from tests.fakes import FakeClock

SECRETS = ("4711", "secret door", "secret site", "secret till")
"""What only a viewer may see: a count and the names of the shop."""

DOOR = LineConfig("secret door", (0.2, 0.6), (0.8, 0.6))
TILL = ZoneConfig("secret till", ((0.1, 0.7), (0.4, 0.7), (0.4, 0.95), (0.1, 0.95)), kind="queue", service_side=0)


@dataclass
class FakeDevice:
    """All three ports of the page at once. `names` replaces the names of camera, line and zone."""

    names: tuple[str, str, str] = ("front", "secret door", "secret till")
    watched: list[float] = field(default_factory=list)
    saved: list[Geometry] = field(default_factory=list)
    good: bool = True
    changes: int = 0
    present_s: float = 0.0
    faults: tuple[str, ...] = ()

    def public(self) -> PublicStatus:
        return PublicStatus("running", "1.2.3", "queue times", "events")

    def status(self) -> Status:
        camera, line, zone = self.names
        live = LiveNumbers((LiveLine(line, 4711, 17, 4712, 17),), (LiveZone(zone, "queue", 3, 42_000, 60_000),), 12)
        seen = {"frames_per_s": 9.8, "frames": 100, "dropped_frames": 1, "observed_s": 3600.0, "blind_s": 12.0, "restarts": 1}
        model = {"model": "person-320", "model_sha256": "ab" * 32, "runtime": "litert x2", "fallback": False, "stage_ms": {"detect": 41.0}}
        health = CameraHealth(name=camera, state="running", reason="", live=live, open=None, wall="enforced", **seen, **model)  # type: ignore[arg-type]
        delivery = Delivery(True, 2, 4096, 64 * 1024**2, 12, 3.0, "", "durable", 9000)
        return Status(
            "secret site", "running", "1.2.3", 3600.0, "ntp", 48.5, "events", self.present_s, self.faults, (health,), delivery,
            sent=self.changes, history=self.changes,
        )  # fmt: skip

    def history(self) -> History:
        camera, line, _ = self.names
        return History(300, 12.0, 2016, (Row(camera, "line", line, [(0, 4711, 17, 0, 0, 0)]),), [(0, 12, 0)])

    def sent(self) -> SentList:
        content = {"site": "secret site", "windows": [], "events": [], "entries": 4711}
        return SentList((Sent("ab" * 8, 7, "batch", 713, 2.0, True, content),))

    async def watch(self, seconds: float) -> None:
        self.watched.append(seconds)

    def feet(self) -> tuple[Feet, ...]:
        return (Feet(self.names[0], ((471, 100), (500, 900))),)

    def planes(self) -> Planes:
        camera, line, zone = self.names
        geometry = Geometry(camera, (LineConfig(line, DOOR.start, DOOR.end),), (ZoneConfig(zone, TILL.polygon, "queue", 0),))
        return Planes((Plane(4 / 3, (0.12, 0.55), geometry),), writable=True)

    def check(self, geometry: Geometry) -> Checked:
        return Checked(self.good, ())

    async def save(self, geometry: Geometry) -> Checked:
        self.saved.append(geometry)
        return self.check(geometry)


@dataclass
class Stage:
    """A page that is up, and what a test needs of it."""

    page: StatusPage
    device: FakeDevice
    clock: FakeClock
    keys: PageKeys
    port: int

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def routes(self) -> list[Route]:
        return list(self.page.table.values())

    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys.token}"}


async def _commission(call: Call) -> web.StreamResponse:
    return reply(Done())


MORE = (Route("POST", "/api/test", "writer", _commission, "A writer without a body.", reply=Done),)


@contextlib.asynccontextmanager
async def stage(device: FakeDevice | None = None, more: tuple[Route, ...] = MORE, news: News = dict) -> AsyncIterator[Stage]:
    device, clock, keys, port = device or FakeDevice(), FakeClock(), page_keys(None), free_port()
    guards = Guards(keys.token_hash, Sessions(os.urandom), lambda _now_s: device.present_s, clock.monotonic_s)
    page = StatusPage(
        Behind(device, device, device, more, news), keys, Place(port, lambda: ["127.0.0.1"], lambda: ["passerby-1.local"]), guards
    )
    await page.start()
    assert page.listening.trouble == ""
    try:
        yield Stage(page, device, clock, keys, port)
    finally:
        await page.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def trusting() -> ssl.SSLContext:
    """A client that warns nobody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Browser:
    """What a browser does with cookies, fetch metadata and the session's second secret; honest unless told otherwise."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.csrf = ""
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address, as browsers keep them
        self.http = aiohttp.ClientSession(stage.url, connector=aiohttp.TCPConnector(ssl=trusting()), cookie_jar=jar)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str | None] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON or text, headers. A header of None is left out."""
        self.stage.clock.now_s += 0.1  # nobody is faster than twenty a second
        said: dict[str, str | None] = {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: self.csrf or None, **(headers or {})}
        kept = {name: value for name, value in said.items() if value is not None}
        async with self.http.request(method, path, json=body, headers=kept) as answer:
            content = await answer.json() if answer.content_type == "application/json" else await answer.text(errors="replace")
            return answer.status, content, answer.headers

    async def sign_in(self) -> None:
        status, session, _ = await self.ask("POST", "/api/session", {"token": self.stage.keys.token})
        assert status == 200
        self.csrf = session["csrf"]


def body_for(route: Route) -> Any:
    """A body that the route takes."""
    if route.body is None:
        return None
    if route.path == "/api/session":
        return {"token": "wrong"}
    return {"camera": "front", "line": [], "zone": []}


class Line:
    """A raw connection: bytes out, one response in; a new connection when the old one was closed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._writer: asyncio.StreamWriter | None = None

    async def say(self, request: bytes) -> tuple[int, bytes]:
        """Status and everything that came with it; status 0 when it hung up."""
        self._stage.clock.now_s += 0.1
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._stage.port, ssl=trusting())
        self._writer.write(request)
        try:
            head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 10)
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            body = b"" if request.startswith(b"HEAD") else await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            return 0, b""
        if b"connection: close" in head.lower() or b"HTTP/1.0" in request:
            await self.close()
        return int(head.split()[1]), head + body

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await self._writer.wait_closed()
            self._writer = None
