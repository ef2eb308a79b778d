"""The page's own files, read once at start; a path is a key of the table, never a name of a file on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import Final

from aiohttp import web

from firmware.status.routes import Answer, Call, Route

FOLDER: Final = "page"
FILES: Final = (
    ("/", "index.html", "text/html", "The page."),
    ("/app.css", "app.css", "text/css", "How it looks."),
    ("/app.js", "app.js", "text/javascript", "Where it begins."),
    ("/api.js", "api.js", "text/javascript", "How it asks the device."),
    ("/charts.js", "charts.js", "text/javascript", "Curves, and their tables."),
    ("/device.js", "device.js", "text/javascript", "Health."),
    ("/editor.js", "editor.js", "text/javascript", "The editor of lines and zones."),
    ("/elements.js", "elements.js", "text/javascript", "Building blocks."),
    ("/floor.js", "floor.js", "text/javascript", "The floor view."),
    ("/now.js", "now.js", "text/javascript", "Counts, queues and curves."),
    ("/plane.js", "plane.js", "text/javascript", "Lines, zones and feet on a plane."),
    ("/record.js", "record.js", "text/javascript", "What left this device."),
    ("/walk.js", "walk.js", "text/javascript", "The walk test."),
    ("/words.js", "words.js", "text/javascript", "Languages."),
    ("/icon.svg", "icon.svg", "image/svg+xml", "The mark."),
    ("/words/en.json", "words/en.json", "application/json", "The words, in English."),
    ("/words/de.json", "words/de.json", "application/json", "The words, in German."),
)


def asset_routes() -> Iterator[Route]:
    """One public route a file."""
    root = resources.files("firmware.status").joinpath(FOLDER)
    for path, name, media, summary in FILES:
        yield Route("GET", path, "public", _answer(root.joinpath(name).read_bytes(), media), summary, media=media)


def _answer(content: bytes, media: str) -> Answer:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}  # asked for each time, sent when it is another

    async def answer(call: Call) -> web.StreamResponse:
        if tag in call.request.headers.getall("If-None-Match", []):
            return web.Response(status=304, headers=headers)
        charset = None if media.endswith("json") else "utf-8"
        return web.Response(body=content, content_type=media, charset=charset, headers=headers)

    return answer
