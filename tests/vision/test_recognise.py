"""Recognising models: what the tensors say, what the manifest says, and where they disagree."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.errors import ModelError
from firmware.vision.manifest import Anchors, Level, ModelEntry
from firmware.vision.recognise import input_table, reading
from firmware.vision.tensors import Signature, Tensor

PICTURE = Tensor("picture", (1, 320, 320, 3), "uint8", 1 / 128, 128)


def model(*outputs: tuple[int, ...], dtype: str = "int8", scale: float = 1 / 16, operators: tuple[str, ...] = ()) -> Signature:
    return Signature((PICTURE,), tuple(Tensor(f"t{i}", shape, dtype, scale, 0) for i, shape in enumerate(outputs)), operators)


def test_centre_point_is_known_by_its_pairs() -> None:
    """Heatmaps pair with the boxes of the same cells, whatever the order; strides follow from the sizes."""
    found = reading("m", model((1, 80, 80, 4), (1, 40, 40, 4), (1, 40, 40, 1), (1, 80, 80, 1)), None)
    assert found.decoder == "centre-point"
    assert [(level.heatmap, level.box, level.stride) for level in found.levels] == [(2, 1, 8.0), (3, 0, 4.0)]
    assert {level.activation for level in found.levels} == {"sigmoid"}


def test_heatmap_that_can_only_hold_shares_needs_no_sigmoid() -> None:
    """A quantised range of 0..1 means that the sigmoid is in the file."""
    signature = Signature(
        (PICTURE,), (Tensor("h", (1, 40, 40, 1), "int8", 1 / 256, -128), Tensor("b", (1, 40, 40, 4), "int8", 1 / 20, -128))
    )
    assert reading("m", signature, None).levels[0].activation == "none"


@pytest.mark.parametrize(("shape", "last"), [((1, 84, 2100), False), ((1, 2100, 84), True), ((1, 5, 2100), False)])
def test_yolov8_is_known_by_its_one_output(shape: tuple[int, ...], last: bool) -> None:
    """4 + classes by many boxes, either way round."""
    found = reading("m", model(shape, scale=1 / 256), None)
    assert (found.decoder, found.classes_last, found.unit) == ("yolov8", last, True)


def test_yolov8_in_pixels_is_known_by_its_range() -> None:
    """An output whose range goes to hundreds holds pixels; the manifest overrules."""
    assert not reading("m", model((1, 84, 2100), scale=2.5), None).unit
    entry = ModelEntry("m.tflite", "yolov8", coordinates="unit")
    assert reading("m", model((1, 84, 2100), scale=2.5), entry).unit


def test_postprocess_is_known_by_its_operator() -> None:
    """The operator's own order of outputs is used where it is known."""
    signature = model((1, 10), (1, 10, 4), (1,), (1, 10), dtype="float32", scale=0, operators=("TFLite_Detection_PostProcess",))
    ordered = Signature(signature.inputs, signature.outputs, signature.operators, (1, 3, 0, 2))
    assert reading("m", ordered, None).outputs == (1, 3, 0, 2)
    with pytest.raises(ModelError, match="not boxes, classes, scores and count"):
        reading("m", signature, None)


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ([(1, 1001)], "looks like a classifier of 1001 classes"),
        ([(1, 1, 1, 1000)], "looks like a classifier of 1000 classes"),
        ([(1, 320, 320, 21)], r"looks like segmentation \(1x320x320x21\)"),
        ([(1, 320, 320)], "looks like segmentation"),
        ([(1, 1917, 4), (1, 1917, 91)], "looks like a raw SSD"),
        ([(1, 17, 3), (1, 3), (1, 2)], "of no detector that is known here"),
    ],
)
def test_other_models_are_named(outputs: list[tuple[int, ...]], says: str) -> None:
    """A bare file that is no detector we read is refused by what it looks like."""
    with pytest.raises(ModelError, match=says):
        reading("m", model(*outputs), None)


@pytest.mark.parametrize(
    ("entry", "outputs", "says"),
    [
        (ModelEntry("m", "centre-point", input=416), [(1, 40, 40, 1), (1, 40, 40, 4)], "its input is 320x320, the manifest says 416x416"),
        (ModelEntry("m", "centre-point", dtype="int8"), [(1, 40, 40, 1), (1, 40, 40, 4)], "its input is uint8, the manifest says int8"),
        (ModelEntry("m", "centre-point"), [(1, 1001)], "needs its"),
        (
            ModelEntry("m", "centre-point", output=(Level(0, 5, 8),)),
            [(1, 40, 40, 1), (1, 40, 40, 4)],
            "has 2 outputs, the manifest names number 5",
        ),
        (ModelEntry("m", "centre-point", output=(Level(1, 0, 8),)), [(1, 40, 40, 1), (1, 40, 40, 4)], "are not a heatmap and its boxes"),
        (ModelEntry("m", "centre-point", output=(Level(0, 1, 4),)), [(1, 40, 40, 1), (1, 40, 40, 4)], "do not cover 320x320"),
        (ModelEntry("m", "yolov8"), [(1, 40, 40, 1), (1, 40, 40, 4)], "not of the YOLOv8 kind"),
        (ModelEntry("m", "yolov8", person=90), [(1, 84, 2100)], "has 80 classes, the manifest names number 90"),
        (ModelEntry("m", "ssd-postprocess"), [(1, 1001)], "not boxes, classes, scores and count"),
        (ModelEntry("m", "ssd-anchors"), [(1, 1917, 4), (1, 1917, 91)], "needs its"),
        (ModelEntry("m", "ssd-anchors", anchors=Anchors("a.npy", scores=3)), [(1, 1917, 4), (1, 1917, 91)], "names number 3"),
        (ModelEntry("m", "ssd-anchors", anchors=Anchors("a.npy")), [(1, 1917, 4), (1, 300, 91)], "not box encodings and class scores"),
    ],
)
def test_manifest_and_file_must_agree(entry: ModelEntry, outputs: list[tuple[int, ...]], says: str) -> None:
    """Whatever the manifest says that the file does not hold is refused by both values."""
    with pytest.raises(ModelError, match=says) as refused:
        reading("m", model(*outputs), entry)
    assert refused.value.hint


def test_input_must_be_one_colour_picture() -> None:
    """Two inputs, a grey picture or a sequence are no picture of ours."""
    for inputs in ((PICTURE, PICTURE), (Tensor("g", (1, 96, 96, 1), "int8"),), (Tensor("s", (1, 128), "float32"),)):
        with pytest.raises(ModelError, match="not one colour picture"):
            reading("m", Signature(inputs, (Tensor("o", (1, 10), "int8"),)), None)


def test_input_levels_span_the_whole_range() -> None:
    """Black and white become the ends of the input's range; a stated range of real values is quantised as the file says."""
    assert input_table(PICTURE, None, "yolov8").tolist() == list(range(256))
    assert input_table(Tensor("i", (1, 1, 1, 3), "int8", 1 / 255, -128), None, "yolov8").tolist() == list(range(-128, 128))
    floats = input_table(Tensor("f", (1, 1, 1, 3), "float32"), None, "yolov8")
    assert (floats[0], floats[255], floats.dtype) == (0.0, 1.0, np.float32)
    assert input_table(Tensor("f", (1, 1, 1, 3), "float32"), None, "ssd-anchors")[0] == -1.0
    half = input_table(Tensor("u", (1, 1, 1, 3), "uint8", 1 / 64, 128), (-1.0, 1.0), "centre-point")
    assert (half[0], half[255]) == (64, 192)


def test_thresholds_come_from_the_manifest() -> None:
    """Least score, overlap and person class are the manifest's where there is one."""
    entry = ModelEntry("m", "yolov8", score_min=0.25, nms_iou_max=0.7, person=3)
    found = reading("m", model((1, 84, 2100)), entry)
    assert (found.score_min, found.iou_max, found.person) == (0.25, 0.7, 3)
