"""The token bucket: a minute's burst, refilled evenly, each device for itself, bounded."""

from __future__ import annotations

import pytest

from collector import rate_limit
from collector.rate_limit import RateLimit


def test_a_burst_then_the_rate() -> None:
    """60 at once, then one a second."""
    limit = RateLimit(60)
    assert sum(limit.allow(b"a", 0.0) for _ in range(100)) == 60
    assert not limit.allow(b"a", 0.5)
    assert sum(limit.allow(b"a", 10.0) for _ in range(100)) == 10


def test_devices_do_not_share() -> None:
    """One that is mad takes nothing from another."""
    limit = RateLimit(5)
    assert sum(limit.allow(b"mad", 0.0) for _ in range(100)) == 5
    assert sum(limit.allow(b"calm", 0.0) for _ in range(5)) == 5


def test_the_idle_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; who was forgotten begins with a full bucket."""
    monkeypatch.setattr(rate_limit, "BUCKETS_MAX", 10)
    limit = RateLimit(1)
    for number in range(100):
        assert limit.allow(bytes([number]), 0.0)
    assert len(limit._buckets) == 10
    assert not limit.allow(bytes([99]), 0.0)
    assert limit.allow(bytes([0]), 0.0)
