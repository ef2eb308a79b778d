"""The byte budget of a simulated day."""

from __future__ import annotations

from benchmarks.byte_budget import DAY_S, STILL_BYTES, day
from firmware.uplink.budget import DAY_BYTES_MAX


def test_a_day_stays_inside_the_budget_and_stills_would_not() -> None:
    """24 simulated hours of windows, every envelope really sealed; a 10 KB still a minute beside them breaks it."""
    sealing = day("windows", minutes=1)
    assert sealing.total <= DAY_BYTES_MAX["windows"]
    assert sealing.total + STILL_BYTES * DAY_S // 60 > DAY_BYTES_MAX["windows"]
    assert len(sealing.padded) <= 9
    assert sum(sealing.sizes.values()) > DAY_S / 30
