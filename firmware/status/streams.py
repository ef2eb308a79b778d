"""Server-sent events: what is new, as soon as it is; the page asks once and never polls.

`/api/stream` sends `status` every second, and `history`, `sent` and commissioning's news when they changed. `/api/floor`
sends `feet` up to five times a second, and vision is watched only while that is read. A stream is use of its session; when
that is over the stream says `over` and ends. A reader that does not read for ten seconds is cut; streams are bounded in
number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web

from firmware.status.access import Sessions
from firmware.status.gate import HEADERS, RefusedError
from firmware.status.ports import Floor, Showing
from firmware.status.routes import Call

STREAMS_MAX: Final = 12  # two a page, six people
STATUS_S: Final = 1.0  # vision's heartbeat
FEET_S: Final = 0.2  # what the eye takes for movement
WATCH_S: Final = 5.0  # vision stops saying foot points so long after the last reader has gone
SLOW_S_MAX: Final = 10.0

News = Callable[[], Mapping[str, msgspec.Struct]]


class Streams:
    """All readers of one page."""

    def __init__(self, showing: Showing, floor: Floor, news: News, sessions: Sessions, now_s: Callable[[], float]) -> None:
        self._news = news
        self._showing, self._floor, self._sessions, self._now_s = showing, floor, sessions, now_s
        self._closing = asyncio.Event()
        self.open = 0

    def close(self) -> None:
        """End all streams."""
        self._closing.set()

    async def status(self, call: Call) -> web.StreamResponse:
        """The stream of the whole page."""
        response = await self._begin(call)
        try:
            history = sent = -1
            told: dict[str, msgspec.Struct] = {}
            while self._goes_on(call):
                now = self._showing.status()
                await _send(response, "status", now)
                if now.history != history:
                    history = now.history
                    await _send(response, "history", self._showing.history())
                if now.sent != sent:
                    sent = now.sent
                    await _send(response, "sent", self._showing.sent())
                for event, value in self._news().items():
                    if told.get(event) != value:
                        told[event] = value
                        await _send(response, event, value)
                await self._pause(STATUS_S)
            await _say(response, "over")
        except (ConnectionError, TimeoutError):
            pass  # the reader has gone; that is how streams end
        finally:
            self.open -= 1
        return response

    async def feet(self, call: Call) -> web.StreamResponse:
        """The stream of the floor view."""
        response = await self._begin(call)
        try:
            shown, asked_s = None, float("-inf")
            while self._goes_on(call):
                if self._now_s() - asked_s > WATCH_S / 2:
                    asked_s = self._now_s()
                    await _say(response, "here")  # first: who has gone is not watched for
                    await self._floor.watch(WATCH_S)
                feet = self._floor.feet()
                if feet != shown:
                    shown = feet
                    await _send(response, "feet", feet)
                await self._pause(FEET_S)
            await _say(response, "over")
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self.open -= 1
        return response

    async def _begin(self, call: Call) -> web.StreamResponse:
        if self.open >= STREAMS_MAX:
            raise RefusedError(503, "too_many_streams", "too many pages are open", 10)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(call.request)
        self.open += 1
        return response

    def _goes_on(self, call: Call) -> bool:
        if self._closing.is_set() or call.request.transport is None:
            return False
        return call.session is None or self._sessions.touch(call.session, self._now_s())

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


async def _send(response: web.StreamResponse, event: str, value: object) -> None:
    async with asyncio.timeout(SLOW_S_MAX):
        await response.write(b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n")


async def _say(response: web.StreamResponse, event: str) -> None:
    async with asyncio.timeout(SLOW_S_MAX):
        await response.write(b"event: " + event.encode() + b"\ndata: {}\n\n")
