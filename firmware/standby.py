"""One vision process in reserve: begun at the first doubt about the one that runs, with everything ready but the camera.

Python, the kernels and the model take most of a start; they are brought up while it is still being found out whether the old
process is over, and only the camera is opened after it. Where pictures come again, the reserve is let go. Rules: one at a time, and
no oftener than once in EVERY_S, so that a board that is slow is not made slower by doubting itself. Under systemd nobody stands by:
there processes are the service manager's.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from firmware import wall
from firmware.errors import WallError
from firmware.lives import Begin, Life

EVERY_S: Final = 60.0  # a start is two seconds of one core: a thirtieth of the time at the most


class Standby:
    """The reserve of one camera."""

    def __init__(self, begin: Begin | None) -> None:
        """`begin` brings a process to life; None: nobody ever stands by."""
        self._begin = begin
        self._coming: asyncio.Task[Life] | None = None
        self._begun_s = float("-inf")

    @property
    def waits(self) -> bool:
        """Whether one stands by, or is on its way."""
        return self._coming is not None

    def call(self, configure: wall.Configure, *, network: bool, now_s: float) -> None:
        """Begin one, unless one is here or was here lately."""
        if self._begin is None or self.waits or now_s - self._begun_s < EVERY_S:
            return
        self._begun_s = now_s
        self._coming = asyncio.create_task(_ready(self._begin, configure, network))

    async def take(self) -> Life | None:
        """The one that stands by, which is the caller's from now on; None when none does, or when it died."""
        if self._coming is None:
            return None
        coming, self._coming = self._coming, None
        try:
            life = await coming
        except (OSError, WallError):
            return None  # the caller begins one itself, and meets what is wrong
        if life.reader.at_eof() or life.reader.exception() is not None:
            await life.end(0.0)
            return None
        return life

    async def dismiss(self) -> None:
        """Nobody is needed, or another order holds."""
        life = await self.take()
        if life is not None:
            await life.end(0.0)


async def _ready(begin: Begin, configure: wall.Configure, network: bool) -> Life:  # noqa: FBT001 as Begin
    life = await begin(network)
    with contextlib.suppress(ConnectionError):
        life.writer.write(wall.encode(configure))
        await life.writer.drain()
    return life
