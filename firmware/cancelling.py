"""The end of a task that would run for ever."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it is over. What it raised on the way is raised here."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
