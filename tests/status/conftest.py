from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.status.stage import Browser, Line, Stage, stage


@pytest.fixture
async def up() -> AsyncIterator[Stage]:
    """A page over a fake device."""
    async with stage() as one:
        yield one


@pytest.fixture
async def stranger(up: Stage) -> AsyncIterator[Browser]:
    """A browser that never showed a token."""
    async with Browser(up) as browser:
        yield browser


@pytest.fixture
async def viewer(up: Stage) -> AsyncIterator[Browser]:
    """A browser that did."""
    async with Browser(up) as browser:
        await browser.sign_in()
        yield browser


@pytest.fixture
async def line(up: Stage) -> AsyncIterator[Line]:
    """A raw connection."""
    raw = Line(up)
    yield raw
    await raw.close()
