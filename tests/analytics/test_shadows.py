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


def at(t_s: float, boxes: dict[int, tuple[float, float, float, float]], born_s: float = 0.0, weak: int = 0) -> People:
    """People with these boxes; `weak` is one of low score."""
    people = people_at(t_s, dict.fromkeys(boxes, (0.5, 0.5)), born=dict.fromkeys(boxes, (born_s, (0.5, 0.5))))
    people.scores[people.ids == weak] = 0.3
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


def test_the_second_box_goes_on_under_the_id_of_the_first() -> None:
    """The first box, a weak one, vanishes, the second stays: the same person, and gone only when the second is."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}, weak=1))
    shadows.step(at(0.1, {1: WHOLE, 2: TORSO}, born_s=0.1, weak=1))
    assert shadows.step(at(1.0, {2: TORSO}, born_s=0.1)).ids.tolist() == [1]
    swallowed = shadows.step(replace(at(5.0, {2: TORSO}, born_s=0.1), gone=(1,)))
    assert (swallowed.ids.tolist(), swallowed.gone) == ([1], ())
    ended = shadows.step(replace(at(9.0, {}), gone=(2,)))
    assert ended.gone == (1,)
    assert not shadows._heirs


def test_the_first_box_comes_back_to_its_own_id() -> None:
    """While both are there again one is seen, and never two of one id."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    shadows.step(at(0.1, {1: WHOLE, 2: TORSO}, born_s=0.1, weak=1))
    shadows.step(at(1.0, {2: TORSO}, born_s=0.1))
    assert shadows.step(at(2.0, {1: WHOLE, 2: TORSO}, born_s=0.1)).ids.tolist() == [1]
    assert shadows.step(at(3.0, {1: WHOLE, 2: BESIDE}, born_s=0.1)).ids.tolist() == [1, 2]


def test_ids_stay_ascending_under_heirs() -> None:
    """An heir takes the place of who it follows."""
    shadows = Shadows()
    far = (0.01, 0.2, 0.1, 0.9)
    shadows.step(at(0.0, {1: WHOLE, 2: far}))
    shadows.step(at(0.1, {1: WHOLE, 2: far, 3: TORSO}, born_s=0.1, weak=1))
    people = shadows.step(at(1.0, {2: far, 3: TORSO}, born_s=0.1))
    assert people.ids.tolist() == [1, 2]
    assert people.boxes[0].tolist() == list(TORSO)


def test_who_comes_in_as_another_leaves_is_somebody_else() -> None:
    """Two well-seen people cross at the edge of the view; the first is gone, the second has an id of their own."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    shadows.step(at(0.1, {1: WHOLE, 2: TORSO}, born_s=0.1))
    shadows.step(at(0.2, {2: TORSO}, born_s=0.1))
    people = shadows.step(replace(at(4.0, {2: TORSO}, born_s=0.1), gone=(1,)))
    assert (people.ids.tolist(), people.gone) == ([2], (1,))


def test_who_hides_another_does_not_take_their_id() -> None:
    """Somebody there for long grows weak behind a newcomer and vanishes: the newcomer is somebody else."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    both = at(5.1, {1: WHOLE, 2: TORSO}, weak=1)
    shadows.step(replace(both, born_s=np.array([0.0, 5.1])))
    assert shadows.step(at(6.0, {2: TORSO}, born_s=5.1)).ids.tolist() == [2]


def test_somebody_farther_away_is_no_shadow() -> None:
    """Within the near person's box, but half as tall and with the feet higher up: somebody behind them."""
    shadows = Shadows()
    shadows.step(at(0.0, {1: WHOLE}))
    assert shadows.step(at(0.1, {1: WHOLE, 2: (0.35, 0.25, 0.45, 0.6)}, born_s=0.1)).ids.tolist() == [1, 2]
