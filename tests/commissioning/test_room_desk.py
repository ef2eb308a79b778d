"""Who may see the empty room, and for how long."""

from __future__ import annotations

import pytest

from firmware.commissioning.presence import NOBODY, Presence, pressed
from firmware.commissioning.room_desk import HELD_S, WAIT_S_MAX, RoomDesk
from firmware.errors import ConfigError, WallError
from firmware.wall import EmptyRoom

HERE: Presence = pressed(NOBODY, 100.0)
ROOM = EmptyRoom("door", 2, 1, b"\x10\x20", 1000, 20)


def test_without_presence_nothing_is_asked() -> None:
    """A token alone is not enough."""
    desk = RoomDesk()
    with pytest.raises(ConfigError, match="beside the device"):
        desk.ask(NOBODY, 100.0)
    with pytest.raises(ConfigError, match="beside the device"):
        desk.ask(HERE, HERE.until_s)
    with pytest.raises(WallError):
        desk.came(ROOM, 101.0)


def test_it_is_forgotten_ten_minutes_after_presence() -> None:
    """Not ten minutes after it came: from the moment somebody stood there."""
    desk = RoomDesk()
    desk.ask(HERE, 110.0)
    desk.came(ROOM, 140.0)
    assert desk.show(110.0 + HELD_S - 1) == ROOM
    assert desk.show(110.0 + HELD_S) is None
    assert desk.show(140.0) is None  # gone for good, whatever the clock says


def test_a_picture_that_nobody_asked_for_is_an_error_of_the_wall() -> None:
    """Whether never asked, or asked once and sent twice."""
    desk = RoomDesk()
    with pytest.raises(WallError, match="nobody asked"):
        desk.came(ROOM, 1.0)
    desk.ask(HERE, 110.0)
    desk.came(ROOM, 130.0)
    with pytest.raises(WallError, match="nobody asked"):
        desk.came(ROOM, 131.0)


def test_one_at_a_time() -> None:
    """A second wish waits for the first, unless the camera has gone or is silent for too long."""
    desk = RoomDesk()
    desk.ask(HERE, 110.0)
    with pytest.raises(ConfigError, match="already"):
        desk.ask(HERE, 111.0)
    desk.fell()
    desk.ask(HERE, 112.0)
    assert desk.waiting
    desk.ask(pressed(HERE, 112.0 + WAIT_S_MAX), 112.0 + WAIT_S_MAX)


def test_a_new_wish_drops_the_old_picture() -> None:
    """There is never more than one."""
    desk = RoomDesk()
    desk.ask(HERE, 110.0)
    desk.came(ROOM, 131.0)
    desk.ask(HERE, 140.0)
    assert desk.show(141.0) is None


def test_one_that_comes_too_late_is_not_kept() -> None:
    """Vision took longer than it may be shown."""
    desk = RoomDesk()
    desk.ask(HERE, 110.0)
    desk.came(ROOM, 110.0 + HELD_S)
    assert desk.show(110.0 + HELD_S) is None
