"""What a pair is worth, and which pairs are tried at all."""

from __future__ import annotations

import pytest

from firmware.vision.association import associate, is_cut, worth
from firmware.vision.kalman import Noise
from firmware.vision.matching import NONE
from firmware.vision.track_store import (
    AHEAD,
    BOX,
    CONFIRMED,
    HIGH,
    KIND,
    LEFT,
    LOW,
    OWNER,
    ROW_EDGES_MAX,
    SEEN_S,
    Rules,
    Space,
    new_space,
)

RULES, NOISE = Rules(), Noise()
PERSON = (0.5, 0.5, 0.1, 0.3)  # centre x, centre y, width, height, frame heights


def space_of(tracks: list[tuple[float, ...]], boxes: list[tuple[float, ...]], kind: int = HIGH, std: float = 0.01) -> Space:
    """Confirmed tracks predicted at given places, seen at 0 s, and detections ordered by left edge."""
    space = new_space(64)
    for i, box in enumerate(tracks):
        space.tracks[i, AHEAD : AHEAD + 4], space.tracks[i, AHEAD + 4 : AHEAD + 8] = box, std**2
        space.tracks[i, CONFIRMED], space.tracks[i, SEEN_S] = 1.0, 0.0
    for j, box in enumerate(sorted(boxes, key=lambda b: b[0] - b[2] / 2)):
        space.sight[j, BOX : BOX + 4], space.sight[j, LEFT] = box, box[0] - box[2] / 2
        space.links[j, KIND], space.links[j, OWNER] = kind, NONE
    return space


def owners(space: Space, tracks: int, count: int, kind: int = HIGH, t_s: float = 0.1) -> list[int]:
    associate(space.tracks, tracks, space.sight, space.links, count, space.graph, space.work, kind, RULES, NOISE, t_s)
    return [int(owner) for owner in space.links[:count, OWNER]]


def value(track: tuple[float, ...], box: tuple[float, ...], slack: float = 0.0) -> float:
    space = space_of([track], [box])
    return float(worth(space.tracks[0, AHEAD : AHEAD + 8], space.sight, 0, slack, slack, RULES.height_ratio_min))


def shifted(box: tuple[float, ...], dx: float = 0.0, dy: float = 0.0, scale: float = 1.0) -> tuple[float, ...]:
    return (box[0] + dx, box[1] + dy, box[2] * scale, box[3] * scale)


def test_a_perfect_fit_is_worth_one_and_less_the_further() -> None:
    """From 1 down to 0 as the box moves away."""
    values = [value(PERSON, shifted(PERSON, dx)) for dx in (0, 0.02, 0.05, 0.09, 0.11)]
    assert values[0] == pytest.approx(1.0)
    assert values == sorted(values, reverse=True)
    assert values[-1] == 0.0


def test_an_uncertain_prediction_reaches_further() -> None:
    """Boxes that do not touch are a pair when the prediction allows for it: fast walkers at 5 frames a second."""
    beside = shifted(PERSON, 0.13)
    assert value(PERSON, beside) == 0.0
    assert value(PERSON, beside, slack=0.05) > 0.15


def test_another_height_is_another_person() -> None:
    """The same place, but half as tall, is never a pair; a little less tall is worth a little less."""
    assert value(PERSON, shifted(PERSON, scale=0.5)) == 0.0
    assert value(PERSON, shifted(PERSON, scale=1 / 0.7)) == 0.0
    assert 0 < value(PERSON, shifted(PERSON, scale=0.9)) < 0.9


def test_a_box_cut_by_the_border_may_be_much_shorter() -> None:
    """Half a person at the lower border is the person who walks out; half a person in the middle is somebody else."""
    low = (0.5, 0.85, 0.1, 0.3)
    assert owners(space_of([low], [(0.5, 0.92, 0.1, 0.16)]), 1, 1) == [0]
    assert owners(space_of([low], [(0.5, 0.80, 0.1, 0.16)]), 1, 1) == [NONE]
    assert [is_cut(0.9, 0.2), is_cut(0.1, 0.19), is_cut(0.5, 0.9)] == [True, True, False]


def test_sideways_costs_less_than_up_and_down() -> None:
    """People walk across the picture; who stands on another row of it is at another depth."""
    assert value(PERSON, shifted(PERSON, dx=0.02)) > value(PERSON, shifted((*PERSON[:2], 0.3, 0.1), dy=0.02))


def test_each_track_gets_its_own_detection() -> None:
    """Two people side by side, both moved right by half their distance: nobody takes the other's box."""
    left, right = PERSON, shifted(PERSON, 0.08)
    assert owners(space_of([left, right], [shifted(left, 0.04), shifted(right, 0.04)]), 2, 2) == [0, 1]


def test_only_the_kind_that_is_asked_for_is_matched() -> None:
    """High scores first: a low one waits."""
    assert owners(space_of([PERSON], [PERSON], kind=LOW), 1, 1, kind=HIGH) == [NONE]
    assert owners(space_of([PERSON], [PERSON], kind=LOW), 1, 1, kind=LOW) == [0]


def test_low_scores_find_nobody_again() -> None:
    """A track unseen for longer than low_s_max, or on trial, is not kept by a faint box."""
    assert owners(space_of([PERSON], [PERSON], kind=LOW), 1, 1, kind=LOW, t_s=RULES.low_s_max + 0.1) == [NONE]
    on_trial = space_of([PERSON], [PERSON], kind=LOW)
    on_trial.tracks[0, CONFIRMED] = 0.0
    assert owners(on_trial, 1, 1, kind=LOW) == [NONE]


def test_of_two_tracks_that_fit_alike_the_surer_one_wins() -> None:
    """The one seen last, not the one lost a second ago."""
    space = space_of([PERSON, PERSON], [PERSON])
    space.tracks[1, SEEN_S] = 1.0
    assert owners(space, 2, 1, t_s=1.1) == [1]


def test_a_wide_box_that_begins_far_left_is_found() -> None:
    """Neighbours are looked up by their left edge, wide ones among narrow ones too."""
    wide = (0.5, 0.5, 0.6, 0.3)
    narrow = [(0.05 + 0.02 * k, 0.5, 0.01, 0.3) for k in range(20)]
    space = space_of([wide], [*narrow, wide])
    assert [j for j, owner in enumerate(owners(space, 1, 21)) if owner == 0] == [j for j in range(21) if space.sight[j, BOX + 2] == 0.6]


def test_a_pile_of_boxes_keeps_the_best_pairs() -> None:
    """More candidates than a track may have: the best one is still found, wherever it stands in the order."""
    pile = [shifted(PERSON, 0.0005 * k, 0.1) for k in range(-30, 30)]
    for best in (shifted(PERSON, -0.0201), PERSON, shifted(PERSON, 0.0201)):
        space = space_of([PERSON], [*pile, best])
        found = [j for j, owner in enumerate(owners(space, 1, 61)) if owner == 0]
        assert space.graph.start[1] == ROW_EDGES_MAX
        assert space.sight[found[0], BOX + 1] == 0.5
