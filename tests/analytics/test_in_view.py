"""Who is in view: from boxes to people, with furniture and staff marked."""

from __future__ import annotations

import dataclasses

import numpy as np

from firmware.analytics.in_view import InView
from firmware.config import CameraConfig, StillConfig
from firmware.still_places import StillMap, StillPlace
from tests.walkers import detections_at

CAMERA = CameraConfig("shop", "x", still=StillConfig(still_s=30.0))


def test_two_boxes_become_two_people_with_lasting_ids() -> None:
    """The same two in every frame after they are confirmed."""
    view = InView(CAMERA, None)
    ids = [view.step(detections_at(i / 10, [(0.3, 0.6), (0.7, 0.6)]), closed=False).ids.tolist() for i in range(20)]
    assert len(ids[-1]) == 2
    assert all(one == ids[-1] for one in ids[5:])


def test_births_are_told_once() -> None:
    """In the step in which they are confirmed, and never again."""
    view, births = InView(CAMERA, None), []
    for i in range(20):
        view.step(detections_at(i / 10, [(0.5, 0.6), (0.2, 1.02)]), closed=False)
        births.append(view.births)
    assert (sum(born for born, _ in births), sum(inside for _, inside in births)) == (2, 1)


def test_furniture_is_marked_and_found_once() -> None:
    """Half a minute without a move; a known place at once."""
    view = InView(CAMERA, None)
    still = [view.step(detections_at(i / 5, [(0.5, 0.6)]), closed=False).still.tolist() for i in range(200)]
    assert still[100] == [False]
    assert still[-1] == [True]
    assert view.take_still_found() == 1
    known = InView(CAMERA, StillMap((StillPlace(0.5, 0.6, 0.3),)))
    assert [known.step(detections_at(i / 5, [(0.5, 0.6)]), closed=False).still.tolist() for i in range(5)][-1] == [True]


def test_the_uniform_reaches_the_staff_by_way_of_the_track() -> None:
    """Two people, one in the enrolled colour: after a second or so that one is staff, whatever the order of boxes."""
    view = InView(CAMERA, None)
    for i in range(60):
        frame = detections_at(i / 10, [(0.3, 0.6), (0.7, 0.6)][:: 1 if i % 2 else -1])
        uniform = np.array([0.0, 1.0][:: 1 if i % 2 else -1])
        people = view.step(dataclasses.replace(frame, uniform=uniform), closed=False)
    staff_x = (people.boxes[people.staff][:, 0] + people.boxes[people.staff][:, 2]) / 2
    assert [round(x, 1) for x in staff_x.tolist()] == [0.7]


def test_a_second_box_on_one_person_is_left_out() -> None:
    """Whole body and torso of one walker: one person."""
    view = InView(CAMERA, None)
    for i in range(12):
        frame = detections_at(i / 10, [(0.2 + 0.02 * i, 0.8)])
        if i > 5:
            torso = frame.boxes + np.array([[0.01, 0.0, 0.0, -0.06]])
            frame = dataclasses.replace(frame, boxes=np.vstack((frame.boxes, torso)), scores=np.array([0.9, 0.6]))
        people = view.step(frame, closed=False)
    assert len(people.ids) == 1
