"""Small numbers stay among others, and totals stay exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.small_numbers import K_MIN, LEVELS_MS, Cell, release

HOUR = 3_600_000


def test_five_people_may_be_named_where_they_are() -> None:
    """Enough people at the shortest interval: released there."""
    (released,) = release([Cell(30_000, 5, 700)], 15_000)
    assert (released.start_ms, released.length_ms, released.people, released.value) == (30_000, 15_000, 5, 700)


def test_four_people_wait_for_the_fifth() -> None:
    """Two in one window and three in another of the same five minutes leave together, as five minutes."""
    (released,) = release([Cell(0, 2, 10), Cell(60_000, 3, 20)], 15_000)
    assert (released.length_ms, released.people, released.value) == (300_000, 5, 30)


def test_a_lonely_visitor_leaves_as_a_number_only() -> None:
    """One visitor in a whole day: the day says one, and not how long."""
    (released,) = release([Cell(5 * HOUR, 1, 93_000)], 15_000)
    assert (released.length_ms, released.people, released.value) == (86_400_000, 1, None)


def test_what_was_released_is_not_released_again() -> None:
    """A full quarter of a minute leaves; the rest of the hour waits without it."""
    released = release([Cell(0, 6, 6), Cell(15_000, 1, 1)], 15_000)
    assert [(each.length_ms, each.people) for each in released] == [(15_000, 6), (86_400_000, 1)]


@given(
    st.lists(st.tuples(st.integers(0, 3 * 86_400_000 // 15_000 - 1), st.integers(0, 9), st.integers(0, 10**6)), max_size=60),
    st.sampled_from(LEVELS_MS),
)
def test_totals_are_conserved_and_the_few_are_never_named(cells: list[tuple[int, int, int]], interval_ms: int) -> None:
    """For any data: people add up; a duration is said only of five or more."""
    released = release([Cell(start * 15_000, people, value) for start, people, value in cells], interval_ms)
    assert sum(each.people for each in released) == sum(people for _, people, _ in cells)
    assert all(each.value is None or each.people >= K_MIN for each in released)
    assert all(each.start_ms % each.length_ms == 0 and each.length_ms >= interval_ms for each in released)
