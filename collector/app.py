"""The collector's face to the devices: POST /v1/uplink over mutual TLS, and nothing else.

A device is who its client certificate says (common name = device id in hex); it must be enrolled and not revoked. Every
request is bounded before it is read, and rate-limited per device; its signatures are verified here, the writing process
(`collector.writer`) enters it, and it is answered once it is durable. Counts are not served here: `collector.reading` has
them, behind the operator's door; how the process fares is told on the loopback, by `collector.keeper_app`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collector.database import Database
from collector.metrics import Metrics
from collector.rate_limit import RateLimit
from collector.receive import Checked, check
from collector.writer import Writer
from firmware.errors import ConfigError, DataError, StorageError
from firmware.uplink.exchange import REQUEST_BYTES_MAX

REQUESTS_PER_MINUTE: Final = 120  # a device that drains 60 days sends about 20 a minute
AT_ONCE_BYTES: Final = 8 * 1024  # ten envelopes are verified in 0.6 ms; more are, beside the event loop
DEVICES_KNOWN_S: Final = 5.0  # how long a revocation may take to be seen
DEVICE_ID_HEX: Final = 32

log = logging.getLogger("passerby.collector")


class Devices:
    """Who may deliver: a short-lived copy of the device table."""

    def __init__(self, database: Database, now_s: Callable[[], float]) -> None:
        """`database` is read on the event loop's thread: one small query every few seconds."""
        self._database, self._now_s = database, now_s
        self._read_s = float("-inf")
        self._keys: dict[bytes, Ed25519PublicKey] = {}

    def key_of(self, device: bytes) -> Ed25519PublicKey | None:
        """The device's key, or None when it is unknown or revoked."""
        if self._now_s() - self._read_s > DEVICES_KNOWN_S:
            self._refresh()
        if device not in self._keys:  # one row, not all: a revoked device must not make us read the table at each knock
            self._keys.update(self._read("SELECT device, public FROM device WHERE revoked = 0 AND device = ?", (device,)))
        return self._keys.get(device)

    def _refresh(self) -> None:
        self._keys = self._read("SELECT device, public FROM device WHERE revoked = 0", ())
        self._read_s = self._now_s()

    def _read(self, sql: str, values: tuple[bytes, ...]) -> dict[bytes, Ed25519PublicKey]:
        rows = self._database.rows(sql, values)
        return {bytes(device): Ed25519PublicKey.from_public_bytes(bytes(public)) for device, public in rows}


class Ingest:
    """The uplink's handlers."""

    def __init__(self, devices: Devices, writer: Writer, per_minute: int = REQUESTS_PER_MINUTE, metrics: Metrics | None = None) -> None:
        """`per_minute` requests a device."""
        self._devices, self._writer = devices, writer
        self._limit = RateLimit(per_minute)
        self.metrics = metrics or Metrics()

    def application(self) -> web.Application:
        """The routes; nothing else is served."""
        app = web.Application(client_max_size=REQUEST_BYTES_MAX + 1)
        app.router.add_post("/v1/uplink", self.uplink)
        return app

    async def uplink(self, request: web.Request) -> web.StreamResponse:
        """Take envelopes; see docs/uplink-v1.md."""
        device = client_device(request)
        if device is not None and not self._limit.allow(device, time.monotonic()):
            self.metrics.count("limited")
            return web.Response(status=429, headers={"Retry-After": "30"}, text="too many requests from this device")
        key = None if device is None else self._devices.key_of(device)
        if device is None or key is None:
            self.metrics.count("refused_device")
            return web.Response(status=403, text="this device is not enrolled here")
        body = await request.read()
        started_s = time.perf_counter()
        try:
            checked = await _checked(device, body, key)
            told = await self._writer.take(checked)
        except DataError as error:
            self.metrics.count("malformed")
            return web.Response(status=400, text=str(error))
        except StorageError as error:
            self.metrics.count("storage_errors")
            log.warning("device %s: %s", device.hex(), error)
            return web.Response(status=503, headers={"Retry-After": "30"}, text="the collector cannot store at the moment")
        self.metrics.took(told.kept, told.spoiled, len(told.conflicts), time.perf_counter() - started_s)
        for seq in told.conflicts:
            log.warning("device %s: two different envelopes under seq %d: a cloned identity?", device.hex(), seq)
        return web.Response(body=told.signed, content_type="application/octet-stream")


async def _checked(device: bytes, body: bytes, key: Ed25519PublicKey) -> Checked:
    """Verifying lets go of the interpreter's lock, so that a thread is of use."""
    if len(body) <= AT_ONCE_BYTES:
        return check(device, body, key)
    return await asyncio.to_thread(check, device, body, key)


def client_device(request: web.Request) -> bytes | None:
    """The device id in the client certificate, or None."""
    certificate = request.transport.get_extra_info("peercert") if request.transport else None
    for name in (certificate or {}).get("subject", ()):
        for field, value in name:
            if field == "commonName" and len(value) == DEVICE_ID_HEX:
                try:
                    return bytes.fromhex(value)
                except ValueError:
                    return None
    return None


def server_context(site: Path, *, strangers: bool = False) -> ssl.SSLContext:
    """TLS 1.3 with the site's server certificate; clients must show one of the same authority, `strangers` none.

    Raises:
        ConfigError: a certificate is missing or damaged.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_NONE if strangers else ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(site / "server.pem", site / "server.key")
        context.load_verify_locations(site / "ca.pem")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot read the certificates in {site}: {error}", "passerby-provision site init makes them") from error
    return context
