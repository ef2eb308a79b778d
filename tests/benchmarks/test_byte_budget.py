"""The byte budget of a simulated day."""

from __future__ import annotations

import pytest

from benchmarks.byte_budget import DAY_S, STILL_BYTES, day
from firmware.events import Disclosure
from firmware.uplink.budget import DAY_BYTES_MAX


@pytest.mark.parametrize("disclosure", ["windows", "events"])
def test_a_day_stays_inside_the_budget_and_stills_would_not(disclosure: Disclosure) -> None:
    """24 simulated hours, every envelope really sealed; a 10 KB still a minute beside them breaks it."""
    sealing = day(disclosure, minutes=2)
    assert sealing.total <= DAY_BYTES_MAX[disclosure]
    assert sealing.total + STILL_BYTES * DAY_S // 60 > DAY_BYTES_MAX[disclosure]
    assert len(sealing.padded) <= 9
    assert sum(sealing.sizes.values()) > DAY_S / 30
