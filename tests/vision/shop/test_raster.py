"""The kernels that draw people: what is nearer hides, silhouettes are counted, JIT and plain Python agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.vision.shop import raster

SIZE = (60, 80)


def capsule(
    owner: int, column: float, depth: float, colour: tuple[int, int, int] = (200, 100, 50), half: float = 8.0
) -> NDArray[np.float64]:
    """An upright part in the middle rows."""
    row = np.zeros(raster.COLUMNS)
    row[[raster.P0X, raster.P0Y, raster.P0Z, raster.P1X, raster.P1Y, raster.P1Z]] = (column, 15, depth, column, 45, depth)
    row[[raster.W0, raster.W1, raster.C0, raster.C1]] = half
    row[raster.RED : raster.RED + 3], row[raster.LIT], row[raster.OWNER] = colour, 1.0, owner
    row[raster.RIGHT], row[raster.FORWARD + 2], row[raster.UP + 1] = 1.0, -1.0, -1.0
    return row


def drawn(*parts: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.int64]]:
    canvas = np.full((*SIZE, 3), 90, dtype=np.uint8)
    depth = np.full(SIZE, 50.0, dtype=np.float32)
    owner, touched = np.full(SIZE, -1, dtype=np.int16), np.full(SIZE, -1, dtype=np.int16)
    area = np.zeros(4, dtype=np.int64)
    light = np.array([0.0, -0.8, -0.6, 0.6, 0.4])
    raster.draw_parts(canvas, depth, owner, touched, area, np.array(parts), light, np.zeros(16, dtype=np.int8))
    return canvas, owner, area


def test_a_part_covers_its_capsule() -> None:
    """Area of the rectangle between the ends and of the two caps, to a pixel's rim; nothing outside is touched."""
    canvas, owner, area = drawn(capsule(0, 40.0, 5.0))
    expected = 16 * 30 + np.pi * 64
    assert area[0] == pytest.approx(expected, rel=0.04)
    assert (owner == 0).sum() == area[0]
    assert (canvas[:, :28] == 90).all()
    assert (canvas[:, 52:] == 90).all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_one_hides_the_other_in_any_order(order: tuple[int, int]) -> None:
    """Depth decides, not the order of drawing; the hidden one's whole silhouette is still known."""
    parts = (capsule(0, 40.0, 5.0), capsule(1, 46.0, 3.0))
    _, owner, area = drawn(*(parts[index] for index in order))
    assert owner[30, 43] == 1
    assert owner[30, 34] == 0
    assert area[0] == area[1]
    assert (owner == 0).sum() < 0.6 * area[0]
    assert (owner == 1).sum() == area[1]


def test_what_stands_before_people_hides_them() -> None:
    """A part behind the room's own depth is not drawn, but its silhouette is counted."""
    canvas = np.full((*SIZE, 3), 90, dtype=np.uint8)
    depth = np.full(SIZE, 2.0, dtype=np.float32)
    owner, touched = np.full(SIZE, -1, dtype=np.int16), np.full(SIZE, -1, dtype=np.int16)
    area = np.zeros(1, dtype=np.int64)
    raster.draw_parts(canvas, depth, owner, touched, area, np.array([capsule(0, 40.0, 5.0)]), np.ones(5), np.zeros(16, dtype=np.int8))
    assert (owner == -1).all()
    assert (canvas == 90).all()
    assert area[0] > 0


def test_parts_of_one_person_are_one_silhouette() -> None:
    """Where two parts of one person overlap, a pixel counts once."""
    _, owner, area = drawn(capsule(0, 40.0, 5.0), capsule(0, 44.0, 4.9))
    assert (owner == 0).sum() == area[0]


def test_light_comes_from_the_lamps_side() -> None:
    """With a lamp on the left the left flank is brighter than the right one."""
    canvas = np.full((*SIZE, 3), 0, dtype=np.uint8)
    depth = np.full(SIZE, 50.0, dtype=np.float32)
    owner, touched = np.full(SIZE, -1, dtype=np.int16), np.full(SIZE, -1, dtype=np.int16)
    light = np.array([-1.0, 0.0, 0.0, 0.3, 0.7])
    raster.draw_parts(
        canvas, depth, owner, touched, np.zeros(1, dtype=np.int64), np.array([capsule(0, 40.0, 5.0)]), light, np.zeros(16, dtype=np.int8)
    )
    assert int(canvas[30, 35, 0]) > 1.5 * int(canvas[30, 45, 0])


@pytest.mark.parametrize("pattern", [raster.STRIPES, raster.BARS, raster.CHECKS, raster.HEAD, raster.JACKET, raster.LOGO, raster.VEST])
def test_patterns_show_two_colours(pattern: int) -> None:
    """Every pattern shows some of the second colour and some of the first."""
    part = capsule(0, 40.0, 5.0, (250, 0, 0), half=14.0)
    part[raster.RED2 : raster.RED2 + 3] = (0, 250, 0)
    part[raster.PATTERN], part[raster.REPEATS] = pattern, 3.0 if pattern != raster.HEAD else 0.4
    canvas, owner, _ = drawn(part)
    inside = canvas[owner == 0].astype(int)
    assert (inside[:, 0] > inside[:, 1] + 60).sum() > 20
    assert (inside[:, 1] > inside[:, 0] + 60).sum() > 20


def test_extents_enclose_what_is_seen() -> None:
    """First and last pixel of each owner; who is not seen keeps the empty box."""
    owner = np.full((10, 12), -1, dtype=np.int16)
    owner[2:5, 3:9] = 0
    seen, extents = np.zeros(2, dtype=np.int64), np.tile(np.array([12, 10, 0, 0], dtype=np.int64), (2, 1))
    raster.count_owners(owner, seen, extents)
    assert seen.tolist() == [18, 0]
    assert extents.tolist() == [[3, 2, 9, 5], [12, 10, 0, 0]]


def test_shadows_darken_the_floor_only() -> None:
    """Inside the ellipse and on the floor it gets darker, most in the middle; elsewhere nothing changes."""
    canvas = np.full((40, 40, 3), 200, dtype=np.uint8)
    floor = np.zeros((40, 40), dtype=np.bool_)
    floor[:, :20] = True
    raster.draw_shadows(canvas, floor, np.array([[20.0, 20.0, 10.0, 5.0, 0.5]]))
    assert (canvas[:, 20:] == 200).all()
    assert canvas[20, 19, 0] < canvas[20, 13, 0] < 200
    assert (canvas[:14] == 200).all()


def test_exposure_is_the_curve_and_noise_is_of_its_size() -> None:
    """Without noise a pixel is its curve's value; with a sigma of four levels the picture's deviation is four levels."""
    canvas = np.full((60, 80, 3), 100, dtype=np.uint8)
    out = np.empty_like(canvas)
    curve = np.tile(np.minimum(255, np.arange(256) * 2).astype(np.int32), (3, 1))
    noise = np.clip(np.rint(np.random.default_rng(1).normal(0, 32, 4099)), -127, 127).astype(np.int8)
    raster.expose(canvas, out, curve, noise, np.zeros(256, dtype=np.int32), 0)
    assert (out == 200).all()
    raster.expose(canvas, out, curve, noise, np.full(256, 128, dtype=np.int32), 0)
    assert out.std() == pytest.approx(4.0, rel=0.1)


SCRIPT = """
import hashlib, json
import numpy as np
from firmware.vision.shop.training import render_training_scene
from firmware.vision.simulated_shop import SimulatedShop
shop = SimulatedShop(3, people=12, minutes=0.5, size=(64, 48))
busy = max(range(5, 60), key=lambda t: len([p for p in shop.world.paths if p.start_s <= t < p.end_s]))
pictures = [shop.frame(float(busy)).pixels, shop.frame(busy + 1.5).pixels]
scene, boxes = render_training_scene(np.random.default_rng(4), (48, 48))
print(json.dumps([hashlib.sha256(p.tobytes()).hexdigest() for p in [*pictures, scene, boxes]]))
"""


@pytest.mark.slow
def test_pictures_are_the_same_without_the_jit() -> None:
    """Frames of the shop and a training scene, compiled and in plain Python: equal to the last byte."""
    found = []
    for disabled in ("0", "1"):
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", SCRIPT],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
        )
        found.append(json.loads(run.stdout))
    assert found[0] == found[1]
    assert len(set(found[0])) == 4
