"""Staff: by where they are seen, or by what they wear."""

from __future__ import annotations

import numpy as np

from firmware.analytics.staff import Staff
from tests.walkers import people_at

FEET = {1: (0.2, 0.5), 2: (0.5, 0.5)}


def test_nobody_is_staff_without_a_reason() -> None:
    """No staff zone, no door, no colour: all shoppers."""
    assert Staff().step(people_at(0.0, FEET)).tolist() == [False, False]


def test_who_was_seen_where_staff_works_is_staff_from_then_on() -> None:
    """Learned once, known until gone."""
    staff = Staff()
    staff.learn([2])
    assert staff.step(people_at(0.0, FEET)).tolist() == [False, True]
    staff.forget([2])
    assert staff.step(people_at(1.0, FEET)).tolist() == [False, False]


def test_the_colour_must_last_a_second() -> None:
    """A shelf of that colour in passing is no uniform; a second of it is, and stays."""
    staff = Staff()
    assert staff.step(people_at(0.0, FEET), np.array([0.9, 0.9])).tolist() == [False, False]
    assert staff.step(people_at(0.5, FEET), np.array([0.2, 0.9])).tolist() == [False, False]
    assert staff.step(people_at(1.0, FEET), np.array([0.9, 0.9])).tolist() == [False, True]
    assert staff.step(people_at(1.5, FEET), np.array([0.9, 0.0])).tolist() == [False, True]


def test_nothing_about_staff_outlives_their_stay() -> None:
    """A thousand people in uniform come and go: nothing is kept."""
    staff = Staff()
    for person in range(1000):
        for t_s in (0.0, 1.0):
            staff.step(people_at(2.0 * person + t_s, {person: (0.5, 0.5)}), np.array([1.0]))
        assert staff.is_staff(person)
        staff.forget([person])
    assert not staff._known
    assert not staff._since_s
