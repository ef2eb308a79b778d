"""Whether somebody stands beside the device: for two minutes after power comes on, or after its button is pressed.

A token can be photographed, forwarded and lost; pulling the plug needs a hand. So writes and the empty room ask for both.
The clock counts from power-up (CLOCK_BOOTTIME) and goes on through a restart of the program: whoever crashes the daemon
gains nothing, unless it happens within the first three minutes. Pure: times arrive as arguments, seconds since boot.
"""

from __future__ import annotations

from typing import Final

import msgspec

WINDOW_S: Final = 120.0  # reliability 6.3: long enough to find the page, too short for a passer-by to wait for
START_S_MAX: Final = 180.0  # a Pi 4 with a cold cache needs a minute and a half from power to page; later starts are no power-up


class Presence(msgspec.Struct, frozen=True):
    """Until when somebody counts as present, and how it was shown. `NOBODY` is the value to begin with."""

    until_s: float = float("-inf")
    how: str = ""  # power-up | button

    def confirmed(self, now_s: float) -> bool:
        """Whether somebody is beside the device now."""
        return now_s < self.until_s

    def left_s(self, now_s: float) -> float:
        """For how long it still holds; 0 when it does not."""
        return max(0.0, self.until_s - now_s)


NOBODY: Final = Presence()


def at_start(boot_age_s: float) -> Presence:
    """When the program starts: present if this start is part of a power-up."""
    return Presence(boot_age_s + WINDOW_S, "power-up") if 0.0 <= boot_age_s <= START_S_MAX else NOBODY


def pressed(presence: Presence, now_s: float) -> Presence:
    """The button was pressed: two minutes from now, never less than before."""
    return Presence(max(presence.until_s, now_s + WINDOW_S), "button")
