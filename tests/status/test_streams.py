"""Server-sent events: what is new, once; bounded in number; over when the session is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from firmware.status.access import LIFE_S
from firmware.status.streams import STREAMS_MAX
from tests.status.stage import Browser, FakeDevice, Stage, stage


async def event(answer: aiohttp.ClientResponse) -> tuple[str, Any]:
    name = (await asyncio.wait_for(answer.content.readline(), 10)).decode().removeprefix("event: ").strip()
    content = json.loads((await answer.content.readline()).decode().removeprefix("data: "))
    await answer.content.readline()
    return name, content


async def test_what_did_not_change_is_not_sent_again(up: Stage, viewer: Browser) -> None:
    """Status each second; history and sent at first and when they changed."""
    async with viewer.http.get("/api/stream") as answer:
        assert answer.content_type == "text/event-stream"
        names = [(await event(answer))[0] for _ in range(5)]
        assert names == ["status", "history", "sent", "status", "status"]
        up.device.changes += 1
        assert [(await event(answer))[0] for _ in range(3)] == ["status", "history", "sent"]


async def test_news_of_commissioning_come_when_there_are_some() -> None:
    """By the name of their event."""
    device = FakeDevice()
    async with stage(device, (), lambda: {"walk": device.public()}) as up, Browser(up) as browser:
        await browser.sign_in()
        async with browser.http.get("/api/stream") as answer:
            names = [(await event(answer))[0] for _ in range(5)]
        assert names == ["status", "history", "sent", "walk", "status"]


async def test_a_stream_ends_with_its_session(up: Stage, viewer: Browser) -> None:
    """An hour after signing in it says `over`, and hangs up."""
    async with viewer.http.get("/api/floor") as answer:
        assert (await event(answer))[0] == "here"
        assert await event(answer) == ("feet", [{"camera": "front", "points": [[471, 100], [500, 900]]}])
        up.clock.now_s += LIFE_S
        assert (await event(answer))[0] == "over"
        assert await answer.content.read() == b""


async def test_streams_are_bounded(up: Stage) -> None:
    """One too many is told to come later; the others go on."""
    async with Browser(up) as browser:
        held = [await browser.http.get("/api/stream", headers=up.bearer()) for _ in range(STREAMS_MAX)]
        status, content, headers = await browser.ask("GET", "/api/stream", headers=up.bearer())
        assert (status, content["error"], headers["Retry-After"]) == (503, "too_many_streams", "10")
        for answer in held:
            answer.close()
        for _ in range(50):
            if up.page.streams.open == 0:
                break
            await asyncio.sleep(0.1)
        assert up.page.streams.open == 0


async def test_vision_is_watched_only_while_the_floor_is_read(up: Stage, viewer: Browser) -> None:
    """The status stream alone asks for nothing."""
    async with viewer.http.get("/api/stream") as answer:
        await event(answer)
        assert up.device.watched == []
    async with viewer.http.get("/api/floor") as answer:
        await event(answer)
        await event(answer)
        assert up.device.watched == [5.0]
