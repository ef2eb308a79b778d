"""Rows and values have the same fields; the order is the format."""

from __future__ import annotations

import msgspec
import pytest

from firmware.events import HISTOGRAM_CELLS, Audit, LineCrossed, LineSums, OccupancyChanged, Window, ZoneEntered, ZoneLeft, ZoneSums
from firmware.health import UplinkHealth, VisionHealth
from firmware.uplink import rows
from tests.uplink.letters import BOX_EVENT, EVENTS, window

PAIRS = {
    LineSums: rows.LineRow,
    ZoneSums: rows.ZoneRow,
    Audit: rows.AuditRow,
    Window: rows.WindowRow,
    LineCrossed: rows.LineCrossedRow,
    ZoneEntered: rows.ZoneEnteredRow,
    ZoneLeft: rows.ZoneLeftRow,
    OccupancyChanged: rows.OccupancyChangedRow,
    VisionHealth: rows.CameraRow,
    UplinkHealth: rows.UplinkRow,
}


@pytest.mark.parametrize("value", PAIRS)
def test_a_row_has_every_field_of_its_value(value: type[msgspec.Struct]) -> None:
    """A field added to what the device says must be added to the format, or it would be lost on the way."""
    assert set(PAIRS[value].__struct_fields__) == set(value.__struct_fields__)


def test_windows_and_events_come_back() -> None:
    """Rows lose nothing."""
    assert rows.window_of(rows.window_row(window())) == window()
    for event in (*EVENTS, BOX_EVENT):
        assert rows.event_of(rows.event_row(event)) == event


def test_histograms_travel_without_the_zeros_at_their_end() -> None:
    """An empty one is one byte."""
    (row, _) = rows.window_row(window()).zones
    assert row.dwell_histogram == (0, 0, 1, 1)
    assert row.wait_histogram == ()


def test_a_histogram_of_another_length_is_refused() -> None:
    """Sums over years need the same cells."""
    short = Window(0, 15_000, zones=(ZoneSums("display", dwell_histogram=(0,) * (HISTOGRAM_CELLS - 1)),))
    with pytest.raises(msgspec.ValidationError, match="cells"):
        rows.window_row(short)
