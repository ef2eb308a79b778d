"""Boot time becomes wall time, from whatever anchors there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.clock_mapping import mapping_of
from firmware.uplink.stamp import WallQuality

NTP, RTC, RESTORED, COLLECTOR = (int(q) for q in (WallQuality.NTP, WallQuality.RTC, WallQuality.RESTORED, WallQuality.COLLECTOR))
EPOCH = 1_800_000_000_000


def test_one_anchor_places_the_whole_boot() -> None:
    """Before and after it, at a constant distance."""
    mapping = mapping_of([(10_000, EPOCH, NTP)], [], [])
    assert mapping is not None
    assert not mapping.uncertain
    assert [mapping.wall_ms(t) for t in (0, 10_000, 99_000)] == [EPOCH - 10_000, EPOCH, EPOCH + 89_000]


def test_drift_between_two_anchors_is_shared_out() -> None:
    """A crystal that lost a second in a thousand: half of it by the middle."""
    mapping = mapping_of([(0, EPOCH, NTP), (1_000_000, EPOCH + 1_001_000, COLLECTOR)], [], [])
    assert mapping is not None
    assert mapping.wall_ms(500_000) == EPOCH + 500_500


def test_the_network_wins_over_a_chip_and_a_chip_over_the_disk() -> None:
    """A clock restored ten years wrong does not move what NTP placed."""
    decade = 10 * 365 * 86_400_000
    mapping = mapping_of([(0, EPOCH - decade, RESTORED), (5, EPOCH + decade, RTC), (10, EPOCH, NTP)], [], [])
    assert mapping is not None
    assert mapping.wall_ms(10) == EPOCH
    weaker = mapping_of([(0, EPOCH - decade, RESTORED), (5, EPOCH, RTC)], [], [])
    assert weaker is not None
    assert (weaker.wall_ms(5), weaker.uncertain) == (EPOCH, True)


def test_without_anchors_arrival_bounds_it() -> None:
    """A boot nobody dated is placed by the envelope that arrived soonest after sealing, and marked."""
    mapping = mapping_of([], [], [(1_000, EPOCH + 90_000), (2_000, EPOCH + 2_500), (3_000, EPOCH + 70_000)])
    assert mapping is not None
    assert mapping.uncertain
    assert mapping.wall_ms(2_000) == EPOCH + 2_500
    assert mapping_of([], [], []) is None


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(-5000, 5000)), min_size=1, max_size=10), st.integers(0, 10**9))
def test_the_boot_range_holds_what_it_promises(anchors: list[tuple[int, int]], boot_ms: int) -> None:
    """Whatever is placed inside a wall-time range lies inside the boot range asked for it."""
    mapping = mapping_of([(at, EPOCH + at + offset, NTP) for at, offset in anchors], [], [])
    assert mapping is not None
    wall_ms = mapping.wall_ms(boot_ms)
    low, high = mapping.boot_range(wall_ms, wall_ms + 1)
    assert low <= boot_ms < high


@pytest.mark.parametrize("quality", [NTP, COLLECTOR])
def test_both_kinds_of_network_time_are_sure(quality: int) -> None:
    """NTP and the collector's own answer count alike."""
    mapping = mapping_of([(0, EPOCH, quality)], [], [])
    assert mapping is not None
    assert not mapping.uncertain


def test_a_stamp_in_passing_yields_to_an_anchor() -> None:
    """An envelope's own note places a boot that has no anchor of that quality, and only then."""
    noted = mapping_of([], [(0, EPOCH, NTP)], [])
    assert noted is not None
    assert (noted.wall_ms(5), noted.uncertain) == (EPOCH + 5, False)
    anchored = mapping_of([(0, EPOCH + 700, COLLECTOR)], [(0, EPOCH, NTP)], [])
    assert anchored is not None
    assert anchored.wall_ms(5) == EPOCH + 705
