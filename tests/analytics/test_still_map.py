"""Still things: mannequins are found out, remembered and forgotten; people are not."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from firmware.analytics.still_map import Stillness
from firmware.config import StillConfig
from firmware.still_places import PLACES_MAX, StillMap, StillPlace
from tests.walkers import Foot, people_at

CONFIG = StillConfig(still_s=60.0)
FOOT: Foot = (0.5, 0.8)


def stand(stillness: Stillness, from_s: float, to_s: float, foot: Foot = FOOT, **more: bool) -> bool:
    """Person 1 stands at `foot`, with the jitter of a detector; whether they are still at the end."""
    rng = np.random.default_rng(round(from_s))
    flag = False
    for t_s in np.arange(from_s, to_s, 0.2).tolist():
        jitter = rng.normal(0.0, 0.004, 2)
        flag = bool(stillness.step(people_at(t_s, {1: (foot[0] + jitter[0], foot[1] + jitter[1])}), **more)[0])
    return flag


def test_what_never_moves_is_a_thing_after_a_while() -> None:
    """A mannequin whose box jitters is a person for still_s, and a thing from then on."""
    stillness = Stillness(CONFIG)
    assert not stand(stillness, 0.0, 59.0)
    assert stand(stillness, 59.0, 62.0)
    assert stillness.take_found() == 1
    assert stillness.take_found() == 0


def test_whoever_moves_is_a_person_again() -> None:
    """Half a body height is a step; furniture takes none."""
    stillness = Stillness(CONFIG)
    assert stand(stillness, 0.0, 70.0)
    assert not stand(stillness, 70.0, 71.0, (0.6, 0.8))


def test_a_shopper_who_walked_in_may_stand_for_long() -> None:
    """Waiting five times still_s makes nobody furniture who was seen walking before; half an hour does."""
    stillness = Stillness(CONFIG)
    for step in range(20):
        stillness.step(people_at(0.2 * step, {1: (0.1 + 0.02 * step, 0.8)}))
    assert not stand(stillness, 4.0, 300.0)
    assert stand(stillness, 300.0, 370.0)


def test_legs_that_are_hidden_now_and_then_are_no_movement() -> None:
    """The box of a mannequin behind a rail flickers between whole and half: its head stays where it is."""
    stillness = Stillness(CONFIG)
    for step in range(400):
        people = people_at(0.2 * step, {1: FOOT})
        if step % 3:
            people.boxes[0, 3] -= 0.12
        still = stillness.step(people)
    assert still.tolist() == [True]


def test_a_known_thing_seen_on_and_off_is_still_at_once() -> None:
    """Its place was learned; when the detector finds it again under a new number, nobody has come."""
    stillness = Stillness(CONFIG)
    assert stand(stillness, 0.0, 70.0)
    assert stillness.step(people_at(90.0, {}, gone=[1])).tolist() == []
    assert stillness.step(people_at(200.0, {2: (0.51, 0.8)})).tolist() == [True]
    assert stillness.step(people_at(200.2, {2: (0.7, 0.8)})).tolist() == [False]


def test_somebody_of_another_size_on_that_place_is_a_person() -> None:
    """A child in front of the mannequin is not the mannequin."""
    stillness = Stillness(CONFIG, StillMap((StillPlace(0.5, 0.8, 0.3),)))
    people = people_at(0.0, {1: FOOT, 2: FOOT})
    people.boxes[1, 1] = 0.64
    assert stillness.step(people).tolist() == [True, False]


def test_places_are_learned_within_a_minute_or_so_while_closed() -> None:
    """At night whatever stands there is furniture, long before still_s."""
    stillness = Stillness(StillConfig(still_s=600.0))
    stand(stillness, 0.0, 70.0, closed=True)
    assert [(round(p.x, 1), round(p.y, 1), round(p.height, 1)) for p in stillness.map.places] == [(0.5, 0.8, 0.3)]
    assert stillness.step(people_at(3600.0, {5: FOOT})).tolist() == [True]


def test_nothing_is_learned_where_the_map_is_off() -> None:
    """`map = false` learns nothing and knows nothing."""
    stillness = Stillness(StillConfig(still_s=60.0, map=False), StillMap((StillPlace(0.5, 0.8, 0.3),)))
    assert not stand(stillness, 0.0, 1.0, closed=True)
    stand(stillness, 1.0, 100.0, closed=True)
    assert stillness.map == StillMap()


def test_a_thing_taken_away_is_forgotten_in_one_night() -> None:
    """Four closed hours without a sight of it; open hours do not count, for shoppers hide things."""
    stillness = Stillness(CONFIG, StillMap((StillPlace(0.5, 0.8, 0.3),)))
    for second in range(0, 6 * 3600, 5):
        stillness.step(people_at(float(second), {}))
    assert len(stillness.map.places) == 1
    for second in range(6 * 3600, 10 * 3600 + 60, 5):
        stillness.step(people_at(float(second), {}), closed=True)
    assert stillness.map == StillMap()


def test_the_map_is_bounded_and_keeps_what_was_seen_last() -> None:
    """More things than places: the limit holds."""
    stillness = Stillness(StillConfig(move_share=0.02))
    for thing in range(PLACES_MAX + 20):
        foot = (0.02 + 0.011 * thing, 0.2 + 0.6 * (thing % 2))
        for step in range(4):
            stillness.step(people_at(200.0 * thing + 40.0 * step, {thing: foot}), closed=True)
        stillness.step(people_at(200.0 * thing + 190.0, {}, gone=[thing]), closed=True)
    assert len(stillness.map.places) == PLACES_MAX
    assert max(place.x for place in stillness.map.places) == pytest.approx(0.02 + 0.011 * (PLACES_MAX + 19))


def test_the_map_survives_being_written_and_read() -> None:
    """It is a value, and what is read back is what was written; nonsense is refused."""
    stillness = Stillness(CONFIG)
    stand(stillness, 0.0, 70.0)
    assert msgspec.json.decode(msgspec.json.encode(stillness.map), type=StillMap) == stillness.map
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"places": [{"x": 0.5, "y": 0.5, "height": 0.0}]}', type=StillMap)
