"""How much may cross the wall."""

from __future__ import annotations

import pytest

from firmware.errors import WallError
from firmware.flow import BURST_BYTES, RATE_BYTES_S, Flow


def test_what_is_within_the_rate_passes_for_ever() -> None:
    """Messages every tenth of a second, together just within the rate, for an hour."""
    flow = Flow()
    for tenth in range(36_000):
        flow.spend(RATE_BYTES_S // 10, tenth / 10)


def test_a_film_does_not_pass() -> None:
    """One 320x240 grey frame a second is refused within half a minute, and ten a second within two seconds."""
    for fps, seconds in ((1, 30), (10, 1)):
        flow = Flow()
        assert refused_at(flow, [frame / fps for frame in range(fps * seconds)]) is not None


def refused_at(flow: Flow, times_s: list[float]) -> float | None:
    """When a 320x240 grey frame at each of these times is refused first."""
    for t_s in times_s:
        try:
            flow.spend(320 * 240, t_s)
        except WallError:
            return t_s
    return None


def test_a_burst_passes_once() -> None:
    """What gathered while the daemon was busy is taken; twice in a moment is too much."""
    flow = Flow()
    flow.spend(BURST_BYTES, 0.0)
    with pytest.raises(WallError):
        flow.spend(BURST_BYTES, 1.0)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Time never refills the bucket backwards."""
    flow = Flow()
    flow.spend(BURST_BYTES - 1, 1000.0)
    flow.spend(1, 10.0)
    with pytest.raises(WallError):
        flow.spend(1, 10.0)
