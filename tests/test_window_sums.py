"""How the sums of windows add up."""

from __future__ import annotations

from firmware.events import HISTOGRAM_CELLS, ZoneSums
from firmware.window_sums import added


def test_each_field_adds_in_its_own_way() -> None:
    """Labels stay, maxima take the greater, histograms add by cell, integers add."""
    one = ZoneSums("till", "queue", entries=1, occupancy_max=5, dwell_histogram=(1,) * HISTOGRAM_CELLS)
    other = ZoneSums("till", "queue", entries=2, occupancy_max=3, dwell_histogram=(2,) * HISTOGRAM_CELLS)
    whole = added((one, other))
    assert (whole.name, whole.kind, whole.entries, whole.occupancy_max) == ("till", "queue", 3, 5)
    assert whole.dwell_histogram == (3,) * HISTOGRAM_CELLS
    assert added((other, one)) == whole
