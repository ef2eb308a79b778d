"""The collector's face to strangers: POST /v1/enrol with a claim, POST /v1/renew with a known identity.

Its own port, because who comes here has no certificate yet, or one that has ended: TLS shows ours and asks for none. What
a stranger can cost is bounded: a few KB, so many requests a minute from one address, one query. Nothing else is served,
and the process needs the site's authority but no key that opens anything. What a claim is worth is `collector.claims`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from collector.claims import Verdict, device_in_good_standing, take_claims, use_claim
from collector.database import Database
from collector.metrics import Metrics
from collector.rate_limit import RateLimit
from firmware.errors import DataError, StorageError
from firmware.uplink.enrolment import REQUEST_BYTES_MAX, check_renew, read_enrol, read_renew, signed_key, write_certified
from provisioning.certificates import make_device

PER_MINUTE: Final = 60  # of one address: a shop behind one address brings its devices in a morning; a guesser gets nowhere in 2^128
LOOK_EVERY_S: Final = 1.0

log = logging.getLogger("passerby.collector")

_STATUS: Final = {
    Verdict.UNKNOWN: (403, "no claim of this site"),
    Verdict.REVOKED: (403, "this device was revoked"),
    Verdict.USED: (409, "this claim was used by another device"),
    Verdict.EXPIRED: (410, "this claim has expired"),
}


@dataclass(frozen=True, slots=True)
class Authority:
    """The site's certificate authority, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def certify(self, key: ec.EllipticCurvePublicKey, device: bytes, now_ms: int) -> bytes:
        """A device's certificate, DER."""
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        return make_device(self.certificate, self.key, key, device.hex(), now).public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class _Said:
    """What is answered."""

    status: int
    body: bytes


class Enrolment:
    """The handlers. One thread does the work: strangers wait for strangers, devices for nobody."""

    def __init__(
        self, connect: Callable[[], Database], authority: Authority, claims: Path, wall_ms: Callable[[], int], metrics: Metrics
    ) -> None:
        """`connect` is called on the working thread, at the first request; `claims` is the folder of the site's records."""
        self._connect, self._authority, self._claims = connect, authority, claims
        self._wall_ms, self._metrics, self._looked_s = wall_ms, metrics, float("-inf")
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="enrol")
        self._limit = RateLimit(PER_MINUTE)
        self._database: Database | None = None

    def application(self) -> web.Application:
        """The routes; nothing else is served."""
        app = web.Application(client_max_size=REQUEST_BYTES_MAX)
        app.router.add_post("/v1/enrol", self.enrol)
        app.router.add_post("/v1/renew", self.renew)
        return app

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """A claim and a new identity; see docs/enrolment-v1.md."""
        return await self._answer(request, self._enrolled)

    async def renew(self, request: web.Request) -> web.StreamResponse:
        """A known identity; see docs/enrolment-v1.md."""
        return await self._answer(request, self._renewed)

    def close(self) -> None:
        """Let go of thread and connection."""
        self._worker.submit(lambda: self._database.close() if self._database else None)
        self._worker.shutdown()

    async def _answer(self, request: web.Request, decide: Callable[[bytes], _Said]) -> web.StreamResponse:
        if not self._limit.allow((request.remote or "").encode(), time.monotonic()):
            self._metrics.count("limited")
            return web.Response(status=429, headers={"Retry-After": "60"}, text="too many requests from this address")
        body = await request.read()
        try:
            said = await asyncio.get_running_loop().run_in_executor(self._worker, decide, body)
        except DataError as error:
            self._metrics.count("malformed")
            return web.Response(status=400, text=str(error))
        except StorageError as error:
            self._metrics.count("storage_errors")
            log.warning("enrolment: %s", error)
            return web.Response(status=503, headers={"Retry-After": "30"}, text="the collector cannot store at the moment")
        return web.Response(status=said.status, body=said.body, content_type="application/octet-stream")

    def _enrolled(self, body: bytes) -> _Said:
        asked = read_enrol(body)
        key = signed_key(asked.signing_request)
        claimed = use_claim(self._opened(), asked, self._wall_ms())
        if claimed.verdict is Verdict.UNKNOWN and self._looks_again():
            claimed = use_claim(self._opened(), asked, self._wall_ms())
        if claimed.verdict is not Verdict.TAKEN:
            self._metrics.count("enrolments_refused")
            log.warning("claim %r refused: %s, asked by device %s", claimed.name, claimed.verdict.value, claimed.device.hex())
            status, text = _STATUS[claimed.verdict]
            return _Said(status, text.encode())
        self._metrics.count("enrolments")
        log.info("device %s enrolled as %r", claimed.device.hex(), claimed.name)
        return _Said(200, write_certified(body, self._authority.certify(key, claimed.device, self._wall_ms()), claimed.name))

    def _renewed(self, body: bytes) -> _Said:
        asked = read_renew(body)
        known = device_in_good_standing(self._opened(), asked.device)
        if known is None:
            self._metrics.count("enrolments_refused")
            return _Said(403, b"no device of this site")
        check_renew(body, known[0])
        self._metrics.count("renewals")
        return _Said(
            200, write_certified(body, self._authority.certify(signed_key(asked.signing_request), asked.device, self._wall_ms()), known[1])
        )

    def _looks_again(self) -> bool:
        """Whether new claims lie in the site's folder; at most once a second, whatever strangers ask for."""
        if time.monotonic() - self._looked_s < LOOK_EVERY_S:
            return False
        self._looked_s = time.monotonic()
        return take_claims(self._opened(), self._claims, self._wall_ms()) > 0

    def _opened(self) -> Database:
        if self._database is None:
            self._database = self._connect()
        return self._database
