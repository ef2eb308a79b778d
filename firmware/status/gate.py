"""The one door of the page: every request passes here, and is refused unless all of it is in order.

In this order: a peer from nearby, a Host that is us (CVE-2018-5702), a plain path, not too many requests, a route that
exists, a browser that was not sent by another site, the audience's credentials, presence for writers, the CSRF secret,
a body that is JSON of the route's type and no larger than it may be. A refusal repeats nothing of what was sent.
Credentials are a session's cookie or `Authorization: Bearer TOKEN`, compared whole (CVE-2025-57808).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from firmware.errors import PasserbyError
from firmware.status.access import Bucket, Failures, Session, Sessions, token_matches
from firmware.status.doors import Doors
from firmware.status.hosts import is_near, is_ours
from firmware.status.routes import BODY_BYTES_MAX, Call, Route, Table, reply
from firmware.status.values import Refusal

COOKIE: Final = "__Host-passerby"  # the prefix binds it to this host, to HTTPS and to the whole path
CSRF_HEADER: Final = "X-Passerby-CSRF"
BODY_S_MAX: Final = 10.0  # 64 KB in ten seconds is the slowest network worth serving
REQUESTS_PER_S: Final = 20.0  # one page load is twelve requests
REQUESTS_BURST: Final = 120.0
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Server": "passerby",
}


class RefusedError(Exception):
    """A request that is not answered."""

    def __init__(self, status: int, error: str, what: str, retry_after_s: int = 0) -> None:
        super().__init__(what)
        self.status, self.error, self.what, self.retry_after_s = status, error, what, retry_after_s


class Present(Protocol):
    """Whether somebody is beside the device."""

    def __call__(self, now_s: float) -> float:
        """For how many seconds it still holds; 0 when nobody is."""
        ...


class Guards:
    """Who may do what: everything the gate asks. `token_hash` may be replaced when the token is."""

    def __init__(self, token_hash: str, sessions: Sessions, present: Present, now_s: Callable[[], float]) -> None:
        self.token_hash = token_hash
        self.sessions, self.present, self.now_s = sessions, present, now_s
        self.failures = Failures()
        self.requests = Bucket(REQUESTS_PER_S, REQUESTS_BURST)

    def show_token(self, token: str, peer: str) -> bool:
        """Whether this is the token. Raises RefusedError for who guessed too often, right or wrong."""
        now_s = self.now_s()
        if self.failures.too_many(peer, now_s):
            raise RefusedError(429, "too_many_failures", "too many wrong tokens; wait a minute", 60)
        if token_matches(self.token_hash, token):
            return True
        self.failures.note(peer, now_s)
        return False


class Gate:
    """Dispatches requests to the routes of a table."""

    def __init__(self, table: Table, guards: Guards, doors: Doors, names: Callable[[], Collection[str]], port: int) -> None:
        """`names` are the Host names that are ours now, lower case."""
        self._table, self._guards, self._doors, self._names, self._port = table, guards, doors, names, port
        self._paths = frozenset(path for _, path in table)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it is."""
        transport = request.transport
        self._doors.answering(transport, busy=True)
        try:
            return await self._answered(request)
        except RefusedError as refused:
            response = reply(Refusal(refused.error, refused.what), refused.status)
            if refused.retry_after_s:
                response.headers["Retry-After"] = str(refused.retry_after_s)
            if refused.status in {400, 413, 421}:
                response.force_close()
            response.headers.update(HEADERS)
            return response
        finally:
            self._doors.answering(transport, busy=False)

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = _peer(request)
        now_s = self._guards.now_s()
        self._check_place(request, peer)
        if not self._guards.requests.allow(peer, now_s):
            raise RefusedError(429, "too_many_requests", "too many requests; wait a moment", 5)
        route = self._route(request)
        session = self._check_audience(request, route, peer, now_s)
        body = await self._body(request, route)
        call = Call(request, body, session, peer, now_s)
        try:
            response = await route.answer(call)
        except PasserbyError as error:
            raise RefusedError(422, type(error).__name__.removesuffix("Error").lower(), str(error)) from error
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _check_place(self, request: web.BaseRequest, peer: str) -> None:
        if not is_near(peer):
            raise RefusedError(403, "far_away", "this page is for the local network")
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not is_ours(hosts[0], self._port, self._names()):
            raise RefusedError(421, "not_our_name", "this device does not answer to that name")
        if not request.raw_path.startswith("/") or "?" in request.raw_path:
            raise RefusedError(400, "no_plain_path", "a path, and nothing else")

    def _route(self, request: web.BaseRequest) -> Route:
        route = self._table.get((request.method, request.raw_path))
        if route is not None:
            return route
        if request.raw_path in self._paths:
            raise RefusedError(405, "no_such_method", "this cannot be done here")
        raise RefusedError(404, "nothing_here", "there is nothing here")

    def _check_audience(self, request: web.BaseRequest, route: Route, peer: str, now_s: float) -> Session | None:
        site = request.headers.getall("Sec-Fetch-Site", [])
        changes = route.method != "GET"
        if (changes or route.audience != "public") and any(each not in {"same-origin", "none"} for each in site):
            raise RefusedError(403, "other_site", "another site asked your browser to do this")
        session, by_token = self._credentials(request, peer, now_s)
        if route.audience != "public" and session is None and not by_token:
            raise RefusedError(401, "token_needed", "show the token first")
        if route.audience == "writer" and self._guards.present(now_s) <= 0.0:
            raise RefusedError(403, "presence_needed", "somebody must be beside the device: press its button, or cycle its power")
        if changes and not by_token:
            self._check_browser(request, route, session, site)
        return session

    def _check_browser(self, request: web.BaseRequest, route: Route, session: Session | None, site: list[str]) -> None:
        """A browser that changes something says where it was sent from, and carries the session's second secret."""
        if not site:
            raise RefusedError(403, "other_site", "a browser too old to say which site asked it")
        if route.audience == "public":
            return
        csrf = request.headers.getall(CSRF_HEADER, [])
        if session is None or len(csrf) != 1 or not hmac.compare_digest(csrf[0].encode(), session.csrf.encode()):
            raise RefusedError(403, "csrf", "reload the page and try again")

    def _credentials(self, request: web.BaseRequest, peer: str, now_s: float) -> tuple[Session | None, bool]:
        said = request.headers.getall("Authorization", [])
        if said:
            scheme, _, token = said[0].partition(" ")
            if len(said) == 1 and scheme == "Bearer" and self._guards.show_token(token, peer):
                return None, True
            raise RefusedError(401, "token_wrong", "this is not the token")
        secret = request.cookies.get(COOKIE)
        return (self._guards.sessions.find(secret, now_s) if secret else None), False

    async def _body(self, request: web.BaseRequest, route: Route) -> Any:
        if route.body is None:
            if request.can_read_body:
                raise RefusedError(400, "no_body", "this takes no body")
            return None
        if request.headers.getall("Content-Type", []) != ["application/json"]:
            raise RefusedError(415, "json_needed", "a body of JSON")
        try:
            async with asyncio.timeout(BODY_S_MAX):
                raw = await _read(request)
            return msgspec.json.decode(raw, type=route.body, strict=True)
        except TimeoutError as error:
            raise RefusedError(408, "too_slow", "the body did not come") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(400, "not_as_described", f"not what {route.path} takes; see /api/openapi.json") from error


def _peer(request: web.BaseRequest) -> str:
    """The address at the other end; empty when it has hung up."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(name[0]) if name else ""


async def _read(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise RefusedError(413, "too_large", f"at most {BODY_BYTES_MAX} bytes")
    raw = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        raw += chunk
        if len(raw) > BODY_BYTES_MAX:
            raise RefusedError(413, "too_large", f"at most {BODY_BYTES_MAX} bytes")
    return bytes(raw)
