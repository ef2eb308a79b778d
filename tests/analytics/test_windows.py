"""Windows: integer sums whose parts add up to the whole, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.analytics.windows import BLIND_WINDOWS_MAX, Stay, Windows
from firmware.events import DWELL_EDGES_S, HISTOGRAM_CELLS, Window

LENGTH_MS = 15_000


def certain(zone: int, stay: Stay) -> int:
    """Open stays are certain for ever: the person is in view."""
    return 10**9


def make(zones: int = 1) -> Windows:
    return Windows(("door",), tuple((f"zone {i}", "queue") for i in range(zones)), LENGTH_MS)


def test_windows_lie_on_the_grid() -> None:
    """The first frame at 37 s: windows begin at 30, 45 and 60 s, each 15 s long."""
    windows = make()
    assert windows.advance(37_000, certain, observed=True) == ()
    closed = windows.advance(61_000, certain, observed=True)
    closed += windows.finish(61_000, certain)
    assert [(w.start_ms, w.length_ms) for w in closed] == [(30_000, 15_000), (45_000, 15_000), (60_000, 15_000)]


def test_observed_and_blind_are_the_whole_window() -> None:
    """Before the first frame and after the last the device was blind; in between as told."""
    windows = make()
    windows.advance(5_000, certain, observed=True)
    windows.advance(12_000, certain, observed=True)
    windows.advance(14_000, certain, observed=False)
    closed = windows.advance(20_000, certain, observed=True) + windows.finish(20_000, certain)
    assert [(w.audit.observed_ms, w.audit.blind_ms) for w in closed] == [(8_000, 7_000), (5_000, 10_000)]


def test_occupancy_is_split_at_the_edges() -> None:
    """One stay from 10 s to 50 s: 5, 15, 15 and 5 seconds."""
    windows = make()
    windows.advance(0, certain, observed=True)
    windows.began(0, 1, 10_000)
    closed = windows.advance(46_000, certain, observed=True)
    windows.ended(0, 1, 50_000)
    closed += windows.advance(60_000, certain, observed=True)
    assert [w.zones[0].occupancy_ms for w in closed] == [5_000, 15_000, 15_000, 5_000]
    assert [w.zones[0].occupancy_max for w in closed] == [1, 1, 1, 1]


def test_what_becomes_certain_later_is_carried_on() -> None:
    """Out of sight since 12 s at the close of a window, found again at 20 s: the rest is booked in the next."""
    windows, seen_ms = make(), 12_000
    windows.advance(0, certain, observed=True)
    windows.began(0, 1, 5_000)
    first = windows.advance(15_000, lambda zone, stay: seen_ms, observed=True)
    seen_ms = 30_000
    second = windows.advance(30_000, lambda zone, stay: seen_ms, observed=True)
    assert (first[0].zones[0].occupancy_ms, second[0].zones[0].occupancy_ms) == (7_000, 18_000)


def test_who_leaves_as_another_comes_was_never_beside_them() -> None:
    """At one instant out sorts before in: one at a time, however many."""
    windows = make()
    windows.advance(0, certain, observed=True)
    for person in range(10):
        windows.began(0, person, 1_000 * person)
        windows.ended(0, person, 1_000 * person + 1_000)
    (closed,) = windows.advance(15_000, certain, observed=True)
    assert (closed.zones[0].occupancy_max, closed.zones[0].occupancy_ms) == (1, 10_000)


def test_histograms_hold_their_upper_edges() -> None:
    """A dwell of exactly an edge belongs to the cell below it; one millisecond more to the next; the last cell is open."""
    windows = make()
    windows.advance(0, certain, observed=True)
    for dwell_ms in (2_000, 2_001, 10**8):
        windows.dwelt(0, dwell_ms)
    histogram = windows.finish(0, certain)[0].zones[0].dwell_histogram
    assert len(histogram) == HISTOGRAM_CELLS == len(DWELL_EDGES_S) + 1
    assert (histogram[0], histogram[1], histogram[-1], sum(histogram)) == (1, 1, 1, 3)


def test_the_open_window_can_be_read_without_booking_anything() -> None:
    """What would be lost if the device died now; reading it twice changes nothing."""
    windows = make()
    windows.advance(0, certain, observed=True)
    windows.began(0, 1, 2_000)
    windows.line(0, "entries")
    windows.advance(10_000, certain, observed=True)
    first = windows.open_window(lambda zone, stay: 10_000)
    assert first == windows.open_window(lambda zone, stay: 10_000)
    assert first is not None
    assert (first.zones[0].occupancy_ms, first.lines[0].entries, first.audit.observed_ms) == (8_000, 1, 10_000)
    assert windows.advance(15_000, certain, observed=True)[0].zones[0].occupancy_ms == 13_000


def test_a_long_sleep_does_not_flood() -> None:
    """A week without a frame: an hour of blind windows at most, still on the grid, the last ones up to now."""
    windows = make()
    windows.advance(0, certain, observed=True)
    week_ms = 7 * 86_400_000
    closed = windows.advance(week_ms, certain, observed=False)
    assert len(closed) <= BLIND_WINDOWS_MAX + 1
    assert closed[-1].start_ms + LENGTH_MS == week_ms
    assert all(w.start_ms % LENGTH_MS == 0 and w.audit.blind_ms == LENGTH_MS for w in closed)


@dataclass(frozen=True)
class Plan:
    """One stay of a made-up day, ms."""

    entry: int
    dwell: int
    told_late: int


plans = st.lists(st.builds(Plan, st.integers(0, 100_000), st.integers(0, 50_000), st.integers(0, 8_000)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(plans, st.lists(st.integers(1, 20_000), min_size=1, max_size=40))
def test_sums_over_windows_are_the_totals(stays: list[Plan], strides: list[int]) -> None:
    """However time is cut into steps and however late a visit becomes known: occupancy adds up to dwell, counts to counts, time to time."""
    windows, now, closed = make(), 0, []
    windows.advance(0, certain, observed=True)
    edges = [(max(0, plan.entry) + plan.told_late, "began", i) for i, plan in enumerate(stays)]
    edges += [(plan.entry + plan.told_late + plan.dwell, "ended", i) for i, plan in enumerate(stays)]
    steps = sorted([(t, "step", -1) for t in _running(strides)] + edges)
    for t_ms, what, i in steps:
        now = max(now, t_ms)
        closed += windows.advance(now, lambda zone, stay, now=now: min(stay.entry_ms + stays[stay.person].dwell, now), observed=True)
        if what == "began":
            windows.began(0, i, stays[i].entry)
            windows.zone(0, "entries")
        elif what == "ended":
            windows.ended(0, i, stays[i].entry + stays[i].dwell)
            windows.dwelt(0, stays[i].dwell)
            windows.zone(0, "exits")
    closed += windows.finish(now, certain)
    zones = [window.zones[0] for window in closed]
    assert sum(zone.occupancy_ms for zone in zones) == sum(plan.dwell for plan in stays) == sum(zone.dwell_ms for zone in zones)
    assert sum(zone.entries for zone in zones) == sum(zone.exits for zone in zones) == len(stays)
    assert sum(sum(zone.dwell_histogram) for zone in zones) == len(stays)
    assert all(window.audit.observed_ms + window.audit.blind_ms == window.length_ms for window in closed)
    assert sum(window.audit.observed_ms for window in closed) == now
    assert [window.start_ms for window in closed] == list(range(0, now + 1, LENGTH_MS))


def _running(strides: list[int]) -> list[int]:
    total, out = 0, []
    for stride in strides:
        total += stride
        out.append(total)
    return out


def test_all_sums_are_integers() -> None:
    """Floats would make the sum depend on the order."""
    windows = make(2)
    windows.advance(0, certain, observed=True)
    windows.began(0, 1, 0)
    windows.audit("frames", 3)

    def leaves(value: object) -> list[object]:
        if isinstance(value, dict):
            return [leaf for inner in value.values() for leaf in leaves(inner)]
        return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list | tuple) else [value]

    for window in windows.finish(1_000, certain):
        assert {type(leaf) for leaf in leaves(msgspec.to_builtins(window))} <= {int, str}


@pytest.mark.parametrize("t_ms", [0, 1, 14_999, 15_000])
def test_finish_always_closes_the_open_window(t_ms: int) -> None:
    """Whatever the last moment, nothing stays open, and a second finish says nothing more."""
    windows = make()
    windows.advance(0, certain, observed=True)
    closed: tuple[Window, ...] = windows.finish(t_ms, certain)
    assert closed[-1].start_ms == t_ms - t_ms % LENGTH_MS
    assert windows.open_window(certain) is None
