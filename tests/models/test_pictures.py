"""Reading labelled pictures, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from models_tflite.training import pictures
from models_tflite.training.pictures import Picture
from tests.data_folder import DATA, needs_data


def test_labels_become_corners() -> None:
    """A YOLO line is a box in pixels, cut at the picture's border; an empty file is nobody."""
    assert pictures.parse_boxes("0 0.5 0.5 0.2 0.4\n", 100, 200)[0] == pytest.approx([40, 60, 60, 140], abs=1e-4)
    assert pictures.parse_boxes("0 0.05 0.5 0.2 0.4\n", 100, 200)[0, 0] == 0
    assert pictures.parse_boxes("\n", 100, 200).shape == (0, 4)


def test_near_copies_are_dropped() -> None:
    """A picture that comes again a little brighter is dropped, another one is kept."""
    rng = np.random.default_rng(1)
    first, other = (np.kron(rng.integers(0, 200, (12, 12, 3)), np.ones((16, 16, 1))).astype(np.uint8) for _ in range(2))
    given = [Picture(name, pixels, np.zeros((0, 4), np.float32)) for name, pixels in (("a", first), ("b", first + 20), ("c", other))]
    assert [picture.name for picture in pictures.without_copies(given)] == ["a", "c"]


def test_salt_and_pepper_is_seen() -> None:
    """Noise of single pixels is told from a clean picture."""
    clean = np.full((64, 64, 3), 120, np.uint8)
    noisy = clean.copy()
    noisy[np.random.default_rng(1).random((64, 64)) < 0.05] = 255
    assert pictures.speckle(clean) < pictures.SPECKLE_MAX < pictures.speckle(noisy)


@needs_data
def test_rooms_do_not_mix() -> None:
    """The classroom is its own source, and no clinic picture is in both cameras' sources."""
    found = pictures.load_sources(DATA, {"classroom", "clinic-a", "clinic-b"})
    assert len(found["classroom"]) == 17
    names = [picture.name for picture in found["clinic-a"] + found["clinic-b"]]
    assert len(names) == len(set(names)) == 291
