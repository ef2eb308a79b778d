"""The OpenAPI 3.1 description, made from the table of routes and the types they take and give: it cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from firmware.status.routes import Route, Table
from firmware.status.values import Refusal

REFUSALS: Final = {
    "public": (421, 429),
    "viewer": (401, 403, 421, 429),
    "writer": (401, 403, 421, 429),
}
WORDS: Final = {
    400: "Not what this takes.", 401: "The token is missing or wrong.", 403: "Another site asked, or nobody is beside the device.",
    421: "Not a name of this device.", 422: "It makes no sense to this device; what says why.", 429: "Too often.",
}  # fmt: skip


def description(table: Table, build: str) -> dict[str, Any]:
    """The document, ready for JSON."""
    types = sorted({kind for route in table.values() for kind in (route.body, route.reply) if kind} | {Refusal}, key=lambda t: t.__name__)
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for route in table.values():
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Passerby device",
            "version": build,
            "description": "The page of one device on the local network. Writers also need somebody beside the device.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The token on the label."},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-passerby", "description": "From POST /api/session."},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": _content(route.reply, route.media)}}
    for status in _statuses(route):
        responses[str(status)] = {"description": WORDS[status], "content": _content(Refusal, "application/json")}
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()} {route.path}",
        "x-audience": route.audience,
        "security": [] if route.audience == "public" else [{"token": []}, {"session": []}],
        "responses": responses,
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(route.body, "application/json")}
    return operation


def _statuses(route: Route) -> Iterable[int]:
    statuses = set(REFUSALS[route.audience])
    if route.body is not None:
        statuses |= {400, 422}
    return sorted(statuses)


def _content(kind: type | None, media: str) -> dict[str, Any]:
    if kind is None:
        return {media: {}}
    return {media: {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}
