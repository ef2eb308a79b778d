"""The daemon's side of the empty room: who may ask, and when it is forgotten.

Rules: asked for only while somebody is beside the device; one at a time; heard only when it was asked for (a picture that
nobody wanted ends the vision process that sent it); held in memory for at most HELD_S after presence was confirmed; never
in a file. Pure: times arrive as arguments, monotonic seconds.
"""

from __future__ import annotations

from typing import Final

from firmware.commissioning.presence import Presence
from firmware.errors import ConfigError, WallError
from firmware.wall import EmptyRoom

HELD_S: Final = 600.0  # privacy: ten minutes at most, from the moment presence was confirmed
WAIT_S_MAX: Final = 150.0  # vision takes 120 s at most; after that a silent camera may be asked anew


class RoomDesk:
    """One camera's empty room."""

    def __init__(self) -> None:
        self._asked_s: float | None = None
        self._until_s = float("-inf")
        self._room: EmptyRoom | None = None

    @property
    def waiting(self) -> bool:
        """Whether one is being made."""
        return self._asked_s is not None

    def ask(self, presence: Presence, now_s: float) -> None:
        """Somebody wants to see the empty room.

        Raises:
            ConfigError: nobody is beside the device, or one is being made already.
        """
        if not presence.confirmed(now_s):
            raise ConfigError("nobody is known to be beside the device", "pull the plug and put it back, then come here within two minutes")
        if self._asked_s is not None and now_s - self._asked_s < WAIT_S_MAX:
            raise ConfigError("an empty room is being made already", "wait for it: it takes at least 20 seconds")
        self._asked_s, self._room, self._until_s = now_s, None, now_s + HELD_S

    def came(self, room: EmptyRoom, now_s: float) -> None:
        """Vision sent one.

        Raises:
            WallError: nobody asked.
        """
        if self._asked_s is None:
            raise WallError("vision sent a picture that nobody asked for")
        self._asked_s = None
        self._room = room if now_s < self._until_s else None

    def show(self, now_s: float) -> EmptyRoom | None:
        """The empty room, while it may be seen."""
        self.forget(now_s)
        return self._room

    def fell(self) -> None:
        """Vision is gone, and what it was making with it."""
        self._asked_s = None

    def forget(self, now_s: float) -> None:
        """Drop it once its time is over."""
        if now_s >= self._until_s:
            self._room = None
