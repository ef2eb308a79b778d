"""What a model is: from its manifest, checked against its tensors, or from its tensors alone. Pure.

`reading(...)` gives the frozen plan by which `firmware.vision.decode` reads outputs and the detector fills the input.
Rules: what the manifest says must be what the file holds; a bare file is recognised by operators and shapes or refused
with the name of what it looks like (a classifier, segmentation), never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.errors import ModelError
from firmware.vision.manifest import Level, ModelEntry
from firmware.vision.tensors import Signature, Tensor

SCORE_MIN: Final = 0.1  # of a bare file: what the tracker's second association still uses
NMS_IOU_MAX: Final = 0.6  # of a bare file: two people abreast overlap by less
_CLASSES_MIN: Final = 2
_UNIT_MAX: Final = 2.0  # box outputs whose quantised range ends below are in 0..1, not pixels
_POSTPROCESS: Final = "TFLite_Detection_PostProcess"


@dataclass(frozen=True, slots=True)
class Reading:
    """How to feed a model and read it.

    Attributes:
        decoder: which decoder reads the outputs.
        size: height, width of the input.
        table: (256,) of the input's dtype, the value of each 8-bit level.
        score_min: candidates below are dropped.
        iou_max: of non-maximum suppression.
        person: index of the class that is a person (for ssd-anchors behind the background class).
        outputs: the outputs' indexes in the order that the decoder wants.
        levels: of a centre-point head.
        unit: yolov8 boxes are in 0..1, not pixels.
        classes_last: yolov8 output is [1, N, 4 + classes], not [1, 4 + classes, N].
        score_even: the model's score that is as good as 0.5: the tracker's thresholds then mean the same for every model.
    """

    decoder: str
    size: tuple[int, int]
    table: NDArray[np.generic]
    score_min: float
    iou_max: float
    person: int = 0
    outputs: tuple[int, ...] = ()
    levels: tuple[Level, ...] = ()
    unit: bool = True
    classes_last: bool = False
    score_even: float = 0.5


def reading(name: str, signature: Signature, entry: ModelEntry | None) -> Reading:
    """The plan for a built model.

    Raises:
        ModelError: the file is not what its manifest says, or no detector that we can read.
    """
    size = _input_size(name, signature, entry)
    decoder = entry.decoder if entry else _decoder_of(name, signature, size)
    reader = {"centre-point": _centre_point, "ssd-postprocess": _postprocess, "yolov8": _yolov8, "ssd-anchors": _anchored}[decoder]
    outputs, levels, unit, classes_last = reader(name, signature, entry, size)
    return Reading(
        decoder,
        size,
        input_table(signature.inputs[0], entry.pixel_range if entry else None, decoder),
        entry.score_min if entry else SCORE_MIN,
        entry.nms_iou_max if entry else NMS_IOU_MAX,
        entry.person if entry else 0,
        outputs,
        levels,
        unit,
        classes_last,
        entry.score_even if entry else 0.5,
    )


def _input_size(name: str, signature: Signature, entry: ModelEntry | None) -> tuple[int, int]:
    """Height and width of the one picture that goes in."""
    shape = signature.inputs[0].shape
    if len(signature.inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
        raise ModelError(
            f"{name}: takes {_shapes(signature.inputs)}, not one colour picture", "a detector's input is [1, height, width, 3]"
        )
    size = (shape[1], shape[2])
    if entry and entry.input_hw and entry.input_hw != size:
        raise ModelError(
            f"{name}: its input is {size[0]}x{size[1]}, the manifest says {entry.input_hw[0]}x{entry.input_hw[1]}", "correct the manifest"
        )
    if entry and entry.dtype and entry.dtype != signature.inputs[0].dtype:
        raise ModelError(f"{name}: its input is {signature.inputs[0].dtype}, the manifest says {entry.dtype}", "correct the manifest")
    return size


def _decoder_of(name: str, signature: Signature, size: tuple[int, int]) -> str:
    """The decoder of a file of which nothing is known but its tensors."""
    shapes = [output.shape for output in signature.outputs]
    if signature.postprocess or _POSTPROCESS in signature.operators:
        return "ssd-postprocess"
    if len(shapes) == 1 and len(shapes[0]) == 3 and _yolo_axis(shapes[0]) is not None:
        return "yolov8"
    if _pairs(signature, size):
        return "centre-point"
    raise ModelError(
        f"{name}: {_looks_like(shapes, size)}", "a detector is wanted: give one, or describe this one in a manifest.toml (docs/models.md)"
    )


def _looks_like(shapes: list[tuple[int, ...]], size: tuple[int, int]) -> str:
    """One clause that names what kind of model this seems to be."""
    if len(shapes) == 1 and len([n for n in shapes[0] if n > 1]) == 1:
        return f"looks like a classifier of {max(shapes[0])} classes, which finds no boxes"
    if len(shapes) == 1 and len(shapes[0]) in {3, 4} and shapes[0][1] * 8 >= size[0] and shapes[0][2] * 8 >= size[1]:
        return f"looks like segmentation ({'x'.join(map(str, shapes[0]))}), which finds no boxes"
    if len(shapes) == 2 and all(len(shape) == 3 for shape in shapes) and 4 in {shapes[0][-1], shapes[1][-1]}:
        return "looks like a raw SSD, whose anchors are not in the file"
    return f"its outputs ({', '.join('x'.join(map(str, shape)) for shape in shapes)}) are of no detector that is known here"


def _postprocess(
    name: str, signature: Signature, _entry: ModelEntry | None, _size: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[Level, ...], bool, bool]:
    """Boxes, classes, scores and count, as the operator itself orders them, else as the file does."""
    outputs = signature.postprocess or tuple(range(len(signature.outputs)))
    shapes = [signature.outputs[i].shape for i in outputs]
    if len(shapes) != 4 or len(shapes[0]) != 3 or shapes[0][2] != 4 or shapes[1] != shapes[2] or len(shapes[1]) != 2:
        raise ModelError(
            f"{name}: its outputs ({_shapes(signature.outputs)}) are not boxes, classes, scores and count", f"{_POSTPROCESS} has four"
        )
    return outputs, (), True, False


def _centre_point(
    name: str, signature: Signature, entry: ModelEntry | None, size: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[Level, ...], bool, bool]:
    """Heatmap and box of each level."""
    levels = entry.output if entry else _pairs(signature, size)
    if not levels:
        raise ModelError(f"{name}: a centre-point model needs its [[model.{name}.output]] tables", "docs/models.md shows one")
    for level in levels:
        if not all(0 <= i < len(signature.outputs) for i in (level.heatmap, level.box)):
            raise ModelError(
                f"{name}: has {len(signature.outputs)} outputs, the manifest names number {max(level.heatmap, level.box)}",
                "they count from 0",
            )
        heat, box = signature.outputs[level.heatmap], signature.outputs[level.box]
        if len(heat.shape) != 4 or heat.shape[3] != 1 or box.shape != (*heat.shape[:3], 4):
            raise ModelError(
                f"{name}: outputs {_shapes((heat, box))} are not a heatmap and its boxes", "heatmap [1, H, W, 1], box [1, H, W, 4]"
            )
        if not all(abs(cells * level.stride - side) < level.stride for cells, side in zip(heat.shape[1:3], size, strict=True)):
            raise ModelError(
                f"{name}: {heat.shape[1]}x{heat.shape[2]} cells of stride {level.stride:g} do not cover {size[0]}x{size[1]}",
                "correct the manifest",
            )
    return tuple(i for level in levels for i in (level.heatmap, level.box)), tuple(levels), True, False


def _pairs(signature: Signature, size: tuple[int, int]) -> tuple[Level, ...]:
    """Levels of a centre-point head told from shapes: each [1, H, W, 1] with the [1, H, W, 4] of the same cells."""
    heats = [(i, output) for i, output in enumerate(signature.outputs) if len(output.shape) == 4 and output.shape[3] == 1]
    boxes: dict[tuple[int, ...], int] = {
        output.shape[1:3]: i for i, output in enumerate(signature.outputs) if len(output.shape) == 4 and output.shape[3] == 4
    }
    if not heats or len(heats) * 2 != len(signature.outputs) or any(heat.shape[1:3] not in boxes for _, heat in heats):
        return ()
    return tuple(Level(i, boxes[heat.shape[1:3]], size[0] / heat.shape[1], "none" if _is_share(heat) else "sigmoid") for i, heat in heats)


def _is_share(output: Tensor) -> bool:
    """Whether a quantised output can only hold 0..1: scores, not logits."""
    limits = output.real_range
    return limits is not None and limits[0] >= -0.01 and limits[1] <= 1.01


def _yolov8(
    name: str, signature: Signature, entry: ModelEntry | None, _size: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[Level, ...], bool, bool]:
    """One output of centre x, centre y, width, height and a score for each class."""
    axis = _yolo_axis(signature.outputs[0].shape) if len(signature.outputs) == 1 else None
    if axis is None:
        raise ModelError(
            f"{name}: outputs {_shapes(signature.outputs)} are not of the YOLOv8 kind",
            "one [1, 4 + classes, boxes], without built-in suppression",
        )
    if entry and not 0 <= entry.person < signature.outputs[0].shape[axis] - 4:
        raise ModelError(
            f"{name}: has {signature.outputs[0].shape[axis] - 4} classes, the manifest names number {entry.person}", "they count from 0"
        )
    limits = signature.outputs[0].real_range
    unit = limits is None or limits[1] < _UNIT_MAX
    if entry and entry.coordinates:
        unit = entry.coordinates == "unit"
    return (0,), (), unit, axis == 2


def _yolo_axis(shape: tuple[int, ...]) -> int | None:
    """Which axis of a YOLOv8 output holds 4 + classes: the shorter; None when it is no such output."""
    if len(shape) != 3 or shape[0] != 1:
        return None
    axis = 1 if shape[1] < shape[2] else 2
    return axis if shape[axis] >= 5 and shape[3 - axis] >= max(64, 2 * shape[axis]) else None


def _anchored(
    name: str, signature: Signature, entry: ModelEntry | None, _size: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[Level, ...], bool, bool]:
    """Encodings and class scores of a raw SSD; the anchors come from the manifest."""
    anchors = entry.anchors if entry else None
    if anchors is None:
        raise ModelError(f"{name}: a raw SSD needs its [model.{name}.anchors] table", "docs/models.md shows one")
    if not all(0 <= i < len(signature.outputs) for i in (anchors.boxes, anchors.scores)):
        raise ModelError(
            f"{name}: has {len(signature.outputs)} outputs, the manifest names number {max(anchors.boxes, anchors.scores)}",
            "they count from 0",
        )
    boxes, scores = signature.outputs[anchors.boxes].shape, signature.outputs[anchors.scores].shape
    if (
        len(boxes) < 3
        or boxes[-1] != 4
        or len(scores) != 3
        or scores[1] != boxes[-2 if len(boxes) == 3 else 1]
        or scores[2] < _CLASSES_MIN - 1
    ):
        raise ModelError(
            f"{name}: outputs {_shapes(signature.outputs)} are not box encodings and class scores", "[1, N, 4] and [1, N, classes]"
        )
    return (anchors.boxes, anchors.scores), (), True, False


def input_table(tensor: Tensor, pixel_range: tuple[float, float] | None, decoder: str) -> NDArray[np.generic]:
    """(256,) of the input's dtype: what each 8-bit level becomes.

    A quantised input spans its whole range from black to white, as every converter writes it, unless the manifest gives
    the real values of black and white. A float input is -1..1 for the SSD family, else 0..1.
    """
    levels = np.arange(256)
    if tensor.dtype == "float32":
        black, white = pixel_range or ((-1.0, 1.0) if decoder.startswith("ssd") else (0.0, 1.0))
        return (black + levels * ((white - black) / 255)).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    if pixel_range is None or not tensor.scale:
        return (levels + limits.min).astype(tensor.dtype)
    real = pixel_range[0] + levels * ((pixel_range[1] - pixel_range[0]) / 255)
    return np.clip(np.round(real / tensor.scale) + tensor.zero, limits.min, limits.max).astype(tensor.dtype)


def _shapes(tensors: tuple[Tensor, ...]) -> str:
    return ", ".join("[" + ", ".join(map(str, tensor.shape)) + "]" for tensor in tensors)
