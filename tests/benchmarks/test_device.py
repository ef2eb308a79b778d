"""The device's figures, in small: each measurement runs and can tell right from wrong."""

from __future__ import annotations

from benchmarks.device_soak import soaked
from benchmarks.staying_up import FAULTS, lived


def test_a_short_soak_moves_little_and_says_everything() -> None:
    """Twelve simulated minutes: heartbeats twice a second, sealed batches, memory noted after the tenth minute."""
    crowd, crossing, sink = soaked(0.2)
    assert len(crowd.resident) == 1
    assert crossing.messages > 12 * 60
    assert sink.sealed_bytes > 10_000


def test_an_accelerator_that_aborts_costs_no_picture() -> None:
    """Its process dies with it; the CPU does the same frame, vision does not fall, and the windows say who worked."""
    outcome = lived("coral")
    assert (outcome.falls, outcome.grid_holes, outcome.event_error) == (0, 0, 0)
    assert outcome.fallback_frames > 0
    assert outcome.resumed_s == 0.0


def test_a_camera_that_hangs_is_started_anew() -> None:
    """Its call never returns: a new process counts on, the time between is blind, nothing is lost or doubled."""
    outcome = lived("call")
    assert outcome.falls >= 1
    assert (outcome.grid_holes, outcome.event_error) == (0, 0)
    assert outcome.blind_error_s <= 1.0


def test_a_picture_that_is_none_is_told() -> None:
    """Garbage from a driver ends vision in words, not the device."""
    outcome = lived("garbage")
    assert outcome.falls == 1
    assert (outcome.grid_holes, outcome.event_error) == (0, 0)


def test_every_fault_the_device_must_bear_is_tried() -> None:
    """Killed, stopped, a camera that hangs in its thread or in its call, garbage, an accelerator that aborts."""
    assert {"SIGKILL", "SIGSTOP", "call", "read", "garbage", "coral"} <= set(FAULTS)
