"""When a vision process is doubted, and when it is over."""

from __future__ import annotations

import pytest

from firmware.sight import DOUBT_S, OPEN_S_MAX, SILENT_S_MAX, START_S_MAX, UNSEEN_S_MAX, Sight


def seeing(until_s: float = 10.0) -> Sight:
    """A process that saw ten pictures a second, with a heartbeat each half second, from 1 s on."""
    sight = Sight(0.0)
    sight.alive("starting", 0, 0.5)
    for beat in range(2, int(2 * until_s) + 1):
        sight.alive("running", 5 * beat, beat / 2)
    return sight


def test_who_sees_is_not_doubted() -> None:
    """Between two heartbeats, and for as long as pictures come."""
    sight = seeing(10.0)
    assert not sight.doubtful(10.9)
    assert sight.verdict(10.9) == ""


def test_one_picture_a_second_is_enough() -> None:
    """The least that a configuration may ask for: its heartbeats are a second apart."""
    sight = Sight(0.0)
    for second in range(1, 60):
        sight.alive("running", second, float(second))
        assert not sight.doubtful(second + 0.99)


def test_doubt_comes_before_the_verdict() -> None:
    """Early enough for a start on a quiet board to be nearly over."""
    sight = seeing(10.0)
    assert sight.doubtful(10.0 + DOUBT_S)
    assert sight.verdict(10.0 + DOUBT_S) == ""
    assert min(SILENT_S_MAX, UNSEEN_S_MAX) - DOUBT_S >= 1.5


def test_a_camera_that_gives_nothing_is_over_after_unseen_s_max() -> None:
    """Heartbeats go on and say blind; what the first of them still adds to the pictures is from before."""
    sight = seeing(10.0)
    for beat in range(5):
        sight.alive("blind", 103, 12.2 + beat / 2)
    assert sight.verdict(10.0 + UNSEEN_S_MAX - 0.01) == ""
    assert sight.verdict(10.0 + UNSEEN_S_MAX) == "no new picture for 3 s"


def test_a_slow_board_is_not_over() -> None:
    """Nothing is said while one picture is worked on for three and a half seconds: no word of a camera gone blind, no verdict."""
    sight = seeing(10.0)
    assert sight.verdict(13.5) == ""
    sight.alive("running", 101, 13.5)
    assert sight.verdict(17.0) == ""


def test_silence_is_over_after_silent_s_max() -> None:
    """A process that is stopped, or hangs itself."""
    assert seeing(10.0).verdict(10.0 + SILENT_S_MAX) == "silent for 4 s"


def test_pictures_that_come_again_end_the_doubt() -> None:
    """A camera that came back by itself."""
    sight = seeing(10.0)
    sight.alive("blind", 100, 12.2)
    sight.alive("running", 101, 12.6)
    assert not sight.doubtful(12.7)
    assert sight.verdict(14.0) == ""


def test_what_is_said_without_a_state_is_a_sign_of_life() -> None:
    """Events count against silence, not against blindness."""
    sight = seeing(10.0)
    sight.said(13.0)
    assert sight.verdict(13.0 + SILENT_S_MAX - 0.1) == ""
    assert sight.doubtful(13.0)


def test_a_start_may_take_minutes_and_an_open_camera_less() -> None:
    """Kernels may have to be compiled; nobody is doubted who never saw."""
    sight = Sight(0.0)
    assert (sight.doubtful(100.0), sight.verdict(START_S_MAX - 1.0)) == (False, "")
    assert sight.verdict(START_S_MAX) != ""
    sight.alive("starting", 0, 100.0)
    assert (sight.doubtful(119.0), sight.verdict(100.0 + OPEN_S_MAX - 1.0)) == (False, "")
    assert sight.verdict(100.0 + OPEN_S_MAX) == "silent for 20 s"


@pytest.mark.parametrize("state", ["running", "blind"])
def test_who_waits_until_then_misses_nothing(state: str) -> None:
    """Waiting from one `until_s` to the next meets doubt and verdict within a hair of their time, in a few steps."""
    sight, now_s, doubted_s, steps = seeing(10.0), 10.0, 0.0, 0
    sight.alive(state, 100, 10.0)
    while not sight.verdict(now_s):
        doubted_s = doubted_s or (now_s if sight.doubtful(now_s) else 0.0)
        now_s, steps = sight.until_s(now_s) + 1e-6, steps + 1
    assert doubted_s == pytest.approx(10.0 + DOUBT_S, abs=1e-3)
    assert now_s == pytest.approx(10.0 + (UNSEEN_S_MAX if state == "blind" else SILENT_S_MAX), abs=1e-3)
    assert steps < 5
