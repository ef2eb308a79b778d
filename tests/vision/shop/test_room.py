"""Empty rooms and their light."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware.vision.shop import room_raster as rr
from firmware.vision.shop.camera import look_down
from firmware.vision.shop.room import Room, demo_room, draw_backdrop, grain_table, material

CAMERA = look_down(96, 72, 2.8, math.radians(30))
GRAIN = grain_table(1, 997)


def bare(*boxes: tuple[float, ...], kind: int = rr.FLAT) -> Room:
    """A grey floor with white boxes under one lamp."""
    rows = np.array(boxes, dtype=np.float64).reshape(-1, 6)
    faces = np.array([(1, 1)] * len(rows) + [(0, 0)], dtype=np.int64)
    grey, white = material(kind, 0.5, (0.4, 0.4, 0.4), (0.1, 0.1, 0.1), 0.0, 1), material(rr.FLAT, 1.0, (0.9, 0.9, 0.9), (0, 0, 0), 0.0, 1)
    return Room(rows, faces, np.array([grey, white]), np.array([(0, 0, 0, 0.4), (0.0, 4.0, 3.0, 0.8)]))


def test_depth_is_the_distance_along_the_axis() -> None:
    """For every pixel of the bare floor, depth put back through the camera is a point of the floor."""
    backdrop = draw_backdrop(bare(), CAMERA, GRAIN, oversample=1)
    assert backdrop.floor[30:].all()
    for row, column in ((40, 10), (60, 90), (71, 48)):
        ray = CAMERA.axes.T @ np.array([(column + 0.5 - 48) / CAMERA.focal_px, (row + 0.5 - 36) / CAMERA.focal_px, 1.0])
        point = CAMERA.eye + float(backdrop.depth[row, column]) * ray
        assert abs(point[2]) < 1e-4


def test_a_box_hides_the_floor_behind_it() -> None:
    """Where the box is seen, depth is less than the floor's and the pixel is no floor."""
    alone = draw_backdrop(bare(), CAMERA, GRAIN, oversample=1)
    furnished = draw_backdrop(bare((-0.5, 4.0, 0.0, 0.5, 5.0, 1.0)), CAMERA, GRAIN, oversample=1)
    seen = ~furnished.floor & alone.floor
    assert 100 < seen.sum() < 2000
    assert (furnished.depth[seen] < alone.depth[seen]).all()
    assert (furnished.depth[furnished.floor] == alone.depth[furnished.floor]).all()


def test_a_box_beside_the_camera_is_drawn_whole() -> None:
    """A wall that reaches behind the camera is not clipped away."""
    backdrop = draw_backdrop(bare((1.0, -3.0, 0.0, 1.2, 9.0, 3.0)), CAMERA, GRAIN, oversample=1)
    assert not backdrop.floor[:, 90:].any()


def test_light_falls_off_from_the_lamp() -> None:
    """The floor under the lamp is brighter than far from it, and so is who stands there."""
    room = bare()
    near, far = room.light_at(np.array([0.0, 0.0]), np.array([4.0, 12.0]))
    assert near > 1.3 * far
    canvas = draw_backdrop(room, CAMERA, GRAIN, oversample=1).canvas
    under = CAMERA.project(np.array([0.0, 4.0, 0.0]))
    away = CAMERA.project(np.array([0.0, 11.0, 0.0]))
    assert canvas[int(under[1]), 48, 0] > canvas[int(away[1]), 48, 0]


@pytest.mark.parametrize("kind", [rr.TILES, rr.PLANKS, rr.CARPET, rr.BRICKS, rr.POSTER, rr.GLASS, rr.GOODS, rr.CLOTHES])
def test_textures_are_textured(kind: int) -> None:
    """Every kind of surface but the plain one varies over the floor."""
    plain = draw_backdrop(bare(), CAMERA, GRAIN, oversample=1).canvas[40:].std()
    assert draw_backdrop(bare(kind=kind), CAMERA, GRAIN, oversample=1).canvas[40:].std() > plain + 2


def test_oversampling_keeps_the_picture_and_calms_it() -> None:
    """Drawn twice as fine and averaged: the same room, less flicker between neighbours."""
    once, twice = (draw_backdrop(demo_room(1), CAMERA, GRAIN, oversample=n).canvas.astype(float) for n in (1, 2))
    assert once.shape == twice.shape
    assert abs(once.mean() - twice.mean()) < 4
    assert np.abs(np.diff(twice, axis=1)).mean() < np.abs(np.diff(once, axis=1)).mean()


def test_the_seed_changes_the_colours_and_not_the_plan() -> None:
    """Two seeds: the same furniture, other surfaces."""
    one, other = demo_room(1), demo_room(2)
    np.testing.assert_array_equal(one.boxes, other.boxes)
    assert (one.materials != other.materials).any()
