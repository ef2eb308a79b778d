"""Bodies: the size of a person, feet on the floor, boxes that enclose what is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware.vision.shop import raster
from firmware.vision.shop.body import Poses, parts_of, seated, walking
from firmware.vision.shop.camera import Camera, look_down
from firmware.vision.shop.drawing import Light, draw
from firmware.vision.shop.look import random_looks
from firmware.vision.shop.room import Backdrop, demo_room, grain_table

LEVEL = look_down(640, 480, 1.0, 0.0)


def standing(count: int, y_m: float = 6.0, heading: float = 0.0) -> Poses:
    where = np.column_stack((np.linspace(-2, 2, count), np.full(count, y_m)))
    return walking(where, np.full(count, heading), np.zeros(count), np.zeros(count), np.zeros(count))


def empty(camera: Camera) -> Backdrop:
    shape = (camera.height, camera.width)
    return Backdrop(np.full((*shape, 3), 120, dtype=np.uint8), np.full(shape, 60.0, dtype=np.float32), np.zeros(shape, dtype=np.bool_))


def test_a_person_is_as_tall_as_they_are() -> None:
    """Seen level from afar, the box is the body's height at its distance."""
    looks = random_looks(np.random.default_rng(1), 5, children=0.0)
    _, boxes = parts_of(LEVEL, looks, standing(5, y_m=8.0), np.ones(5))
    metres = (boxes[:, 3] - boxes[:, 1]) * 8.0 / LEVEL.focal_px
    np.testing.assert_allclose(metres / looks.height_m, 1.0, atol=0.06)


def test_people_stand_on_the_floor() -> None:
    """Whatever the step of the gait, the lowest point is within a sole of the floor."""
    count = 16
    looks = random_looks(np.random.default_rng(2), count, children=0.0)
    where = np.column_stack((np.zeros(count), np.full(count, 8.0)))
    poses = walking(where, np.full(count, math.pi / 2), np.linspace(0, 2 * math.pi, count), np.ones(count), np.zeros(count))
    _, boxes = parts_of(LEVEL, looks, poses, np.ones(count))
    floor_row = float(LEVEL.project(np.array([0.0, 8.0, 0.0]))[1])
    assert np.abs(boxes[:, 3] - floor_row).max() * 8.0 / LEVEL.focal_px < 0.06


def test_legs_open_with_the_stride() -> None:
    """Seen from the side, a walker in mid-stride is much wider than one who stands."""
    looks = random_looks(np.random.default_rng(3), 1, children=0.0)
    where, side, half_step = np.array([[0.0, 6.0]]), np.array([math.pi / 2]), np.array([math.pi / 2])
    widths = []
    for stride in (0.0, 1.0):
        _, boxes = parts_of(LEVEL, looks, walking(where, side, half_step, np.array([stride]), np.zeros(1)), np.ones(1))
        widths.append(boxes[0, 2] - boxes[0, 0])
    assert widths[1] > 1.6 * widths[0]


def test_a_seated_person_is_lower() -> None:
    """On a chair, about three quarters of the standing height."""
    looks = random_looks(np.random.default_rng(4), 4, children=0.0)
    where = np.column_stack((np.linspace(-2, 2, 4), np.full(4, 8.0)))
    _, up = parts_of(LEVEL, looks, standing(4, 8.0), np.ones(4))
    _, down = parts_of(LEVEL, looks, seated(where, np.zeros(4), np.zeros(4)), np.ones(4))
    share = (down[:, 3] - down[:, 1]) / (up[:, 3] - up[:, 1])
    assert ((share > 0.6) & (share < 0.88)).all()


def test_heading_turns_the_body() -> None:
    """The face is seen from the front only: skin shows on the head of who looks at the camera, hair on who looks away."""
    looks = random_looks(np.random.default_rng(11), 1, children=0.0).take(np.array([0]))
    reds = []
    for heading in (math.pi, 0.0):
        rows, _ = parts_of(LEVEL, looks, standing(1, 3.0, heading), np.ones(1))
        head = rows[0][rows[0][:, raster.PATTERN] == raster.HEAD][0]
        reds.append(head[raster.FORWARD + 2])
    assert reds[0] < -0.8  # forward points to the camera
    assert reds[1] > 0.8


@pytest.mark.parametrize("pitch_deg", [10, 30, 60, 85])
def test_the_box_encloses_what_is_drawn_and_no_more(pitch_deg: float) -> None:
    """From any height the annotated box and the pixels that were drawn agree to a few pixels or hundredths."""
    camera = look_down(640, 480, 3.0, math.radians(pitch_deg))
    far = 3.0 / math.tan(math.radians(max(pitch_deg, 25.0)))
    looks = random_looks(np.random.default_rng(5), 6, children=0.2)
    looks.backpack[:] = looks.bag[:] = looks.brim[:] = 0  # what is carried does not widen the box
    for turn in range(6):
        person = looks.take(np.array([turn]))
        poses = walking(
            np.array([[0.0, far]]), np.array([turn * 1.1]), np.array([turn * 0.9]), np.array([turn / 5]), np.array([turn % 2.0])
        )
        found = draw(empty(camera), demo_room(1), camera, (person, poses), Light(noise=0.0), grain_table(1, 997), 0)
        if found.boxes[0, 0] < 0 or found.boxes[0, 1] < 0 or found.boxes[0, 2] > 640 or found.boxes[0, 3] > 480:
            continue
        high = found.boxes[0, 3] - found.boxes[0, 1]
        assert np.abs(found.boxes[0] - found.extents[0]).max() < max(3.0, 0.06 * high)


def test_what_is_carried_does_not_widen_the_box() -> None:
    """With backpack, bag and brim, or without: the same box."""
    boxes = []
    for carried in (0.0, 1.0):
        looks = random_looks(np.random.default_rng(7), 4)
        looks.backpack[:] = looks.bag[:] = looks.brim[:] = carried
        boxes.append(parts_of(LEVEL, looks, standing(4, heading=math.pi / 2), np.ones(4))[1])
    np.testing.assert_array_equal(*boxes)


def test_what_is_not_worn_is_not_drawn() -> None:
    """Parts without width carry no light, which is how drawing knows to leave them out."""
    looks = random_looks(np.random.default_rng(6), 3)
    looks.backpack[:] = looks.bag[:] = looks.brim[:] = looks.skirt[:] = looks.hair_long[:] = 0
    rows, _ = parts_of(LEVEL, looks, standing(3), np.ones(3))
    assert ((rows[:, :, raster.LIT] == 0).sum(axis=1) == 5).all()
