"""The kernel of empty rooms: hashes, contact shadows, materials."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.vision.shop import room_raster as rr


def test_hashes_are_even_and_repeat() -> None:
    """Numbers in 0..1, spread evenly over cells of either sign, the same each time, others for another seed."""
    found = np.array([rr._hash01(i, j, 7) for i in range(-40, 40) for j in range(-40, 40)])
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.mean() == pytest.approx(0.5, abs=0.02)
    assert found.std() == pytest.approx(1 / np.sqrt(12), abs=0.02)
    assert rr._hash01(3, 4, 7) == rr._hash01(3, 4, 7)
    assert rr._hash01(3, 4, 7) != rr._hash01(3, 4, 8)


def test_the_floor_is_darker_beside_furniture() -> None:
    """At the foot of a cupboard about half the light, a metre away all of it; boxes that hang do not count."""
    boxes = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 2.0], [5.0, 5.0, 2.5, 6.0, 6.0, 3.0]])
    assert rr._near_box(1.01, 0.5, boxes) == pytest.approx(0.56, abs=0.02)
    assert rr._near_box(2.0, 0.5, boxes) == 1.0
    assert rr._near_box(5.5, 5.5, boxes) == 1.0


def test_lamps_light_what_faces_them() -> None:
    """A floor under a lamp is lit, a ceiling above it only glows; farther is darker."""
    lamps = np.array([(0.0, 0.0, 0.0, 0.3), (0.0, 0.0, 3.0, 0.8)])
    under = rr._lamplight(0.0, 0.0, 0.0, 2, 1.0, lamps)
    assert under > 0.6
    assert rr._lamplight(4.0, 0.0, 0.0, 2, 1.0, lamps) < 0.7 * under
    assert rr._lamplight(0.0, 0.0, 3.5, 2, 1.0, lamps) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("kind", "seam"), [(rr.TILES, (0.005, 0.25)), (rr.PLANKS, (0.2, 0.005)), (rr.BRICKS, (0.2, 0.01)), (rr.GLASS, (0.005, 0.2))]
)
def test_seams_show_the_second_colour(kind: int, seam: tuple[float, float]) -> None:
    """On a seam the second colour, beside it the first."""
    row = np.array([kind, 0.5, 0.8, 0.8, 0.8, 0.1, 0.1, 0.1, 0.0, 1.0])
    colour = np.zeros(3)
    rr._texture(row, *seam, colour)
    assert colour.tolist() == [0.1, 0.1, 0.1]
    rr._texture(row, 0.27, 0.27, colour)
    assert colour.tolist() == [0.8, 0.8, 0.8]
