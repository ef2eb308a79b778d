"""Windows without holes."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.stitch import Stitcher, add_windows

LINES = (LineSums("entrance"),)
ZONES = (ZoneSums("till", "queue"),)


def stitcher() -> Stitcher:
    return Stitcher(15_000, LINES, ZONES)


def window(start_ms: int, entries: int = 0, observed_ms: int = 15_000, occupancy_max: int = 0) -> Window:
    zones = (ZoneSums("till", "queue", occupancy_max=occupancy_max),)
    return Window(start_ms, 15_000, (LineSums("entrance", entries),), zones, Audit(observed_ms, 15_000 - observed_ms, frames=7))


def test_a_healthy_vision_passes_through() -> None:
    """Windows that follow each other come out as they are."""
    stitch = stitcher()
    stitch.begin(31_000)
    assert [window(30_000, 2), window(45_000, 1)] == [*stitch.closed(window(30_000, 2)), *stitch.closed(window(45_000, 1))]


def test_what_was_pending_at_a_line_settles_at_death() -> None:
    """Crossings already published as provisional count when vision dies before they settled; and only then."""
    stitch = stitcher()
    stitch.begin(30_000)
    stitch.snapshot(window(30_000, 3, observed_ms=6_000), (LineSums("entrance", entries=1, exits=2),))
    stitch.died()
    (joined,) = stitch.blind_until(45_000)
    assert (joined.lines[0].entries, joined.lines[0].exits) == (4, 2)
    stitch.snapshot(window(45_000, 3), (LineSums("entrance", entries=9),))
    assert next(iter(stitch.closed(window(45_000, 5)))).lines[0].entries == 5


def test_visits_that_vision_took_with_it_end_as_voided() -> None:
    """As many leave as came, whether they came in this window or in an earlier one; no dwell is made up."""

    def visits(start_ms: int, entries: int, exits: int) -> Window:
        return Window(start_ms, 15_000, LINES, (ZoneSums("till", "queue", entries, exits),), Audit(observed_ms=5_000))

    stitch = stitcher()
    stitch.begin(0)
    (first,) = stitch.closed(visits(0, 3, 1))
    stitch.snapshot(visits(15_000, 2, 1))
    stitch.died()
    (second,) = stitch.blind_until(30_000)
    assert (first.zones[0].exits, second.zones[0].exits, second.audit.voided, second.zones[0].dwell_ms) == (1, 4, 3, 0)
    stitch.died()  # a life that saw nothing takes nothing with it
    (third,) = stitch.blind_until(45_000)
    assert (third.zones[0].exits, third.audit.voided) == (0, 0)


def test_visits_end_even_between_two_windows() -> None:
    """Vision dies at the very moment at which a window closed."""
    stitch = stitcher()
    stitch.begin(0)
    list(stitch.closed(Window(0, 15_000, LINES, (ZoneSums("till", "queue", 2),), Audit(observed_ms=15_000))))
    stitch.died()
    (after,) = stitch.blind_until(30_000)
    assert (after.zones[0].exits, after.audit.voided, after.audit.blind_ms) == (2, 2, 15_000)


def test_a_window_cut_short_waits_for_its_rest() -> None:
    """Vision was told to end and closed its window early: what the next one sees of that window is added."""
    stitch = stitcher()
    stitch.begin(30_000)
    stitch.hold(window(30_000, 2, observed_ms=6_000))
    assert list(stitch.blind_until(44_000)) == []
    (joined,) = stitch.closed(window(30_000, 3, observed_ms=7_000))
    assert (joined.lines[0].entries, joined.audit.observed_ms, joined.audit.blind_ms) == (5, 13_000, 2_000)


def test_a_change_of_configuration_keeps_the_names_of_both() -> None:
    """The window of the change says what the old lines and the new ones counted; later blind ones know only the new."""
    stitch = stitcher()
    stitch.begin(30_000)
    stitch.hold(window(30_000, 2, observed_ms=6_000))
    stitch.expect((LineSums("back"),), ())
    changed, later = stitch.blind_until(60_000)
    assert {line.name: line.entries for line in changed.lines} == {"entrance": 2, "back": 0}
    assert [line.name for line in later.lines] == ["back"]


def test_what_a_dead_vision_had_open_is_not_lost() -> None:
    """The snapshot of the dead one and the first window of the next add up, and the gap between them is blind."""
    stitch = stitcher()
    stitch.begin(30_000)
    stitch.snapshot(window(30_000, 3, observed_ms=6_000, occupancy_max=4))
    stitch.died()
    (joined,) = stitch.closed(window(30_000, 2, observed_ms=5_000, occupancy_max=1))
    assert joined.lines[0].entries == 5
    assert joined.zones[0].occupancy_max == 4
    assert (joined.audit.observed_ms, joined.audit.blind_ms) == (11_000, 4_000)


def test_time_without_vision_is_blind_not_empty() -> None:
    """While nobody watches, each window of the grid comes out with its whole length blind."""
    stitch = stitcher()
    stitch.begin(30_000)
    stitch.snapshot(window(30_000, 1, observed_ms=9_000))
    stitch.died()
    first, second = stitch.blind_until(61_000)
    assert (first.start_ms, first.lines[0].entries, first.audit.blind_ms) == (30_000, 1, 6_000)
    assert (second.start_ms, second.lines[0].entries, second.audit.blind_ms) == (45_000, 0, 15_000)
    assert list(stitch.blind_until(61_000)) == []


def test_a_hole_is_filled_when_vision_comes_back() -> None:
    """A window that closes later than the next expected one brings the blind ones before it."""
    stitch = stitcher()
    stitch.begin(0)
    out = [*stitch.closed(window(0)), *stitch.closed(window(45_000))]
    assert [each.start_ms for each in out] == [0, 15_000, 30_000, 45_000]
    assert [each.audit.blind_ms for each in out] == [0, 15_000, 15_000, 0]


def test_a_window_already_said_blind_is_not_said_twice() -> None:
    """Whatever comes late for a window that is out is dropped."""
    stitch = stitcher()
    stitch.begin(0)
    list(stitch.blind_until(30_000))
    assert list(stitch.closed(window(15_000, 5))) == []


def test_nothing_is_said_of_time_before_the_beginning() -> None:
    """Without a beginning there is no grid."""
    assert list(stitcher().blind_until(10**9)) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40_000)), max_size=30))
def test_every_window_exactly_once_whatever_dies(lives: list[tuple[bool, int]]) -> None:
    """In any order of lives and deaths: each window once, in order, observed and blind make the length, entries kept."""
    stitch, now_ms, out, entered = stitcher(), 0, [], 0
    stitch.begin(0)
    for alive, length_ms in lives:
        end_ms = now_ms + length_ms
        while alive and now_ms < end_ms:
            start_ms = now_ms - now_ms % 15_000
            until_ms = min(start_ms + 15_000, end_ms)
            entered += 1
            part = window(start_ms, 1, observed_ms=until_ms - now_ms)
            if until_ms == start_ms + 15_000:
                out += stitch.closed(part)
            else:
                stitch.snapshot(part)
            now_ms = until_ms
        now_ms = end_ms
        stitch.died()
        out += stitch.blind_until(now_ms)
    out += stitch.blind_until(now_ms + 15_000)
    assert [15_000 * index for index in range(len(out))] == [each.start_ms for each in out]
    assert all(each.audit.observed_ms + each.audit.blind_ms == 15_000 for each in out)
    assert entered == sum(each.lines[0].entries for each in out)


def test_sums_of_parts_cover_every_field() -> None:
    """Each integer field of a sum adds or is a maximum; none is forgotten."""
    one = ZoneSums("till", "queue", *([1] * 4), dwell_histogram=(1,) * 16, wait_histogram=(1,) * 16)
    whole = add_windows(Window(0, 15_000, (), (one,)), Window(0, 15_000, (), (one,))).zones[0]
    assert (whole.entries, whole.exits, whole.occupancy_ms, whole.occupancy_max) == (2, 2, 2, 1)
    assert whole.dwell_histogram == (2,) * 16
    assert msgspec.structs.asdict(one).keys() == msgspec.structs.asdict(whole).keys()
