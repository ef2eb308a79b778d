"""Second boxes on one person are nobody; people who come close are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from firmware.analytics.people import People
from firmware.analytics.shadows import Shadows
from tests.walkers import people_at

WHOLE = (0.30, 0.20, 0.50, 0.90)
TORSO = (0.36, 0.22, 0.50, 0.75)
BESIDE = (0.55, 0.20, 0.75, 0.90)


def at(t_s: float, boxes: dict[int, tuple[float, float, float, float]], born_s: float = 0.0) -> People:
    people = people_at(t_s, dict.fromkeys(boxes, (0.5, 0.5)), born=dict.fromkeys(boxes, (born_s, (0.5, 0.5))))
    return replace(people, boxes=np.array([boxes[person] for person in sorted(boxes)]).reshape(-1, 4))


def test_a_second_box_on_a_walker_is_nobody() -> None:
    """It appears within the first one's box and ends after a second: never seen."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    for tenth in range(1, 12):
        assert shadows.step(at(tenth / 10, {1: WHOLE, 2: TORSO}, born_s=0.1)).ids.tolist() == [1]
    assert shadows.step(replace(at(5.0, {1: WHOLE}), gone=(2,))).ids.tolist() == [1]
    assert not shadows._shadows


def test_who_steps_out_of_the_shadow_was_somebody_all_along() -> None:
    """As soon as the boxes part, with the true birth."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    assert shadows.step(at(0.5, {1: WHOLE, 2: TORSO}, born_s=0.5)).ids.tolist() == [1]
    people = shadows.step(at(0.9, {1: WHOLE, 2: BESIDE}, born_s=0.5))
    assert people.ids.tolist() == [1, 2]
    assert people.born_s.tolist() == [0.5, 0.5]


def test_who_lasts_is_somebody() -> None:
    """A child before an adult for two seconds counts, and stays counted however close."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    seen = [shadows.step(at(tenth / 10, {1: WHOLE, 2: TORSO}, born_s=0.0)).ids.tolist() for tenth in range(1, 40)]
    assert seen[0] == [1]
    assert seen[21:] == [[1, 2]] * 18


def test_a_shadow_kept_alive_by_weak_boxes_stays_one() -> None:
    """Ten seconds inside the person's box, wider and narrower than it in turn, at low scores: nobody."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    wide = (0.24, 0.15, 0.56, 0.92)
    for tenth in range(1, 100):
        people = at(tenth / 10, {1: WHOLE, 2: TORSO if tenth < 5 or tenth % 7 else wide}, born_s=0.1)
        people.scores[1] = 0.3 if tenth % 10 else 0.6
        assert shadows.step(people).ids.tolist() == [1]


def test_people_who_come_close_later_are_no_shadows() -> None:
    """Only newcomers are doubted: somebody known may stand before somebody else."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE, 2: BESIDE}))
    assert shadows.step(at(1.0, {1: WHOLE, 2: TORSO})).ids.tolist() == [1, 2]


def test_two_who_appear_at_once_leave_one() -> None:
    """Nested boxes in the first frame: the earlier number is the person."""
    assert Shadows().step(at(0.0, {1: WHOLE, 2: TORSO})).ids.tolist() == [1]


def test_nobody_is_doubted_alone() -> None:
    """One person, and no person."""
    shadows = Shadows()
    assert shadows.step(at(0.0, {})).ids.tolist() == []
    assert shadows.step(at(0.1, {4: TORSO})).ids.tolist() == [4]


def test_a_shadow_stays_one_while_the_real_box_is_missed() -> None:
    """The detector gives only the second box for a frame: the person coasts, and nobody has come."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    shadows.step(at(0.1, {1: WHOLE, 2: TORSO}, born_s=0.1))
    missed = replace(at(0.2, {1: WHOLE, 2: TORSO}, born_s=0.1), seen=np.array([False, True]))
    assert shadows.step(missed).ids.tolist() == [1]


def test_when_the_first_box_was_the_false_one_there_is_still_one_person() -> None:
    """The weak box came first and the good one within it stays well seen for long: one person, not two."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    for tenth in range(1, 100):
        people = at(tenth / 10, {1: WHOLE, 2: TORSO}, born_s=0.1)
        people.scores[0] = 0.3
        assert shadows.step(people).ids.tolist() == [1]


def test_a_box_around_a_known_one_is_a_shadow_too() -> None:
    """Larger or smaller: what coincides is one."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: TORSO}))
    assert shadows.step(at(0.1, {1: TORSO, 2: WHOLE}, born_s=0.1)).ids.tolist() == [1]
