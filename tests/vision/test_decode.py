"""Decoders: every family's raw tensors give the boxes that arithmetic by hand gives, quantised or float."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.errors import ModelError
from firmware.vision.decode import Decoder, decoder_for, scale_of, sigmoid
from firmware.vision.manifest import Anchors, Level
from firmware.vision.recognise import Reading
from firmware.vision.tensors import Signature, Tensor
from tests.data_folder import DATA, needs_data

TABLE = np.arange(256, dtype=np.uint8)
PICTURE = Tensor("picture", (1, 32, 64, 3), "uint8", 1 / 128, 128)


def quantise(real: NDArray[np.float64], tensor: Tensor) -> NDArray[np.generic]:
    if not tensor.scale:
        return real.astype(tensor.dtype)
    limits = np.iinfo(tensor.dtype)
    return np.clip(np.round(real / tensor.scale) + tensor.zero, limits.min, limits.max).astype(tensor.dtype)


def people(decoder: Decoder, outputs: tuple[NDArray[np.generic], ...]) -> list[tuple[float, list[float]]]:
    n = decoder(outputs)
    return [(float(s), b.tolist()) for b, s in zip(decoder.boxes[:n], decoder.scores[:n], strict=True)]


KINDS = ["float32", "int8", "uint8"]


def head(kind: str, shape: tuple[int, ...], scale: float, zero: int) -> Tensor:
    return Tensor("t", shape, kind, 0.0 if kind == "float32" else scale, 0 if kind == "float32" else zero + (128 if kind == "uint8" else 0))


def centre_point(kind: str, score_min: float = 0.3, activation: str = "sigmoid", peak: bool = True) -> tuple[Decoder, Tensor, Tensor]:
    """A head of stride 8 over 32x64: 4 rows of 8 cells."""
    heat, box = head(kind, (1, 4, 8, 1), 1 / 16, 0), head(kind, (1, 4, 8, 4), 1 / 32, -128)
    level = Level(0, 1, 8, activation, peak)  # type: ignore[arg-type]
    plan = Reading("centre-point", (32, 64), TABLE, score_min, 0.5, levels=(level,))
    return decoder_for(plan, Signature((PICTURE,), (heat, box))), heat, box


@pytest.mark.parametrize("kind", KINDS)
def test_centre_point_box_is_centre_plus_distances(kind: str) -> None:
    """A cell's box runs from its centre by left, top, right, bottom in strides, as shares of the input."""
    decoder, heat, box = centre_point(kind)
    logits, distances = np.full((1, 4, 8, 1), -6.0), np.zeros((1, 4, 8, 4))
    logits[0, 1, 3] = 2.0
    distances[0, 1, 3] = [1.0, 0.5, 2.0, 1.5]
    (found,) = people(decoder, (quantise(logits, heat), quantise(distances, box)))
    assert found[0] == pytest.approx(1 / (1 + math.exp(-2.0)), abs=1e-6)
    assert found[1] == pytest.approx([2.5 * 8 / 64, 1.0 * 8 / 32, 5.5 * 8 / 64, 3.0 * 8 / 32])


@pytest.mark.parametrize("kind", KINDS)
def test_centre_point_keeps_peaks_above_the_threshold(kind: str) -> None:
    """Of neighbours only the highest counts, of equals only the first; what is under the threshold never does."""
    decoder, heat, box = centre_point(kind, score_min=0.5)
    logits, distances = np.full((1, 4, 8, 1), -6.0), np.full((1, 4, 8, 4), 0.5)
    logits[0, 1, 1:4, 0] = [1.0, 2.0, 1.5]
    logits[0, 3, 5:7, 0] = [1.0, 1.0]
    logits[0, 0, 7, 0] = -0.5
    found = people(decoder, (quantise(logits, heat), quantise(distances, box)))
    assert [round(math.log(s / (1 - s)), 3) for s, _ in found] == [2.0, 1.0]
    assert found[1][1][0] == pytest.approx(5 * 8 / 64)


def test_without_peaks_every_cell_counts() -> None:
    """A head that was trained to peak by itself is not thinned."""
    decoder, heat, box = centre_point("int8", score_min=0.5, peak=False)
    logits = np.full((1, 4, 8, 1), 1.0)
    assert len(people(decoder, (quantise(logits, heat), quantise(np.full((1, 4, 8, 4), 0.5), box)))) == 32


def test_probabilities_need_no_sigmoid() -> None:
    """With activation none the heatmap is the score."""
    heat = Tensor("heat", (1, 4, 8, 1), "int8", 1 / 256, -128)
    plan = Reading("centre-point", (32, 64), TABLE, 0.3, 0.5, levels=(Level(0, 1, 8, "none"),))
    box = Tensor("box", (1, 4, 8, 4), "int8", 1 / 32, -128)
    decoder = decoder_for(plan, Signature((PICTURE,), (heat, box)))
    scores = np.zeros((1, 4, 8, 1))
    scores[0, 2, 2] = 0.75
    assert people(decoder, (quantise(scores, heat), quantise(np.full((1, 4, 8, 4), 0.5), box)))[0][0] == pytest.approx(0.75)


def test_boxes_are_cut_at_the_border_and_flat_ones_dropped() -> None:
    """Distances beyond the picture end at it; a box without an area is nobody."""
    decoder, heat, box = centre_point("float32")
    logits, distances = np.full((1, 4, 8, 1), -6.0), np.zeros((1, 4, 8, 4))
    logits[0, 0, 0], logits[0, 3, 7] = 3.0, 3.0
    distances[0, 0, 0] = [4, 4, 1, 1]
    (found,) = people(decoder, (quantise(logits, heat), quantise(distances, box)))
    assert found[1][:2] == [0.0, 0.0]


def test_two_levels_share_the_buffers() -> None:
    """Candidates of both levels come out together; there is room for every cell of both."""
    fine, coarse = Tensor("f", (1, 4, 8, 1), "float32"), Tensor("c", (1, 2, 4, 1), "float32")
    boxes = Tensor("fb", (1, 4, 8, 4), "float32"), Tensor("cb", (1, 2, 4, 4), "float32")
    plan = Reading("centre-point", (32, 64), TABLE, 0.5, 0.5, levels=(Level(0, 2, 8, peak=False), Level(1, 3, 16, peak=False)))
    decoder = decoder_for(plan, Signature((PICTURE,), (fine, coarse, *boxes)))
    outputs = tuple(np.full(t.shape, 1.0, np.float32) for t in (fine, coarse, *boxes))
    found = people(decoder, outputs)
    assert len(found) == 32 + 8
    assert found[-1][1] == pytest.approx([2.5 * 16 / 64, 0.5 * 16 / 32, 1.0, 1.0])


def test_postprocess_lists_people_only() -> None:
    """Of the listed boxes: class 0, up to the count, above the threshold, with y before x."""
    shapes = ((1, 5, 4), (1, 5), (1, 5), (1,))
    signature = Signature((PICTURE,), tuple(Tensor(str(i), shape, "float32") for i, shape in enumerate(shapes)))
    decoder = decoder_for(Reading("ssd-postprocess", (32, 64), TABLE, 0.3, 0.5, outputs=(0, 1, 2, 3)), signature)
    boxes = np.tile(np.array([0.1, 0.2, 0.5, 0.4], np.float32), (1, 5, 1))
    classes, scores = np.array([[0, 7, 0, 0, 0]], np.float32), np.array([[0.9, 0.8, 0.2, 0.6, 0.9]], np.float32)
    found = people(decoder, (boxes, classes, scores, np.array([4.0], np.float32)))
    assert [s for s, _ in found] == pytest.approx([0.9, 0.6])
    assert found[0][1] == pytest.approx([0.2, 0.1, 0.4, 0.5])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_yolo_rows_either_way_round(kind: str, last: bool, unit: bool) -> None:
    """Centre and size become corners, whichever axis the classes are on, in pixels or shares, whatever the type."""
    scale = 1 / 256 if unit else 0.5
    shape = (1, 100, 6) if last else (1, 6, 100)
    output = head(kind, shape, scale, -128)
    reading = Reading("yolov8", (32, 64), TABLE, 0.4, 0.5, person=1, unit=unit, classes_last=last)
    rows = np.zeros((6, 100))
    rows[:, 7] = [0.5, 0.5, 0.25, 0.5, 0.9, 0.5] if unit else [32, 16, 16, 16, 0.9, 0.5]
    rows[:, 9] = [0.5, 0.5, 0.25, 0.5, 0.9, 0.0]
    real = rows.T[None] if last else rows[None]
    (found,) = people(decoder_for(reading, Signature((PICTURE,), (output,))), (quantise(real, output),))
    assert found[0] == pytest.approx(0.5, abs=0.01)
    assert found[1] == pytest.approx([0.375, 0.25, 0.625, 0.75], abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_raw_ssd_against_its_anchors(kind: str) -> None:
    """Encodings move and stretch their anchor; the score is the person's column behind the background."""
    boxes, scores = head(kind, (1, 8, 4), 1 / 16, 0), head(kind, (1, 8, 3), 1 / 16, 0)
    anchors = np.tile(np.array([0.5, 0.5, 0.4, 0.2], np.float32), (8, 1))
    reading = Reading("ssd-anchors", (32, 64), TABLE, 0.5, 0.5, outputs=(0, 1))
    decoder = decoder_for(reading, Signature((PICTURE,), (boxes, scores)), (Anchors("a.npy"), anchors))
    encodings, logits = np.zeros((1, 8, 4)), np.full((1, 8, 3), -5.0)
    encodings[0, 2] = [1.0, -2.0, 0.0, 2.5]
    logits[0, 2, 1], logits[0, 3, 2], logits[0, 4, 0] = 2.0, 3.0, 3.0
    (found,) = people(decoder, (quantise(encodings, boxes), quantise(logits, scores)))
    assert found[0] == pytest.approx(sigmoid(2.0))
    centre_y, centre_x, half_y, half_x = 0.5 + 0.1 * 0.4, 0.5 - 0.2 * 0.2, 0.2, 0.1 * math.exp(0.5)
    assert found[1] == pytest.approx([centre_x - half_x, centre_y - half_y, centre_x + half_x, centre_y + half_y])


@needs_data
def test_raw_ssd_as_the_postprocess_operator_says() -> None:
    """From the raw tensors and anchors of the COCO SSD come the boxes and scores that its own last operator gives."""
    av, interpreter = pytest.importorskip("av"), pytest.importorskip("ai_edge_litert.interpreter")
    content = (DATA / "models" / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = interpreter.OpResolverType
        model = interpreter.Interpreter(
            model_content=content,
            experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    model.allocate_tensors()
    with av.open(str(DATA / "videos" / "intel_sample_videos" / "one-by-one-person-detection.mp4")) as clip:
        picture = next(frame for i, frame in enumerate(clip.decode(video=0)) if i == 240)
    model.set_tensor(model.get_input_details()[0]["index"], picture.reformat(300, 300, "rgb24").to_ndarray()[None])
    model.invoke()
    operator = next(op for op in model._get_ops_details() if op["op_name"] == "TFLite_Detection_PostProcess")
    details = {detail["index"]: detail for detail in model.get_tensor_details()}
    tensors = [
        Tensor(d["name"], tuple(int(n) for n in d["shape"]), "uint8", float(d["quantization"][0]), int(d["quantization"][1]))
        for d in (details[index] for index in operator["inputs"])
    ]
    raw = [model.get_tensor(index) for index in operator["inputs"]]
    anchors = ((raw[2].astype(float) - tensors[2].zero) * tensors[2].scale).astype(np.float32)
    listed, classes, scores, _ = (model.get_tensor(detail["index"]) for detail in model.get_output_details())
    reading = Reading("ssd-anchors", (300, 300), TABLE, 0.3, 0.5, outputs=(0, 1))
    spec = Anchors("a.npy", activation="none")
    found = people(decoder_for(reading, Signature((PICTURE,), (tensors[0], tensors[1])), (spec, anchors)), (raw[0], raw[1]))
    best_score, best_box = max(found)
    theirs = int(np.argmax(np.where(classes[0] == 0, scores[0], 0)))
    assert best_score == pytest.approx(float(scores[0, theirs]), abs=1e-6)
    assert best_box == pytest.approx(np.clip(listed[0, theirs][[1, 0, 3, 2]], 0, 1).tolist(), abs=1e-5)


def test_wrong_number_of_anchors_is_refused() -> None:
    """As many anchors as boxes, or an error that says both numbers."""
    boxes, scores = Tensor("b", (1, 8, 4), "float32"), Tensor("s", (1, 8, 3), "float32")
    reading = Reading("ssd-anchors", (32, 64), TABLE, 0.5, 0.5, outputs=(0, 1))
    with pytest.raises(ModelError, match="7x4 anchors for a model of 8 boxes"):
        decoder_for(reading, Signature((PICTURE,), (boxes, scores)), (Anchors("a.npy"), np.zeros((7, 4), np.float32)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("logistic", [False, True])
def test_raw_threshold_is_the_real_one(kind: str, logistic: bool) -> None:
    """For every raw value: at least the raw threshold exactly when its real value is at least the real one."""
    tensor = head(kind, (1,), 1 / 100, 3)
    scale = scale_of(tensor, logistic=logistic)
    low = 0 if kind == "uint8" else -128
    raws = np.arange(low, low + 256) if kind != "float32" else np.linspace(-3, 3, 600)
    for score_min in (0.01, 0.3, 0.5, 0.9):
        for raw in raws:
            real = (float(raw) - scale.zero) * scale.scale
            assert (raw >= scale.raw_min(score_min)) == ((sigmoid(real) if logistic else real) >= score_min - 1e-12)


def test_sigmoid_does_not_overflow() -> None:
    """Far out on either side it is 0 and 1."""
    assert (sigmoid(-1000.0), sigmoid(0.0), sigmoid(1000.0)) == (0.0, 0.5, 1.0)
