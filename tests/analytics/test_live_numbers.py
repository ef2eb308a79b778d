"""Live numbers: the place now, never a person."""

from __future__ import annotations

from firmware.analytics.live_numbers import LIVE_MS, LiveBoard
from firmware.analytics.occupancy import Inside
from firmware.analytics.queueing import WaitEstimate
from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.health import LiveLine, LiveZone

SQUARE = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
CAMERA = CameraConfig(
    "shop",
    "x",
    line=(LineConfig("door", (0.0, 0.5), (1.0, 0.5)),),
    zone=(ZoneConfig("display", SQUARE), ZoneConfig("till", SQUARE, kind="queue")),
)


def test_lines_count_both_stages_in_both_directions() -> None:
    """Settled and provisional, in and out, each for itself."""
    board = LiveBoard(CAMERA)
    for _ in range(3):
        board.crossed(0, "in", "provisional")
    board.crossed(0, "in", "settled")
    board.crossed(0, "out", "settled")
    shown = board.show(0, [0, 0], [None, WaitEstimate()], [None, None], Inside())
    assert shown.lines == (LiveLine("door", entries=1, exits=1, provisional_entries=3, provisional_exits=0),)


def test_queues_show_the_wait_and_areas_do_not() -> None:
    """The longest wait is that of who came first; nobody there, no wait."""
    board, estimate = LiveBoard(CAMERA), WaitEstimate()
    shown = board.show(60_000, [2, 3], [None, estimate], [10_000, 20_000], Inside())
    assert shown.zones == (LiveZone("display", "area", 2), LiveZone("till", "queue", 3, None, 40_000))
    assert board.show(61_000, [2, 0], [None, estimate], [10_000, None], Inside()).zones[1] == LiveZone("till", "queue", 0)


def test_the_numbers_stand_for_half_a_second() -> None:
    """Due at first and then again after LIVE_MS; in between the last ones are given."""
    board = LiveBoard(CAMERA)
    assert board.is_due(0)
    shown = board.show(0, [1, 0], [None, None], [None, None], Inside())
    assert not board.is_due(LIVE_MS - 1)
    assert board.last() is shown
    assert board.is_due(LIVE_MS)


def test_the_balance_of_the_doors_and_its_drift_are_shown() -> None:
    """How many are inside, and how far that can be trusted."""
    inside = Inside()
    inside.left()
    inside.came()
    shown = LiveBoard(CAMERA).show(0, [0, 0], [None, None], [None, None], inside)
    assert (shown.inside, shown.drift) == (1, 1)
