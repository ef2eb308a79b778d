"""Commissioning on the page: the empty room behind the editor, and the walk test with its signed record.

Both are begun with the token and somebody beside the device, and belong to the session that began them: nobody else sees
that room or ends that test. One room and one test at a time; both are in memory alone. Left to others: what the verdict is
(`commissioning.walk_test`), the record (`commissioning.acceptance`), how a room is made and for how long it is held
(`firmware.vision.empty_room`, `commissioning.room_desk`).
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from firmware import __version__, wall
from firmware.clock import Clock, wall_quality
from firmware.commissioning.acceptance import About, Drawn, accept
from firmware.commissioning.presence import Presence
from firmware.commissioning.walk_test import Glimpse, PartResult, Plan, Walk, begin, left_s, look, press
from firmware.daemon import CameraState, Daemon
from firmware.errors import ConfigError, DataError
from firmware.status.gate import RefusedError
from firmware.status.routes import Call, Route, reply
from firmware.status.values import Done

LOOK_S: Final = 1.0  # live numbers come once a second


class RoomWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which camera."""

    camera: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class RoomStatus(msgspec.Struct, frozen=True):
    """How far the empty room is; `known` is the share of the view that was ever free of people."""

    state: Literal["none", "making", "ready", "refused"] = "none"
    camera: str = ""
    seconds: int = 0
    known: float = 0.0
    refused: str = ""


class WalkWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to test; `installer` stands in the record."""

    plan: Plan
    installer: Annotated[str, msgspec.Meta(max_length=64)] = ""


class LineStatus(msgspec.Struct, frozen=True):
    """One line that was walked, or is being."""

    line: str
    parts: tuple[PartResult, ...]
    passed: bool


class WalkStatus(msgspec.Struct, frozen=True):
    """Where the walk test stands. `so_far` are the counts of the part under way."""

    running: bool = False
    over: bool = False
    passed: bool = False
    plan: Plan | None = None
    line: str = ""
    part: str = ""
    closing: bool = False
    left_s: float = 0.0
    so_far: PartResult | None = None
    lines: tuple[LineStatus, ...] = ()


class WalkDesk:
    """The walk test under way."""

    def __init__(self, daemon: Daemon, identity: Ed25519PrivateKey | None, clock: Clock) -> None:
        """`identity` signs the record; without one a test can be walked, and nothing is signed."""
        self._daemon, self._identity, self._clock = daemon, identity, clock
        self._walk: Walk | None = None
        self._installer = ""
        self._owner: str | None = None
        self._looking: asyncio.Task[None] | None = None

    def status(self) -> WalkStatus:
        """As it is now."""
        walk = self._walk
        if walk is None:
            return WalkStatus()
        return WalkStatus(
            running=not walk.over,
            over=walk.over,
            passed=walk.passed,
            plan=walk.plan,
            line="" if walk.over else walk.plan.lines[walk.line],
            part="" if walk.over else walk.part,
            closing=walk.closing_s is not None,
            left_s=round(left_s(walk, self._clock.monotonic_s()), 1),
            so_far=None if walk.over else walk.so_far,
            lines=tuple(LineStatus(each.line, each.parts, each.passed) for each in walk.done),
        )

    def routes(self) -> tuple[Route, ...]:
        """Of the page."""
        return (
            Route("GET", "/api/walk", "viewer", self._show, "Where the walk test stands.", reply=WalkStatus),
            Route("POST", "/api/walk", "writer", self._start, "Begin a walk test.", body=WalkWish, reply=WalkStatus),
            Route("POST", "/api/walk/part", "viewer", self._press, "The part under way is walked.", reply=WalkStatus),
            Route("DELETE", "/api/walk", "viewer", self._stop, "Give the walk test up.", reply=Done),
            Route("GET", "/api/walk/record", "viewer", self._record, "The record, signed by the device."),
        )

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _show(self, call: Call) -> web.StreamResponse:
        del call
        return reply(self.status())

    async def _start(self, call: Call) -> web.StreamResponse:
        if self._walk is not None and not self._walk.over and self._owner != _who(call):
            raise RefusedError(409, "walk_under_way", "somebody else is walking")
        wish: WalkWish = call.body
        self._walk = begin(wish.plan, self._glimpse(wish.plan.camera))
        self._installer, self._owner = wish.installer, _who(call)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_until_over())
        return reply(self.status())

    async def _press(self, call: Call) -> web.StreamResponse:
        walk = self._of(call)
        self._walk = press(walk, self._clock.monotonic_s())
        return reply(self.status())

    async def _stop(self, call: Call) -> web.StreamResponse:
        self._of(call)
        self._walk = None
        return reply(Done())

    async def _record(self, call: Call) -> web.StreamResponse:
        walk = self._of(call)
        if not walk.over:
            raise DataError("the walk test is not over", "walk its last part to the end")
        if self._identity is None:
            raise ConfigError("this device has no key to sign with", "enrol it, and name the folder of its keys under [uplink]")
        text = accept(walk, self._about(walk), self._identity)
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="passerby-acceptance.json"'}
        return web.Response(body=text, content_type="application/json", headers=headers)

    async def _look_until_over(self) -> None:
        while self._walk is not None and not self._walk.over:
            self._walk = look(self._walk, self._glimpse(self._walk.plan.camera))
            await asyncio.sleep(LOOK_S)

    def _of(self, call: Call) -> Walk:
        if self._walk is None or self._owner != _who(call):
            raise RefusedError(409, "no_walk", "there is no walk test of yours")
        return self._walk

    def _glimpse(self, camera: str) -> Glimpse:
        state = self._camera(camera)
        return Glimpse(self._clock.monotonic_s(), state.live.lines, state.health.tracks, state.falls)

    def _camera(self, name: str) -> CameraState:
        state = next((each for each in self._daemon.cameras() if each.name == name), None)
        if state is None:
            raise ConfigError("there is no such camera", "one of those that /api/geometry names")
        return state

    def _about(self, walk: Walk) -> About:
        source, state = self._daemon.source, self._camera(walk.plan.camera)
        camera = next((each for each in source.config.camera if each.name == walk.plan.camera), None)
        if camera is None:
            raise DataError("the configuration changed", "walk the test again")
        wall_ms = self._clock.wall_ms()
        return About(
            site=source.config.site,
            camera=camera.name,
            installer=self._installer,
            firmware=__version__,
            model_sha256=state.health.model_sha256,
            config_sha256=hashlib.sha256(source.text.encode()).hexdigest(),
            made_ms=wall_ms,
            quality=wall_quality(wall_ms),
            network_denied=state.health.network_denied,
            fps_permille=state.health.fps_permille,
            drawn=tuple(Drawn.of(line) for line in camera.line if line.name in walk.plan.lines),
        )


class RoomViewing:
    """The empty room, for the one session that asked for it."""

    def __init__(self, daemon: Daemon, presence: Callable[[], Presence]) -> None:
        self._daemon, self._presence = daemon, presence
        self._camera = ""
        self._owner: str | None = None

    def status(self) -> RoomStatus:
        """As it is now; says nothing of what is in the picture."""
        if not self._camera:
            return RoomStatus()
        room = self._daemon.room(self._camera)
        if room is None:
            making = any(desk.room.waiting for desk in self._daemon.desks if desk.state.name == self._camera)
            return RoomStatus("making" if making else "none", self._camera)
        if room.refused:
            return RoomStatus("refused", self._camera, refused=room.refused)
        return RoomStatus("ready", self._camera, room.seconds, room.known_permille / 1000)

    def routes(self) -> tuple[Route, ...]:
        """Of the page."""
        return (
            Route("GET", "/api/room", "viewer", self._show, "How far the empty room is.", reply=RoomStatus),
            Route("POST", "/api/room", "writer", self._want, "Have the empty room made.", body=RoomWish, reply=RoomStatus),
            Route("GET", "/api/room/picture", "viewer", self._picture, "The empty room, for who asked for it.", media="image/png"),
        )

    async def _show(self, call: Call) -> web.StreamResponse:
        del call
        return reply(self.status())

    async def _want(self, call: Call) -> web.StreamResponse:
        if all(camera.name != call.body.camera for camera in self._daemon.cameras()):
            raise ConfigError("there is no such camera", "one of those that /api/geometry names")
        await self._daemon.want_room(call.body.camera, self._presence())
        self._camera, self._owner = call.body.camera, _who(call)
        return reply(self.status())

    async def _picture(self, call: Call) -> web.StreamResponse:
        room = self._daemon.room(self._camera) if self._camera and self._owner == _who(call) else None
        if room is None or room.refused:
            raise RefusedError(404, "no_room", "there is no empty room to show")
        return web.Response(body=_png(room), content_type="image/png", headers={"Cache-Control": "no-store"})


def news_of(walk: WalkDesk, room: RoomViewing) -> Callable[[], Mapping[str, msgspec.Struct]]:
    """What the page's stream sends when it changes, by the name of its event."""
    return lambda: {"walk": walk.status(), "room": room.status()}


def _who(call: Call) -> str:
    """The session, or the token shown with each request."""
    return call.session.secret_hash if call.session is not None else ""


def _png(room: wall.EmptyRoom) -> bytes:
    out = io.BytesIO()
    Image.frombytes("L", (room.width, room.height), room.grey).save(out, "PNG")
    return out.getvalue()
