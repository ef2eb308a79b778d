"""Composition root of the collector: database, keys, the writer, the HTTPS server, the opener.

Roles: `all` does everything in one process; `ingest` faces the devices and has no key that opens anything; `open` has
the key and no network. The stop is graceful: no new requests, what waits is committed and answered, then the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiohttp import web

from collector.app import REQUESTS_PER_MINUTE, Devices, Ingest, server_context
from collector.database import Database, open_database
from collector.enrolment import enrol_folder
from collector.group_commit import GroupCommit
from collector.receive import Opening, open_waiting
from firmware.clock import SystemClock
from provisioning.site import load_opening_key, load_receipt_key

Role = Literal["all", "ingest", "open"]
ENROL_EVERY_S: Final = 5.0
OPEN_EVERY_S: Final = 0.2
OPEN_MOST: Final = 200
STOP_S_MAX: Final = 10.0

log = logging.getLogger("passerby.collector")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `passerby-collector serve` is told."""

    site: Path
    database: str
    host: str
    port: int
    role: Role = "all"
    passphrase: bytes | None = None
    requests_per_minute: int = REQUESTS_PER_MINUTE


async def serve(settings: Settings, ready: Callable[[int], None] = lambda _port: None) -> None:
    """Run until SIGTERM or SIGINT; `ready` is told the port once requests are taken.

    Raises:
        ConfigError, DataError, StorageError: what keeps it from starting, in one line.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
    database = open_database(settings.database)
    try:
        enrol_folder(database, settings.site / "devices")
        opening = None if settings.role == "ingest" else _opening(settings)
        if settings.role == "open":
            assert opening is not None
            await _open_until(stop, database, opening)
            return
        await _listen_until(stop, settings, database, opening, ready)
    finally:
        database.close()


def _opening(settings: Settings) -> Opening:
    key = load_opening_key(settings.site, settings.passphrase)
    return {key.key_id: key}


async def _listen_until(
    stop: asyncio.Event, settings: Settings, database: Database, opening: Opening | None, ready: Callable[[int], None]
) -> None:
    commits = GroupCommit(lambda: open_database(settings.database), SystemClock().wall_ms)
    ingest = Ingest(Devices(database, time.monotonic), commits, load_receipt_key(settings.site), opening, settings.requests_per_minute)
    context = server_context(settings.site)
    commits.start()
    runner = web.AppRunner(ingest.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port, ssl_context=context, shutdown_timeout=STOP_S_MAX)
    try:
        await site.start()
        ready(runner.addresses[0][1])
        await _enrol_until(stop, database, settings.site / "devices")
    finally:
        await runner.cleanup()
        await asyncio.get_running_loop().run_in_executor(None, commits.stop)
        ingest.close()


async def _enrol_until(stop: asyncio.Event, database: Database, folder: Path) -> None:
    while not stop.is_set():
        new = enrol_folder(database, folder)
        if new:
            log.info("%d new devices enrolled from %s", new, folder)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), ENROL_EVERY_S)


async def _open_until(stop: asyncio.Event, database: Database, opening: Opening) -> None:
    devices, clock = Devices(database, time.monotonic), SystemClock()
    while not stop.is_set():
        if open_waiting(database, devices.key_of, opening, clock.wall_ms(), OPEN_MOST):
            await asyncio.sleep(0)
            continue
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), OPEN_EVERY_S)
