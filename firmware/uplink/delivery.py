"""What to send next, when, and what an outcome means: a state machine without a clock, a socket or a disk of its own.

Rules: one request in flight. The newest envelopes first, for the live view; the backlog oldest first, no faster than the
collector's drain rate. Full jitter on failure, 1 s to 300 s; the first contact after an outage spreads what follows over
a tenth of it, so that thousands of devices do not come back at once. A request that the collector cannot take is halved
until the one envelope in it is found, and that one is set aside while the rest goes on. Only a signed answer
acknowledges; nothing is ever dropped here. Jitter arrives as `draw`; time as `now_s`, monotonic.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Container, Sequence
from typing import Final, Protocol

import msgspec

from firmware.uplink.exchange import REQUEST_BYTES_MAX, REQUEST_ENVELOPES_MAX, Answer

BACKOFF_S_MIN: Final = 1.0
BACKOFF_S_MAX: Final = 300.0
SPREAD_SHARE: Final = 0.1
SPREAD_S_MIN: Final = 5.0
SPREAD_S_MAX: Final = 600.0
OUTAGE_S_MIN: Final = 30.0  # a shorter silence is a hiccup, not an outage
LIVE_BYTES: Final = 16 * 1024  # of each request, for the newest
FRAMING_BYTES: Final = 4  # length prefix of each envelope
ASIDE_MAX: Final = 4096  # a collector that refuses everything must not fill the memory
ASIDE_RETRY_S: Final = 6 * 3600.0  # what was refused may be taken by a mended collector


Place = tuple[bytes, int]  # stream, seq


class Entry(Protocol):
    """One envelope of the outbox."""

    @property
    def stream(self) -> bytes:
        """Its stream, 8 bytes."""
        ...

    @property
    def seq(self) -> int:
        """Its number there."""
        ...

    @property
    def envelope(self) -> bytes:
        """Its bytes."""
        ...


class Outbox(Protocol):
    """What waits to be acknowledged."""

    def newest(self, bytes_max: int, skip: Container[Place]) -> Sequence[Entry]:
        """The newest waiting envelopes, newest first, within `bytes_max` and without those in `skip`."""
        ...

    def oldest(self, bytes_max: int, skip: Container[Place]) -> Sequence[Entry]:
        """The oldest waiting envelopes, oldest first, likewise."""
        ...


class Outcome(enum.Enum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"  # no network, no name, no connection, no reply in time
    UNTRUSTED = "untrusted"  # somebody answered, but not the collector: a portal, a proxy, another certificate
    BUSY = "busy"  # 429, 503: the collector says later
    REJECTED = "rejected"  # 400, 413, 422: something in the request cannot be taken
    FORBIDDEN = "forbidden"  # 401, 403: our certificate will not do any more


class Request(msgspec.Struct, frozen=True):
    """Envelopes to post together; `live` of them are the newest."""

    entries: tuple[Entry, ...]
    live: int

    @property
    def bytes(self) -> int:
        """Without the framing of the whole."""
        return sum(len(entry.envelope) + FRAMING_BYTES for entry in self.entries)


class Delivery:
    """The delivery of one device."""

    def __init__(self, draw: Callable[[], float], now_s: float = 0.0) -> None:
        """`draw()` is uniform in [0, 1); the first contact after a start is spread over SPREAD_S_MIN."""
        self._draw = draw
        self._due_s = now_s + draw() * SPREAD_S_MIN
        self._failures = 0
        self._last_answer_s: float | None = None
        self._down_since_s: float | None = None
        self._drain_bytes_s = 65_536
        self._suspects: list[tuple[Entry, ...]] = []
        self._aside: dict[Place, float] = {}
        self.last_outcome = ""

    @property
    def due_s(self) -> float:
        """Not before this time."""
        return self._due_s

    @property
    def aside(self) -> int:
        """Envelopes that the collector refused and that wait for better days."""
        return len(self._aside)

    def compose(self, now_s: float, outbox: Outbox) -> Request | None:
        """The next request, or None: not yet due, or nothing to send."""
        if now_s < self._due_s:
            return None
        if self._suspects:
            return Request(self._suspects[-1], 0)
        self._aside = {place: until_s for place, until_s in self._aside.items() if until_s > now_s}
        budget = REQUEST_BYTES_MAX - FRAMING_BYTES
        live = _within(outbox.newest(LIVE_BYTES, self._aside), budget)
        taken = self._aside.keys() | {(entry.stream, entry.seq) for entry in live}
        backlog = _within(outbox.oldest(budget, taken), budget - _bytes(live))
        entries = (*live, *backlog)[:REQUEST_ENVELOPES_MAX]
        return Request(entries, len(live)) if entries else None

    def answered(self, now_s: float, request: Request, answer: Answer) -> None:
        """The collector answered, signed. The caller tells the outbox what is acknowledged."""
        outage_s = 0.0 if self._down_since_s is None else now_s - self._down_since_s
        self._failures, self._down_since_s, self._last_answer_s = 0, None, now_s
        self._drain_bytes_s = max(answer.drain_bytes_s, 1)
        self.last_outcome = "acknowledged"
        self._forget_suspects(request)
        for refusal in answer.refused:
            if refusal.index < len(request.entries):
                self._set_aside(now_s, request.entries[refusal.index])
        pause_s = max(answer.retry_after_ms / 1000, request.bytes / self._drain_bytes_s)
        if outage_s >= OUTAGE_S_MIN:
            pause_s = max(pause_s, self._draw() * min(max(outage_s * SPREAD_SHARE, SPREAD_S_MIN), SPREAD_S_MAX))
        self._due_s = now_s + pause_s

    def failed(self, now_s: float, request: Request, outcome: Outcome, retry_after_s: float = 0.0) -> None:
        """There was no answer that counts."""
        self.last_outcome = outcome.value
        if outcome is Outcome.REJECTED:
            self._halve(now_s, request)
            self._due_s = now_s + self._draw() * BACKOFF_S_MIN
            return
        if self._down_since_s is None:
            self._down_since_s = now_s if self._last_answer_s is None else self._last_answer_s
        ceiling_s = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self._due_s = now_s + max(retry_after_s, self._draw() * ceiling_s)

    def _halve(self, now_s: float, request: Request) -> None:
        self._forget_suspects(request)
        if len(request.entries) == 1:
            self._set_aside(now_s, request.entries[0])
            return
        middle = len(request.entries) // 2
        self._suspects += [request.entries[middle:], request.entries[:middle]]

    def _forget_suspects(self, request: Request) -> None:
        if self._suspects and self._suspects[-1] == request.entries:
            self._suspects.pop()

    def _set_aside(self, now_s: float, entry: Entry) -> None:
        while len(self._aside) >= ASIDE_MAX:
            del self._aside[next(iter(self._aside))]
        self._aside[entry.stream, entry.seq] = now_s + ASIDE_RETRY_S


def _within(entries: Sequence[Entry], bytes_max: int) -> list[Entry]:
    """As many of the first as fit, framing included."""
    chosen: list[Entry] = []
    for entry in entries:
        bytes_max -= len(entry.envelope) + FRAMING_BYTES
        if bytes_max < 0:
            break
        chosen.append(entry)
    return chosen


def _bytes(entries: Sequence[Entry]) -> int:
    return sum(len(entry.envelope) + FRAMING_BYTES for entry in entries)
