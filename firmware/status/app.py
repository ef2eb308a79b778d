"""The status page of one device: its routes, its door, its sockets.

`start` serves, `close` ends; in between nothing runs unless somebody looks: no task, no timer, no work per frame. What is
shown comes through the ports in `firmware.status.ports`; who may see it is `firmware.status.gate`'s.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from firmware.status.access import LIFE_S
from firmware.status.assets import asset_routes
from firmware.status.certificate import PageKeys
from firmware.status.doors import Doors
from firmware.status.gate import COOKIE, Gate, Guards, RefusedError
from firmware.status.listening import Listening
from firmware.status.metrics import CONTENT_TYPE, text_of
from firmware.status.openapi import description
from firmware.status.ports import Drawing, Floor, Showing
from firmware.status.routes import Answer, Call, Method, Route, Table, reply, table_of
from firmware.status.streams import News, Streams
from firmware.status.values import (
    Checked,
    Done,
    Geometry,
    History,
    Login,
    Planes,
    PublicStatus,
    SentList,
    SessionStatus,
    Status,
)

KEEP_ALIVE_S: Final = 15.0
END_S_MAX: Final = 2.0
HEADER_BYTES_MAX: Final = 8190

log = logging.getLogger("passerby.status")


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind the page."""

    showing: Showing
    floor: Floor
    drawing: Drawing
    more: tuple[Route, ...] = ()  # of commissioning
    news: News = dict


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is served. `names` are further Host names, lower case, as the device is called on the network now."""

    port: int
    addresses: Callable[[], Sequence[str]]
    names: Callable[[], Collection[str]] = tuple


class StatusPage:
    """One page, from `start` to `close`."""

    def __init__(self, behind: Behind, keys: PageKeys, place: Place, guards: Guards) -> None:
        """Nothing is served before `start`."""
        self._behind, self._place = behind, place
        self.guards = guards
        self.streams = Streams(behind.showing, behind.floor, behind.news, guards.sessions, guards.now_s)
        self.table: Table = table_of([*asset_routes(), *self._routes(), *behind.more])
        self._description = msgspec.json.format(msgspec.json.encode(description(self.table, behind.showing.public().build)), indent=1)
        self._server: web.Server | None = None
        self.doors = Doors(self._answering, keys.context)
        self.gate = Gate(self.table, self.guards, self.doors, self._names, place.port)
        self.listening = Listening(self.doors.porch, place.port, place.addresses)

    async def start(self) -> None:
        """Serve. A port that is taken is `listening.trouble`, and tried again."""
        self._server = web.Server(
            self._serve, access_log=None, keepalive_timeout=KEEP_ALIVE_S, max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX, logger=log,
        )  # fmt: skip
        await self.listening.start()

    async def close(self) -> None:
        """End streams and connections."""
        self.streams.close()
        await self.listening.close()
        if self._server is not None:
            await self._server.shutdown(END_S_MAX)
        await asyncio.sleep(0)

    def _answering(self) -> web.RequestHandler:
        """The protocol for one more connection."""
        assert self._server is not None
        return self._server()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.gate.serve(request)

    def _names(self) -> Collection[str]:
        return {*self._place.addresses(), "localhost", f"{socket.gethostname().lower()}.local", *self._place.names()}

    def _routes(self) -> list[Route]:
        get: Method = "GET"
        sse, showing = "text/event-stream", self._behind.showing
        return [
            Route(
                get, "/api/public", "public", _of(showing.public), "Whether it works, its build, the privacy notice.", reply=PublicStatus
            ),
            Route(get, "/api/openapi.json", "public", self._openapi, "This description."),
            Route(get, "/api/session", "public", self._session, "Whether this browser has a session.", reply=SessionStatus),
            Route("POST", "/api/session", "public", self._log_in, "Show the token; get a cookie.", body=Login, reply=SessionStatus),
            Route("DELETE", "/api/session", "viewer", self._log_out, "End this session.", reply=Done),
            Route(get, "/api/status", "viewer", _of(showing.status), "Everything of this second.", reply=Status),
            Route(get, "/api/history", "viewer", _of(showing.history), "The last seven days.", reply=History),
            Route(get, "/api/sent", "viewer", _of(showing.sent), "What left this device, in clear.", reply=SentList),
            Route(get, "/api/stream", "viewer", self.streams.status, "Events: status, history, sent.", media=sse),
            Route(get, "/api/floor", "viewer", self.streams.feet, "Events: where people stand now.", media=sse),
            Route(get, "/api/geometry", "viewer", _of(self._behind.drawing.planes), "Lines and zones of all cameras.", reply=Planes),
            Route("POST", "/api/geometry/check", "viewer", self._check, "What the checks say of a draft.", body=Geometry, reply=Checked),
            Route("PUT", "/api/geometry", "writer", self._save, "Check, keep and use a draft.", body=Geometry, reply=Checked),
            Route(get, "/metrics", "viewer", self._metrics, "For Prometheus.", media="text/plain"),
        ]

    async def _openapi(self, call: Call) -> web.StreamResponse:
        del call
        return web.Response(body=self._description, content_type="application/json", headers={"Cache-Control": "no-cache"})

    async def _session(self, call: Call) -> web.StreamResponse:
        present_s = self.guards.present(call.now_s)
        if call.session is None:
            return reply(SessionStatus(authenticated=False))
        return reply(SessionStatus(True, call.session.csrf, call.session.left_s(call.now_s), present_s))

    async def _log_in(self, call: Call) -> web.StreamResponse:
        if not self.guards.show_token(call.body.token, call.peer):
            raise RefusedError(401, "token_wrong", "this is not the token")
        if call.session is not None:
            self.guards.sessions.close(call.session)
        secret, session = self.guards.sessions.open(call.now_s)
        response = reply(SessionStatus(True, session.csrf, session.left_s(call.now_s), self.guards.present(call.now_s)))
        response.set_cookie(COOKIE, secret, max_age=int(LIFE_S), path="/", secure=True, httponly=True, samesite="Strict")
        return response

    async def _log_out(self, call: Call) -> web.StreamResponse:
        if call.session is not None:
            self.guards.sessions.close(call.session)
        response = reply(Done())
        response.set_cookie(COOKIE, "", max_age=0, path="/", secure=True, httponly=True, samesite="Strict")
        return response

    async def _check(self, call: Call) -> web.StreamResponse:
        return reply(self._behind.drawing.check(call.body))

    async def _save(self, call: Call) -> web.StreamResponse:
        return reply(await self._behind.drawing.save(call.body))

    async def _metrics(self, call: Call) -> web.StreamResponse:
        del call
        text = text_of(self._behind.showing.status()).encode()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


def _of(picture: Callable[[], msgspec.Struct]) -> Answer:
    """The route that shows a frozen picture."""

    async def answer(call: Call) -> web.StreamResponse:
        del call
        return reply(picture())

    return answer
