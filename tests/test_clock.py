"""The clock: what is believed of the wall clock, and that time does not go back."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware import clock
from firmware.clock import BUILT_MS, SystemClock, wall_quality

NOW_MS = BUILT_MS + 1


def kernel_says(state: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace(adjtimex=lambda _timex: state))


@pytest.mark.parametrize("marked", [True, False])
def test_where_the_kernel_may_not_be_asked_timesyncd_answers(marked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under ProtectClock= adjtimex fails: only the mark of a synchronisation then speaks for NTP."""
    kernel_says(-1, monkeypatch)
    mark = tmp_path / "synchronized"
    monkeypatch.setattr(clock, "_SYNCHRONISED", mark)
    if marked:
        mark.touch()
    assert (wall_quality(NOW_MS) == "ntp") is marked


def test_a_kernel_that_says_unsynchronised_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old mark does not outweigh the kernel, which knows that it lost its source."""
    kernel_says(5, monkeypatch)
    monkeypatch.setattr(clock, "_SYNCHRONISED", tmp_path)
    monkeypatch.setattr(clock, "_RTC", tmp_path / "none")
    assert wall_quality(NOW_MS) == "restored"


def test_a_clock_before_the_build_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the kernel says of it."""
    kernel_says(0, monkeypatch)
    assert wall_quality(BUILT_MS - 1) == "unknown"
    assert wall_quality(NOW_MS) == "ntp"


def test_monotonic_time_does_not_go_back() -> None:
    """Two readings are in order."""
    system = SystemClock()
    assert system.monotonic_s() <= system.monotonic_s()
