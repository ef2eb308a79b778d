"""Seven days of sums: nothing lost, nothing counted twice, memory flat."""

from __future__ import annotations

import random
import sys

from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.status.curves import SLOT_S, SLOTS, Curves

CAMERA = CameraConfig(
    "shop", "x", line=(LineConfig("door", (0.1, 0.5), (0.9, 0.5)),), zone=(ZoneConfig("till", ((0, 0), (1, 0), (1, 1)), "queue"),)
)
BEGAN_MS = 40_000_000


def window(start_ms: int, entries: int = 0, most: int = 0, blind_ms: int = 0, waited: int = 0) -> Window:
    zone = ZoneSums("till", "queue", entries=entries, occupancy_max=most, wait_ms=waited * 30_000, served=waited)
    return Window(start_ms, 15_000, (LineSums("door", entries, 1),), (zone,), Audit(15_000 - blind_ms, blind_ms))


def test_sums_over_a_week_are_those_of_the_windows() -> None:
    """Entries add, maxima are maxima, waits keep their seconds; every window within seven days is in it."""
    curves, draw = Curves([CAMERA]), random.Random(1)
    windows = [window(BEGAN_MS + 15_000 * n, draw.randrange(3), draw.randrange(9), waited=draw.randrange(2)) for n in range(6 * 5760)]
    curves.take("shop", windows)
    history = curves.history(windows[-1].start_ms + 15_000)
    line, till = history.rows
    assert (line.kind, line.name, till.kind, till.name) == ("line", "door", "queue", "till")
    assert sum(cell[1] for cell in line.cells) == sum(each.lines[0].entries for each in windows)
    assert sum(cell[2] for cell in line.cells) == len(windows)
    assert max(cell[3] for cell in till.cells) == 8
    assert sum(cell[5] for cell in till.cells) == 30 * sum(each.zones[0].served for each in windows)
    assert sum(seconds for _, seconds, _ in history.seen) == 15 * len(windows)


def test_what_is_older_than_a_week_is_gone() -> None:
    """A slot that comes round again begins empty."""
    curves = Curves([CAMERA])
    curves.take("shop", [window(0, 5)])
    assert curves.history(1000).rows[0].cells == [(0, 5, 1, 0, 0, 0)]
    assert curves.history(1000 * SLOT_S * (SLOTS - 1)).rows[0].cells == [(SLOTS - 1, 5, 1, 0, 0, 0)]
    assert curves.history(1000 * SLOT_S * SLOTS).rows[0].cells == []


def test_a_long_sleep_of_the_board_empties_everything() -> None:
    """Time went on by weeks: no old count shows as new."""
    curves = Curves([CAMERA])
    curves.take("shop", [window(0, 5)])
    curves.take("shop", [window(1000 * SLOT_S * SLOTS * 3, 2)])
    assert [cell[1] for cell in curves.history(1000 * SLOT_S * SLOTS * 3).rows[0].cells] == [2]


def test_ages_are_of_now() -> None:
    """Slot 0 began so many seconds ago; slot n began n slots earlier."""
    curves = Curves([CAMERA])
    curves.take("shop", [window(600_000, 1)])
    history = curves.history(750_000)
    assert (history.age_s, history.slot_s, history.slots) == (150.0, SLOT_S, SLOTS)


def test_blind_time_is_kept_apart() -> None:
    """Of the last day, by camera; a camera that is not there has none."""
    curves = Curves([CAMERA])
    curves.take("shop", [window(0, blind_ms=15_000), window(15_000, blind_ms=5_000), window(30_000)])
    assert curves.seen_of_day("shop") == (25.0, 20.0)
    assert curves.seen_of_day("nobody") == (0.0, 0.0)


def test_a_new_configuration_keeps_what_keeps_its_name() -> None:
    """A renamed line begins anew, the other goes on, and windows of the old one do no harm."""
    curves = Curves([CAMERA])
    curves.take("shop", [window(0, 5)])
    renamed = CameraConfig("shop", "x", line=(LineConfig("gate", (0.1, 0.5), (0.9, 0.5)),), zone=CAMERA.zone)
    curves.configure([renamed])
    curves.take("shop", [window(15_000, 7)])
    assert {row.name: sum(cell[1] for cell in row.cells) for row in curves.history(30_000).rows} == {"gate": 0, "till": 12}


def test_memory_is_taken_once() -> None:
    """A week of the busiest shop takes not a byte more than an empty one."""
    curves = Curves([CAMERA])
    before = [sys.getsizeof(row) for row in curves._rows.values()]
    curves.take("shop", [window(15_000 * n, 1000, 1000) for n in range(8 * 5760)])
    assert [sys.getsizeof(row) for row in curves._rows.values()] == before
