"""The table of routes: method, path, audience, and what goes in and out. What is not in the table does not exist.

Each route says who may use it: `public` (anybody on the network), `viewer` (the token), `writer` (the token, and somebody
beside the device). Paths are compared as they came, byte by byte: nothing is decoded, joined or matched by a pattern, so
that no spelling of a path means another (CVE-2023-27482). The OpenAPI description and the security tests are made from
this table. Who is who is `firmware.status.gate`'s to find out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import msgspec
from aiohttp import web

from firmware.errors import ConfigError
from firmware.status.access import Session

Audience = Literal["public", "viewer", "writer"]
Method = Literal["GET", "POST", "PUT", "DELETE"]
BODY_BYTES_MAX: Final = 64 * 1024  # the largest geometry there can be is 20 KB


class Call(NamedTuple):
    """A request that passed the gate. `session` is None for who shows the token itself, and for the public."""

    request: web.BaseRequest
    body: Any
    session: Session | None
    peer: str
    now_s: float


Answer = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for.

    Attributes:
        body: the type of the JSON body; None: there is none.
        reply: the type of the JSON reply; None where `media` is something else.
        media: content type of the reply.
        summary: one sentence, for the description.
    """

    method: Method
    path: str
    audience: Audience
    answer: Answer
    summary: str
    body: type | None = None
    reply: type | None = None
    media: str = "application/json"


Table = Mapping[tuple[str, str], Route]


def table_of(routes: Iterable[Route]) -> Table:
    """The routes by method and path.

    Raises:
        ConfigError: two routes for one thing; a mistake of ours, told at start.
    """
    table: dict[tuple[str, str], Route] = {}
    for route in routes:
        if (route.method, route.path) in table:
            raise ConfigError(f"two routes for {route.method} {route.path}")
        table[route.method, route.path] = route
    return MappingProxyType(table)


def reply(value: msgspec.Struct, status: int = 200) -> web.Response:
    """A value as JSON; never kept by a browser or a proxy."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
