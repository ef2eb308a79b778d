"""Drives delivery over HTTPS with mutual TLS: posts what `Delivery` composes, and tells the outbox what is acknowledged.

The server must show a certificate of the site's own authority for the host in the URL. Its dates are checked unless our
clock is certainly wrong (earlier than this build): a board without a clock boots in 1970 and must deliver all the same,
and what it delivers is sealed and acknowledged by signature anyway. Whatever goes wrong becomes an `Outcome`; deciding
is left to `Delivery`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.errors import DataError, PasserbyError
from firmware.uplink.delivery import Delivery, Outbox, Outcome, Request
from firmware.uplink.exchange import ANSWER_BYTES_MAX, Answer, read_answer, write_request
from firmware.uplink.tls import BUILT, tls_context

TIMEOUT_S: Final = 30.0
PATH: Final = "/v1/uplink"
HEADERS: Final = {"Content-Type": "application/octet-stream"}
IDLE_S_MAX: Final = 60.0
_REJECTED: Final = frozenset({400, 413, 422})
_FORBIDDEN: Final = frozenset({401, 403})
_BUSY: Final = frozenset({429, 502, 503, 504})


class Acknowledging(Outbox, Protocol):
    """An outbox that can be told what is durable at the collector."""

    def acknowledge(self, stream: bytes, through: int | None, sparse: tuple[int, ...]) -> None:
        """Everything up to `through`, and each of `sparse`, need not be kept any longer."""
        ...


class Renewing(Protocol):
    """What keeps the device's certificate young; `firmware.uplink.enroller.Renewal`."""

    def due(self, now_s: float, now: datetime, silent_s: float) -> bool:
        """Whether to ask for another one now."""
        ...

    async def renew(self, now_s: float, now: datetime) -> None:
        """Ask. Raises PasserbyError; the old one is then still there."""
        ...


class Unanswered(Exception):  # noqa: N818  # a reason, not an error: nobody above `Sender` sees it
    """There was no answer that counts."""

    def __init__(self, outcome: Outcome, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.retry_after_s = retry_after_s


class Sender:
    """One device's sender: one request in flight, one connection kept while it lasts."""

    def __init__(
        self,
        url: str,
        folder: Path,
        device: bytes,
        receipt: Ed25519PublicKey,
        wall: Callable[[], datetime],
        renewal: Renewing | None = None,
    ) -> None:
        """`folder` holds tls.pem, tls.key and ca.pem; `wall()` is the wall clock, believed only where it is late enough.

        Raises:
            UplinkError: the certificates cannot be read.
        """
        self._url = url.rstrip("/") + PATH
        self._device, self._receipt, self._wall, self._folder = device, receipt, wall, folder
        tls_context(folder)  # says at once what is wrong with the certificates
        self._session: aiohttp.ClientSession | None = None
        self._renewal, self._answered_s = renewal, float("-inf")
        self.renewals = 0
        self.bytes_sent = 0
        self.last_error = ""
        self.on_answer: Callable[[Answer, float], None] = lambda _answer, _round_trip_s: None

    async def run(self, delivery: Delivery, outbox: Acknowledging, now_s: Callable[[], float], wake: asyncio.Event) -> None:
        """Deliver for ever; `wake` is set when something new waits."""
        self._answered_s = now_s()
        while True:
            wake.clear()
            await self.keep_certificate(now_s)
            request = delivery.compose(now_s(), outbox)
            if request is not None:
                await self.exchange(delivery, outbox, request, now_s)
                continue
            pause_s = delivery.due_s - now_s()
            if pause_s > 0:
                await asyncio.sleep(min(pause_s, IDLE_S_MAX))  # paced: nothing new may hurry it
            else:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(wake.wait(), IDLE_S_MAX)

    async def keep_certificate(self, now_s: Callable[[], float]) -> None:
        """Renew the client certificate when it is due; what keeps it from that is told, and delivery goes on with the old one."""
        if self._renewal is None or not self._renewal.due(now_s(), self._wall(), now_s() - self._answered_s):
            return
        try:
            await self._renewal.renew(now_s(), self._wall())
        except PasserbyError as error:
            self.last_error = f"certificate: {error}"
            return
        self.renewals += 1
        await self.close()  # the next request shows the new one

    async def exchange(self, delivery: Delivery, outbox: Acknowledging, request: Request, now_s: Callable[[], float]) -> None:
        """Post one request and tell `delivery` and `outbox` what became of it."""
        body = write_request([entry.envelope for entry in request.entries])
        started_s = now_s()
        try:
            answer = await self._post(body)
        except Unanswered as reason:
            self.last_error = f"{reason.outcome.value}: {reason}"
            delivery.failed(now_s(), request, reason.outcome, reason.retry_after_s)
            return
        self.last_error, self._answered_s = "", now_s()
        for part in answer.acknowledged:
            outbox.acknowledge(part.stream, part.through, part.sparse)
        delivery.answered(now_s(), request, answer)
        self.on_answer(answer, now_s() - started_s)

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, body: bytes) -> Answer:
        try:
            # No redirects: a portal's 307 would have us post to whomever it names, in clear if it likes.
            async with self._open_session().post(self._url, data=body, headers=HEADERS, allow_redirects=False) as response:
                self.bytes_sent += len(body)
                said = await response.content.read(ANSWER_BYTES_MAX + 1)
                while len(said) <= ANSWER_BYTES_MAX and (more := await response.content.read(ANSWER_BYTES_MAX + 1 - len(said))):
                    said += more
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError) as error:
            raise Unanswered(Outcome.UNTRUSTED, f"not the collector's certificate: {error}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            await self.close()  # the next attempt connects anew, with a clock that may be right by then
            raise Unanswered(Outcome.UNREACHABLE, str(error) or type(error).__name__) from error
        return self._read(response, said, body)

    def _read(self, response: aiohttp.ClientResponse, said: bytes, body: bytes) -> Answer:
        status = response.status
        if status in _REJECTED:
            raise Unanswered(Outcome.REJECTED, f"HTTP {status}")
        if status in _FORBIDDEN:
            raise Unanswered(Outcome.FORBIDDEN, f"HTTP {status}: the collector does not take this device's certificate")
        if status in _BUSY:
            raise Unanswered(Outcome.BUSY, f"HTTP {status}", _seconds(response.headers.get("Retry-After", "")))
        try:
            return read_answer(said, self._receipt, body, self._device)
        except DataError as error:
            raise Unanswered(Outcome.UNTRUSTED, str(error)) from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=tls_context(self._folder, clock_is_wrong=self._wall() < BUILT), limit=1)
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _seconds(header: str) -> float:
    """Retry-After in seconds; a date or nonsense counts as nothing, back-off decides then."""
    return min(float(header), 86_400.0) if header.isdecimal() else 0.0
