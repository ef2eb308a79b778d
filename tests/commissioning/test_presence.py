"""Presence beside the device."""

from __future__ import annotations

import pytest

from firmware.commissioning.presence import NOBODY, START_S_MAX, WINDOW_S, at_start, pressed


@pytest.mark.parametrize(("boot_age_s", "present"), [(20.0, True), (START_S_MAX, True), (START_S_MAX + 1, False), (86_400.0, False)])
def test_only_a_start_at_power_up_confirms_presence(boot_age_s: float, present: bool) -> None:
    """A program that starts hours after the machine (an update, a crash) opens no window."""
    assert at_start(boot_age_s).confirmed(boot_age_s + 1) is present


def test_it_ends_after_two_minutes() -> None:
    """Not a moment later."""
    presence = at_start(30.0)
    assert presence.confirmed(30.0 + WINDOW_S - 0.1)
    assert not presence.confirmed(30.0 + WINDOW_S)
    assert presence.left_s(30.0 + WINDOW_S - 20.0) == 20.0
    assert presence.left_s(1e9) == 0.0


def test_the_button_opens_it_again() -> None:
    """At any time, for two minutes from the press."""
    presence = pressed(NOBODY, 5000.0)
    assert (presence.confirmed(5000.0 + WINDOW_S - 1), presence.how) == (True, "button")
    assert not presence.confirmed(5000.0 + WINDOW_S)


def test_crashing_the_program_gains_nothing_later() -> None:
    """However often it restarts, presence ends within START_S_MAX + WINDOW_S of power-up."""
    ends = [at_start(float(age_s)).until_s for age_s in range(1000)]
    assert max(ends) == START_S_MAX + WINDOW_S
    assert not NOBODY.confirmed(0.0)
