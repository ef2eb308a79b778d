"""Waiting in a test for what another task brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool]) -> None:
    """Five seconds for something to come true."""
    end_s = asyncio.get_running_loop().time() + 5.0
    while not condition():
        assert asyncio.get_running_loop().time() < end_s, "waited too long"
        await asyncio.sleep(0.005)
