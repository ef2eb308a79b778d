"""A task is over when it is said to be."""

from __future__ import annotations

import asyncio

import pytest

from firmware.cancelling import cancelled


async def test_the_task_has_cleaned_up_when_we_return() -> None:
    """Not only asked to end: what it does at its end is done. One that is over already is no error."""
    done = []

    async def works() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    task = asyncio.create_task(works())
    await asyncio.sleep(0)
    await cancelled(task)
    await cancelled(task)
    assert done == ["cleaned up"]


async def test_what_broke_it_is_not_swallowed() -> None:
    """A task that ended with an error of its own says so."""

    async def breaks() -> None:
        raise ValueError("broken")

    task = asyncio.create_task(breaks())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="broken"):
        await cancelled(task)
