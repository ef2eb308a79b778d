"""Composition root of the collector: database, keys, the writing process, the servers, the opener.

Roles: `all` does everything; `ingest` faces the devices and has no key that opens or certifies anything; `enrol` faces new
devices and has the site's authority; `open` has the opening key and no network. `all` and `ingest` are two processes: the
one that devices reach hands over to the one that checks, enters and signs. The stop is graceful: no new requests, what
waits is committed and answered, then the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from aiohttp import web

from collector.app import REQUESTS_PER_MINUTE, Devices, Ingest, server_context
from collector.claims import take_claims
from collector.database import Database, open_database
from collector.enrol_app import Authority, Enrolment
from collector.enrolment import enrol_folder
from collector.frames import Start
from collector.keeper_app import keeper_application
from collector.metrics import Metrics
from collector.receive import Opening, open_waiting
from collector.retention import EVENT_DAYS, retain
from collector.writer import Writer
from firmware.clock import SystemClock
from firmware.errors import StorageError
from provisioning.site import load_authority, load_opening_key

Role = Literal["all", "ingest", "enrol", "open"]
LOOPBACK: Final = "127.0.0.1"
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
    enrol_port: int
    metrics_port: int
    role: Role = "all"
    passphrase: bytes | None = None
    requests_per_minute: int = REQUESTS_PER_MINUTE
    event_days: int = EVENT_DAYS


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens, once it does; 0: not at all."""

    uplink: int
    enrol: int
    metrics: int


async def serve(settings: Settings, ready: Callable[[Ports], None] = lambda _ports: None) -> None:
    """Run until SIGTERM or SIGINT; `ready` is told the ports once requests are taken.

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
        _take_records(database, settings)
        if settings.role == "open":
            ready(Ports(0, 0, 0))
            await _open_until(stop, database, _opening(settings))
            return
        async with contextlib.AsyncExitStack() as running:
            writer = Writer(stop.set)
            ready(await _listen(running, settings, database, writer))
            await _keep_house(stop, database, settings)
            if writer.lost:
                raise StorageError("the process that writes has ended", "its last words stand above; start the collector again")
    finally:
        database.close()


async def _listen(running: contextlib.AsyncExitStack, settings: Settings, database: Database, writer: Writer) -> Ports:
    """Start the role's servers; `running` stops them in reverse order."""
    metrics, faces_devices = Metrics(), settings.role != "enrol"
    uplink = enrol = 0
    if faces_devices:
        uplink = await _listen_to_devices(running, settings, database, writer, metrics)
    if not faces_devices or (settings.role == "all" and (settings.site / "ca.key").exists()):
        authority = Authority(*load_authority(settings.site, settings.passphrase))
        connect, claims = partial(open_database, settings.database), settings.site / "claims"
        enrolment = Enrolment(connect, authority, claims, SystemClock().wall_ms, metrics)
        running.callback(enrolment.close)
        context = server_context(settings.site, strangers=True)
        enrol = await _site(running, enrolment.application(), (settings.host, settings.enrol_port), context)
    kept = await _site(running, keeper_application(metrics, writer if faces_devices else None), (LOOPBACK, settings.metrics_port), None)
    return Ports(uplink, enrol, kept)


async def _listen_to_devices(
    running: contextlib.AsyncExitStack, settings: Settings, database: Database, writer: Writer, metrics: Metrics
) -> int:
    context = server_context(settings.site)
    await writer.start(Start(str(settings.site), settings.database, settings.role != "ingest", settings.passphrase))
    running.push_async_callback(writer.stop)
    ingest = Ingest(Devices(database, time.monotonic), writer, settings.requests_per_minute, metrics)
    return await _site(running, ingest.application(), (settings.host, settings.port), context)


async def _site(running: contextlib.AsyncExitStack, app: web.Application, where: tuple[str, int], context: object) -> int:
    """Serve an application; the port it got."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_S_MAX)
    await runner.setup()
    running.push_async_callback(runner.cleanup)
    host, port = where
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()  # type: ignore[arg-type]
    except OSError as error:
        raise StorageError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}", "is another collector running? --port takes another"
        ) from error
    return int(runner.addresses[0][1])


def _opening(settings: Settings) -> Opening:
    key = load_opening_key(settings.site, settings.passphrase)
    return {key.key_id: key}


def _take_records(database: Database, settings: Settings) -> None:
    """Who and what appeared in the site's folder since: devices, claims."""
    devices = enrol_folder(database, settings.site / "devices")
    claims = take_claims(database, settings.site / "claims", SystemClock().wall_ms())
    if devices or claims:
        log.info("%d new devices enrolled, %d new claims noted", devices, claims)


async def _keep_house(stop: asyncio.Event, database: Database, settings: Settings) -> None:
    """Take what appears in the site's folder; once an hour, forget what is old."""
    retained_s = float("-inf")
    while not stop.is_set():
        _take_records(database, settings)
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
    if any(removed.values()):
        log.info("forgotten: %s", ", ".join(f"{count} of {what}" for what, count in removed.items()))


async def _open_until(stop: asyncio.Event, database: Database, opening: Opening) -> None:
    devices, clock = Devices(database, time.monotonic), SystemClock()
    while not stop.is_set():
        if open_waiting(database, devices.key_of, opening, clock.wall_ms(), OPEN_MOST):
            await asyncio.sleep(0)
            continue
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), OPEN_EVERY_S)
