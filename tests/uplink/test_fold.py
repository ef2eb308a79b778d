"""Batches that fit, and the sum of an hour."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.uplink.batch import to_bytes
from firmware.uplink.fold import HOUR_MS, add_windows, fold, hour_of, roll_up
from tests.uplink.letters import ABOUT, BATCH, EVENTS, window

COUNTS = st.integers(0, 2**40)
CELLS = st.lists(COUNTS, min_size=16, max_size=16).map(tuple)
ZONES = st.builds(
    ZoneSums, st.sampled_from(["display", "checkout"]), dwell_histogram=CELLS, occupancy_max=COUNTS, dwell_ms=COUNTS, wait_max_ms=COUNTS
)
LINES = st.builds(LineSums, st.sampled_from(["entrance", "back", "side"]), COUNTS, COUNTS)
WINDOWS = st.builds(
    Window,
    st.integers(0, HOUR_MS - 1),
    COUNTS,
    lines=st.lists(LINES, max_size=3, unique_by=lambda line: line.name).map(tuple),
    zones=st.lists(ZONES, max_size=2, unique_by=lambda zone: zone.name).map(tuple),
    audit=st.builds(Audit, COUNTS, COUNTS),
)


def test_a_flush_is_one_batch() -> None:
    """What fits goes together."""
    assert fold(ABOUT, BATCH.windows, BATCH.events) == (BATCH,)


def test_nothing_makes_no_batch() -> None:
    """An empty flush is not sent."""
    assert fold(ABOUT, [], []) == ()


@settings(max_examples=15)
@given(st.integers(0, 2500), st.integers(0, 12_000))
def test_what_does_not_fit_is_split_in_order(windows: int, events: int) -> None:
    """Every window and every event once, in order, in batches that may all be sent."""
    batches = fold(ABOUT, [window(index) for index in range(windows)], EVENTS[:1] * events)
    assert [w.start_ms for batch in batches for w in batch.windows] == [15_000 * index for index in range(windows)]
    assert sum(len(batch.events) for batch in batches) == events
    assert all(to_bytes(batch) for batch in batches)


def test_what_fits_nowhere_is_refused() -> None:
    """A single window over the limits is a fault, not an endless split."""
    with pytest.raises(DataError):
        fold(ABOUT, [Window(0, 15_000, lines=tuple(LineSums(f"{index:064}") for index in range(3000)))], [])


@given(st.lists(WINDOWS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_an_hours_sum_does_not_depend_on_order(windows: list[Window], rng: random.Random) -> None:
    """Integers add and compare in any order to the same bytes, and in parts as at once."""
    shuffled = windows.copy()
    rng.shuffle(shuffled)
    assert roll_up(ABOUT, windows) == roll_up(ABOUT, shuffled)
    cut = rng.randrange(len(windows))
    if cut:
        assert add_windows(windows) == add_windows([add_windows(windows[:cut]), add_windows(windows[cut:])])


def test_the_sum_of_an_hour_is_its_windows_sum() -> None:
    """240 windows: every integer 240 times, the maxima once, the end of the last."""
    hour = roll_up(ABOUT, [window(index) for index in range(240)])
    assert (hour.windows, hour.end_ms, hour.sums.length_ms) == (240, HOUR_MS, HOUR_MS)
    entrance = next(line for line in hour.sums.lines if line.name == "entrance")
    checkout = next(zone for zone in hour.sums.zones if zone.name == "checkout")
    assert (entrance.entries, entrance.exits) == (720, 480)
    assert (checkout.occupancy_max, checkout.dwell_ms, checkout.dwell_histogram[2]) == (3, 240 * 45_000, 240)
    assert hour.sums.audit == Audit(HOUR_MS, 0, 150 * 240)


def test_every_integer_of_a_window_is_summed() -> None:
    """A field that were left out of the sum would show as itself instead of twice itself (or the maximum)."""
    ones = Window(
        0,
        1,
        lines=(LineSums("a", *[1] * (len(LineSums.__struct_fields__) - 1)),),
        zones=(
            msgspec.convert(
                {
                    n: ("a" if n == "name" else "queue" if n == "kind" else (1,) * 16 if "histogram" in n else 1)
                    for n in ZoneSums.__struct_fields__
                },
                ZoneSums,
            ),
        ),
        audit=Audit(*[1] * len(Audit.__struct_fields__)),
    )
    both = add_windows([ones, ones])
    assert set(msgspec.structs.astuple(both.audit)) == {2}
    assert set(msgspec.structs.astuple(both.lines[0])[1:]) == {2}
    left = {name for name in ZoneSums.__struct_fields__ if getattr(both.zones[0], name) == 1}
    assert left == {"occupancy_max", "wait_max_ms"}


def test_an_hour_is_an_hour_of_the_boot_clock() -> None:
    """Windows of two hours make no roll-up, nor do none."""
    assert hour_of(window(239)) == 0
    assert hour_of(window(240)) == 1
    for windows in ([], [window(239), window(240)]):
        with pytest.raises(DataError):
            roll_up(ABOUT, windows)
