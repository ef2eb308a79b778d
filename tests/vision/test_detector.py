"""Whole detectors: the files that must work, and the files that must be refused in one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.errors import ModelError
from firmware.vision.detector import open_detector
from firmware.vision.frame import Frame
from tests.data_folder import DATA, needs_data

MODELS = DATA / "models"
COCO = str(MODELS / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite")


@needs_data
def test_bare_ssd_file_finds_the_walker() -> None:
    """A detector of which nothing is known but its file finds the person in a frame of the one-by-one clip."""
    av = pytest.importorskip("av")
    clip = DATA / "videos" / "intel_sample_videos" / "one-by-one-person-detection.mp4"
    detector = open_detector(COCO, threads=1)
    with av.open(str(clip)) as container:
        pixels = next(frame for i, frame in enumerate(container.decode(video=0)) if i == 240).to_ndarray(format="rgb24")
    found = detector.detect(Frame(24.0, pixels, dropped=2))
    detector.close()
    assert found.scores[0] > 0.5
    assert found.boxes[0] == pytest.approx([0.46, 0.06, 0.68, 0.93], abs=0.05)
    assert (found.t_s, found.dropped) == (24.0, 2)
    assert np.all(np.diff(found.scores) <= 0)


@needs_data
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mobilenet_v1_0.5_160_quant", "looks like a classifier of 1001 classes"),
        ("mobilenet_v2_1.0_224_quant", "looks like a classifier of 1001 classes"),
        ("deeplabv3_mnv2_pascal_quant", "looks like segmentation"),
        ("mobilenet_v2_1.0_224_quant_edgetpu", "compiled for the Edge TPU"),
        ("person_detect", "the runtime refuses the file"),
        ("nobody", "no such model file"),
    ],
)
def test_wrong_file_is_one_line(name: str, says: str) -> None:
    """Each wrong kind of file is refused with a line that names it, says what it is and what to do."""
    with pytest.raises(ModelError) as refused:
        open_detector(str(MODELS / f"{name}.tflite"), threads=1)
    assert says in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint
