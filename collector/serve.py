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
from collector.retention import EVENT_DAYS, retain
from firmware.clock import SystemClock
from provisioning.site import load_opening_key, load_receipt_key

Role = Literal["all", "ingest", "open"]
ENROL_EVERY_S: Final = 5.0
RETAIN_EVERY_S: Final = 3600.0
OPEN_EVERY_S: Final = 0.2
OPEN_MOST: Final = 200
STOP_S_MAX: Final = 10.0

log = logging.getLogger("passerby.collector")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `passerby-collector serve` is told: the configuration file, and what options say otherwise."""

    site: Path
    database: str
    host: str
    port: int
    role: Role = "all"
    passphrase: bytes | None = None
    requests_per_minute: int = REQUESTS_PER_MINUTE
    event_days: int = EVENT_DAYS


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
        await _keep_house(stop, database, settings)
    finally:
        await runner.cleanup()
        await asyncio.get_running_loop().run_in_executor(None, commits.stop)
        ingest.close()


async def _keep_house(stop: asyncio.Event, database: Database, settings: Settings) -> None:
    """Enrol who appears in the site's folder; once an hour, forget what is old."""
    retained_s = float("-inf")
    while not stop.is_set():
        new = enrol_folder(database, settings.site / "devices")
        if new:
            log.info("%d new devices enrolled", new)
        if time.monotonic() - retained_s > RETAIN_EVERY_S:
            retained_s = time.monotonic()
            await asyncio.get_running_loop().run_in_executor(None, _retain, settings)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), ENROL_EVERY_S)


def _retain(settings: Settings) -> None:
    database = open_database(settings.database)
    try:
        removed = retain(database, SystemClock().wall_ms(), settings.event_days)
    finally:
        database.close()
    log.info("forgotten: %s", ", ".join(f"{count} of {what}" for what, count in removed.items()))


async def _open_until(stop: asyncio.Event, database: Database, opening: Opening) -> None:
    devices, clock = Devices(database, time.monotonic), SystemClock()
    while not stop.is_set():
        if open_waiting(database, devices.key_of, opening, clock.wall_ms(), OPEN_MOST):
            await asyncio.sleep(0)
            continue
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), OPEN_EVERY_S)
