"""The recipe's plain numpy reading of detectors, held against the firmware's kernels and against cases done by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware.vision.detector import open_detector
from firmware.vision.frame import Frame
from firmware.vision.manifest import packaged_manifest
from firmware.vision.simulated_shop import SimulatedShop
from models_tflite.training import judge
from models_tflite.training.measure import Found, iou
from tests.data_folder import DATA, needs_data


@pytest.fixture(scope="module")
def frame() -> Frame:
    return SimulatedShop(seed=2, people=12, minutes=1.0, size=(640, 480)).frame(30.0)


def test_two_readings_agree(frame: Frame) -> None:
    """The firmware's detector and the recipe's judge find the same people in a frame of the simulated shop."""
    detector = open_detector("person-320", threads=1, runtime="litert", tiling="1x1", score_min=0.3)
    ours = detector.detect(frame)
    detector.close()
    found = judge.Judged(judge.entries(packaged_manifest())["person-320"]).find(frame.pixels, score_min=0.3)
    sure = found.boxes[found.scores > 0.5]
    assert len(sure), "nobody was found at all"
    # Two resizers round differently: where two boxes on one person score alike, suppression may keep the other.
    best = iou(sure, ours.boxes).max(axis=1)
    assert np.median(best) > 0.9
    assert best.min() > 0.3
    assert len(ours.scores) == pytest.approx(len(found.scores), abs=2)


def test_people_of_the_shop_are_found(frame: Frame) -> None:
    """Most of those who stand in full view of the simulated shop's camera are found where they are."""
    shop = SimulatedShop(seed=2, people=12, minutes=1.0, size=(640, 480))
    judged = judge.Judged(judge.entries(packaged_manifest())["person-320"])
    wanted, found = 0, 0
    for t_s in (15.0, 30.0, 45.0):
        boxes = np.array([person.box for person in shop.boxes(t_s) if person.visible > 0.8]).reshape(-1, 4)
        if not len(boxes):
            continue
        overlap = iou(boxes, judged.find(shop.frame(t_s).pixels, score_min=0.3).boxes)
        wanted, found = wanted + len(boxes), found + int((overlap.max(axis=1, initial=0) > 0.4).sum())
    assert wanted >= 5
    assert found >= 0.7 * wanted


@needs_data
def test_yardstick_is_read() -> None:
    """The COCO detector's own operator is read: nobody is in an empty floor, in 0..1."""
    judged = judge.Judged(judge.Entry(Path(DATA) / "models" / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite"))
    assert not len(judged.find(np.full((300, 400, 3), 128, np.uint8), score_min=0.5).scores)


def test_one_peak_where_two_cells_are_equal() -> None:
    """Of equal neighbours only the first in reading order is a peak, and a higher neighbour puts out both."""
    heat = np.zeros((5, 5))
    heat[2, 2] = heat[2, 3] = 0.5
    assert [tuple(cell) for cell in np.argwhere(judge.peaks(heat) & (heat > 0))] == [(2, 2)]
    heat[1, 3] = 0.6
    assert [tuple(cell) for cell in np.argwhere(judge.peaks(heat) & (heat > 0))] == [(1, 3)]


def test_person_cut_by_a_tile_is_left_to_the_neighbour() -> None:
    """A box at a tile's inner edge is dropped, one at the picture's own edge is kept."""
    found = Found(np.array([[0.5, 0.2, 1.0, 0.8], [0.0, 0.2, 0.3, 0.8]]), np.array([0.9, 0.8]))
    kept = judge.without_cut(found, (0.0, 0.0, 0.55, 1.0))
    assert kept.boxes.tolist() == [[0.0, 0.2, 0.3, 0.8]]
