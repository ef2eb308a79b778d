"""A token bucket per device: a device gone mad is slowed, the others are not. Bounded: the idle are forgotten."""

from __future__ import annotations

from typing import Final

BUCKETS_MAX: Final = 100_000


class RateLimit:
    """So many requests a minute, with a minute's burst."""

    def __init__(self, per_minute: int) -> None:
        """`per_minute` requests, refilled evenly."""
        self._burst = float(per_minute)
        self._per_s = per_minute / 60.0
        self._buckets: dict[bytes, tuple[float, float]] = {}

    def allow(self, who: bytes, now_s: float) -> bool:
        """Take one token if there is one."""
        tokens, then_s = self._buckets.pop(who, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - then_s) * self._per_s)
        allowed = tokens >= 1.0
        self._buckets[who] = (tokens - 1.0 if allowed else tokens, now_s)  # re-inserted last: the oldest stands first
        if len(self._buckets) > BUCKETS_MAX:
            del self._buckets[next(iter(self._buckets))]
        return allowed
