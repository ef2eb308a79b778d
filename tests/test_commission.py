"""Walk test and empty room on the page: begun with presence, owned by one session."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from firmware import commission, wall
from firmware.commission import RoomViewing, WalkDesk, news_of
from firmware.commissioning.presence import Presence
from firmware.commissioning.room_desk import RoomDesk
from firmware.daemon import CameraState
from firmware.health import LiveLine, LiveNumbers, VisionHealth
from tests.fakes import FakeClock
from tests.status.stage import Browser, FakeDevice, Stage, stage

PLAN = {"camera": "front", "lines": ["secret door"], "passes": 1}


class FakeDaemon:
    def __init__(self) -> None:
        live = LiveNumbers((LiveLine("secret door"),))
        self.state = CameraState("front", VisionHealth("front", 0, "running"), live)
        self.desks = (SimpleNamespace(state=self.state, room=RoomDesk()),)
        self.shown: wall.EmptyRoom | None = None

    def cameras(self) -> tuple[CameraState, ...]:
        return (self.state,)

    async def want_room(self, camera: str, presence: Presence) -> None:
        self.desks[0].room.ask(presence, 0.0)

    def room(self, camera: str) -> wall.EmptyRoom | None:
        return self.shown


class Commissioned:
    """A page with both desks."""

    def __init__(self) -> None:
        self.daemon: Any = FakeDaemon()
        self.walk = WalkDesk(self.daemon, Ed25519PrivateKey.generate(), FakeClock())
        self.room = RoomViewing(self.daemon, lambda: Presence(100.0, "button"))
        self.device = FakeDevice(present_s=60.0)

    def stage(self) -> Any:
        return stage(self.device, (*self.walk.routes(), *self.room.routes()), news_of(self.walk, self.room))


async def signed_in(up: Stage) -> Browser:
    browser = Browser(up)
    await browser.sign_in()
    return browser


async def test_a_walk_belongs_to_who_began_it() -> None:
    """Another session sees how it stands, and can neither end nor sign it."""
    desks = Commissioned()
    async with desks.stage() as up, await signed_in(up) as mine, await signed_in(up) as other:
        assert (await mine.ask("POST", "/api/walk", {"plan": PLAN, "installer": "A"}))[0] == 200
        assert (await other.ask("GET", "/api/walk"))[1]["running"]
        for method, path in (("DELETE", "/api/walk"), ("POST", "/api/walk/part"), ("GET", "/api/walk/record")):
            assert (await other.ask(method, path))[0] == 409
        assert (await other.ask("POST", "/api/walk", {"plan": PLAN}))[1]["error"] == "walk_under_way"
        assert (await mine.ask("POST", "/api/walk/part"))[1]["closing"]
        assert (await mine.ask("DELETE", "/api/walk"))[0] == 200
        assert not (await other.ask("GET", "/api/walk"))[1]["running"]
        await desks.walk.close()


@pytest.mark.parametrize("plan", [{**PLAN, "lines": ["nowhere"]}, {**PLAN, "camera": "nowhere"}])
async def test_a_walk_of_what_is_not_there_is_refused(plan: dict[str, Any]) -> None:
    """With words, and nothing begins."""
    desks = Commissioned()
    async with desks.stage() as up, await signed_in(up) as browser:
        assert (await browser.ask("POST", "/api/walk", {"plan": plan}))[0] == 422
        assert not desks.walk.status().running


async def test_a_record_waits_for_the_end_of_the_test() -> None:
    """Nothing is signed before every line was walked."""
    desks = Commissioned()
    async with desks.stage() as up, await signed_in(up) as browser:
        await browser.ask("POST", "/api/walk", {"plan": PLAN})
        status, content, _ = await browser.ask("GET", "/api/walk/record")
        assert (status, "not over" in content["what"]) == (422, True)
        await desks.walk.close()


async def test_without_presence_neither_room_nor_walk_begins() -> None:
    """T18, for commissioning's own routes."""
    desks = Commissioned()
    desks.device.present_s = 0.0
    async with desks.stage() as up, await signed_in(up) as browser:
        assert (await browser.ask("POST", "/api/walk", {"plan": PLAN}))[1]["error"] == "presence_needed"
        assert (await browser.ask("POST", "/api/room", {"camera": "front"}))[1]["error"] == "presence_needed"


async def test_the_empty_room_is_shown_to_who_asked_and_nobody_else() -> None:
    """Making, ready, as a grey PNG of the very levels; another session gets nothing, and no browser may keep it."""
    desks = Commissioned()
    async with desks.stage() as up, await signed_in(up) as mine, await signed_in(up) as other:
        assert (await mine.ask("GET", "/api/room/picture"))[0] == 404
        assert (await mine.ask("POST", "/api/room", {"camera": "front"}))[1]["state"] == "making"
        desks.daemon.shown = wall.EmptyRoom("front", 4, 2, bytes(range(8)), 900, 25)
        assert (await mine.ask("GET", "/api/room"))[1] == {"state": "ready", "camera": "front", "seconds": 25, "known": 0.9, "refused": ""}
        up.clock.now_s += 0.1
        async with mine.http.get("/api/room/picture") as answer:
            assert (answer.content_type, answer.headers["Cache-Control"]) == ("image/png", "no-store")
            picture = Image.open(io.BytesIO(await answer.read()))
        assert (picture.size, picture.mode, picture.tobytes()) == ((4, 2), "L", bytes(range(8)))
        assert (await other.ask("GET", "/api/room/picture"))[0] == 404


async def test_a_room_that_was_refused_says_why() -> None:
    """No picture, but the reason."""
    desks = Commissioned()
    async with desks.stage() as up, await signed_in(up) as browser:
        await browser.ask("POST", "/api/room", {"camera": "front"})
        desks.daemon.shown = wall.EmptyRoom("front", 0, 0, b"", 0, 120, "somebody was always in view")
        assert (await browser.ask("GET", "/api/room"))[1]["refused"] == "somebody was always in view"
        assert (await browser.ask("GET", "/api/room/picture"))[0] == 404
        assert (await browser.ask("POST", "/api/room", {"camera": "nowhere"}))[0] == 422


def test_looking_is_as_often_as_there_are_numbers() -> None:
    """Once a second: vision's heartbeat."""
    assert commission.LOOK_S == 1.0
