"""Raw output tensors to person candidates: one kernel for each family of detectors. Pure.

Every decoder has the same face: `decoder(outputs) -> count`, candidates in its own `boxes` (x0 y0 x1 y1, 0..1 of the
input) and `scores`. Rules: the threshold is applied to the raw value, so only candidates are dequantised; activations of
quantised heads come from a table of 256; buffers are as large as the model has cells, so no candidate is lost and
nothing is allocated per frame. Suppression is left to `firmware.vision.nms`, tiles to `firmware.vision.tiling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.errors import ModelError
from firmware.vision.manifest import Anchors
from firmware.vision.recognise import Reading
from firmware.vision.tensors import Signature, Tensor

Array = NDArray[Any]

# Places in the setting of a centre-point level: what its table begins with, sigmoid or none; how distances become cells; how
# far it is from cell to cell in shares of the input; local maxima alone.
LOW, LOGISTIC, SCALE, ZERO, STEP_X, STEP_Y, PEAK = range(7)
SETTINGS: Final = 7


class Decoder(Protocol):
    """Reads one invoke's outputs into its own buffers."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __call__(self, outputs: Sequence[Array]) -> int:
        """Number of candidates now in `boxes` and `scores`."""
        ...


def decoder_for(plan: Reading, signature: Signature, anchors: tuple[Anchors, NDArray[np.float32]] | None = None) -> Decoder:
    """The decoder that a reading asks for; `anchors` with their array for a raw SSD.

    Raises:
        ModelError: as many anchors as the model has boxes are not given.
    """
    if plan.decoder == "centre-point":
        return CentrePoint(plan, signature)
    if plan.decoder == "ssd-postprocess":
        return PostProcess(plan, signature)
    if plan.decoder == "yolov8":
        return YoloV8(plan, signature)
    if anchors is None:
        raise ModelError("a raw SSD was given no anchors", "name their file in the manifest")
    return SsdAnchors(plan, signature, *anchors)


@dataclass(frozen=True, slots=True)
class Scale:
    """How raw values of one tensor become real, (raw - zero) * scale, and where a threshold lies among them.

    Attributes:
        scale: 1 for a float tensor.
        zero: 0 for a float tensor.
        low: the dtype's smallest value, the first of `score`.
        score: (256,) the activated value of each raw one; empty for a float tensor.
        logistic: the activation is a sigmoid.
    """

    scale: float
    zero: float
    low: int
    score: NDArray[np.float64]
    logistic: bool

    def raw_min(self, score_min: float) -> float:
        """The smallest raw value whose activated value reaches `score_min`; infinite when none does."""
        if len(self.score):
            reach = np.flatnonzero(self.score >= score_min)
            return float(reach[0] + self.low) if len(reach) else math.inf
        if not self.logistic:
            return score_min
        return -math.inf if score_min <= 0 else math.log(score_min / (1 - score_min)) if score_min < 1 else math.inf


def scale_of(tensor: Tensor, *, logistic: bool) -> Scale:
    """The scale of one output tensor."""
    if not tensor.scale:
        return Scale(1.0, 0.0, 0, np.empty(0), logistic)
    low = int(np.iinfo(tensor.dtype).min)
    real = (np.arange(low, low + 256) - tensor.zero) * tensor.scale
    return Scale(tensor.scale, float(tensor.zero), low, np.array([sigmoid(float(v)) for v in real]) if logistic else real, logistic)


class CentrePoint:
    """A heatmap of person centres and, at each cell, the distances to the four sides, on one or more levels."""

    def __init__(self, plan: Reading, signature: Signature) -> None:
        height, width = plan.size
        self._levels = []
        for level in plan.levels:
            heat = scale_of(signature.outputs[level.heatmap], logistic=level.activation == "sigmoid")
            box = scale_of(signature.outputs[level.box], logistic=False)
            raw_min, setting = heat.raw_min(plan.score_min), np.zeros(SETTINGS)
            if raw_min == math.inf:
                continue  # nothing that this level can say reaches the threshold
            setting[LOW], setting[LOGISTIC] = heat.low, heat.logistic
            setting[SCALE], setting[ZERO], setting[PEAK] = box.scale, box.zero, level.peak
            setting[STEP_X], setting[STEP_Y] = level.stride / width, level.stride / height
            least = np.array([raw_min], signature.outputs[level.heatmap].dtype if len(heat.score) else np.float64)
            self._levels.append((level.heatmap, level.box, least, setting, heat.score))
        cells = sum(math.prod(signature.outputs[level.heatmap].shape) for level in plan.levels)
        self.boxes, self.scores = np.zeros((cells, 4)), np.zeros(cells)

    def __call__(self, outputs: Sequence[Array]) -> int:
        """See Decoder."""
        n = 0
        for heatmap, box, raw_min, setting, table in self._levels:
            n = centre_candidates(outputs[heatmap], outputs[box], raw_min, setting, table, self.boxes, self.scores, n)
        return n


class PostProcess:
    """TFLite_Detection_PostProcess: the file's own boxes, classes, scores and count."""

    def __init__(self, plan: Reading, signature: Signature) -> None:
        self._order, self._person, self._score_min = plan.outputs, plan.person, plan.score_min
        most = signature.outputs[plan.outputs[0]].shape[1]
        self.boxes, self.scores = np.zeros((most, 4)), np.zeros(most)

    def __call__(self, outputs: Sequence[Array]) -> int:
        """See Decoder."""
        boxes, classes, scores, count = (outputs[i] for i in self._order)
        return listed_candidates(
            boxes[0], classes[0], scores[0], int(count.reshape(-1)[0]), self._person, self._score_min, self.boxes, self.scores
        )


class YoloV8:
    """One output of centre, size and class scores for each cell; scores are already activated."""

    def __init__(self, plan: Reading, signature: Signature) -> None:
        output = signature.outputs[0]
        self._scale = scale_of(output, logistic=False)
        self._raw_min = self._scale.raw_min(plan.score_min)
        self._person, self._classes_last = plan.person, plan.classes_last
        self._unit = (1.0, 1.0) if plan.unit else (1.0 / plan.size[1], 1.0 / plan.size[0])
        cells = output.shape[1 if plan.classes_last else 2]
        self.boxes, self.scores = np.zeros((cells, 4)), np.zeros(cells)

    def __call__(self, outputs: Sequence[Array]) -> int:
        """See Decoder."""
        rows = outputs[0][0].T if self._classes_last else outputs[0][0]
        s = self._scale
        return yolo_candidates(rows, 4 + self._person, self._raw_min, s.scale, s.zero, *self._unit, self.boxes, self.scores)


class SsdAnchors:
    """Box encodings against anchors (centre y, centre x, height, width), and class scores with background first."""

    def __init__(self, plan: Reading, signature: Signature, spec: Anchors, anchors: NDArray[np.float32]) -> None:
        boxes, scores = signature.outputs[spec.boxes], signature.outputs[spec.scores]
        cells, classes = scores.shape[1], scores.shape[2]
        if anchors.shape != (cells, 4):
            raise ModelError(
                f"{spec.file}: {'x'.join(map(str, anchors.shape))} anchors for a model of {cells} boxes", f"an array of {cells}x4 is wanted"
            )
        # With one class there is no background to skip.
        self._spec, self._column = spec, plan.person + (1 if classes > 1 else 0)
        if self._column >= classes:
            raise ModelError(
                f"the model has {classes} classes, the manifest names person {plan.person} behind the background", "they count from 0"
            )
        self._anchors = anchors.astype(np.float64)
        self._box, self._score = scale_of(boxes, logistic=False), scale_of(scores, logistic=spec.activation == "sigmoid")
        self._raw_min = self._score.raw_min(plan.score_min)
        self.boxes, self.scores = np.zeros((cells, 4)), np.zeros(cells)

    def __call__(self, outputs: Sequence[Array]) -> int:
        """See Decoder."""
        encodings, column = outputs[self._spec.boxes].reshape(-1, 4), outputs[self._spec.scores][0, :, self._column]
        b, s = self._box, self._score
        return anchored_candidates(
            encodings,
            column,
            self._raw_min,
            s.score,
            s.low,
            s.logistic,
            b.scale,
            b.zero,
            self._anchors,
            self._spec.scale,
            self.boxes,
            self.scores,
        )


@njit(cache=True, error_model="numpy")
def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), without overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


@njit(cache=True, error_model="numpy")
def _real(raw: float, zero: float, scale: float) -> float:
    """What a raw value stands for; in double precision whatever the tensor's type, with or without the compiler."""
    return (float(np.float64(raw)) - zero) * scale


@njit(cache=True, error_model="numpy")
def _activated(raw: float, table: Array, low: int, logistic: bool) -> float:  # noqa: FBT001 kernels take positions
    """The score of one raw value: from the table, or computed where the tensor is float."""
    if table.shape[0] > 0:
        return table[np.int64(raw) - low]
    x = _real(raw, 0.0, 1.0)
    return sigmoid(x) if logistic else x


@njit(cache=True, error_model="numpy")
def _is_peak(cells: Array, height: int, width: int, y: int, x: int) -> bool:
    """Whether no neighbour of the 3x3 is above; of equal neighbours the first in reading order is the peak."""
    value = cells[y * width + x]
    for j in range(max(0, y - 1), min(height, y + 2)):
        for i in range(max(0, x - 1), min(width, x + 2)):
            other = cells[j * width + i]
            if other > value or (other == value and (j < y or (j == y and i < x))):
                return False
    return True


@njit(cache=True, error_model="numpy")
def centre_candidates(heat: Array, box: Array, raw_min: Array, setting: Array, table: Array, boxes: Array, scores: Array, n: int) -> int:
    """Cells of one level that reach the threshold, written from candidate n on; the new number of candidates.

    heat (1, H, W, 1) is the raw heatmap, box (1, H, W, 4) raw distances left, top, right, bottom from the cell's centre, in
    cells once scaled; raw_min (1,) is the threshold, of the heatmap's own type where that is whole: bytes compare fast; table
    activates heat (see Scale). setting holds the rest, one number each, at the places named above: a kernel pays for each
    thing it is handed. With PEAK only local maxima count.
    """
    height, width = heat.shape[1], heat.shape[2]
    cells, sides = heat.reshape(-1), box.reshape(-1)
    least, low, logistic, peak = raw_min[0], int(setting[LOW]), setting[LOGISTIC] != 0.0, setting[PEAK] != 0.0
    for y in range(height):
        top = cells[y * width]
        for x in range(1, width):
            top = max(top, cells[y * width + x])
        if top < least:
            continue  # most rows hold nobody, and a maximum vectorises
        for x in range(width):
            at = y * width + x
            if cells[at] < least or (peak and not _is_peak(cells, height, width, y, x)):
                continue
            scores[n] = _activated(cells[at], table, low, logistic)
            n = _boxed(sides, at, x, y, setting, boxes, n)
    return n


@njit(cache=True, error_model="numpy")
def _boxed(sides: Array, at: int, x: int, y: int, setting: Array, boxes: Array, n: int) -> int:
    """Write box n of the cell at x, y; the new count."""
    zero, scale = setting[ZERO], setting[SCALE]
    left, above = _real(sides[4 * at], zero, scale), _real(sides[4 * at + 1], zero, scale)
    right, below = _real(sides[4 * at + 2], zero, scale), _real(sides[4 * at + 3], zero, scale)
    x0, y0, x1, y1 = x + 0.5 - left, y + 0.5 - above, x + 0.5 + right, y + 0.5 + below
    return _clipped(boxes, n, x0 * setting[STEP_X], y0 * setting[STEP_Y], x1 * setting[STEP_X], y1 * setting[STEP_Y])


@njit(cache=True, error_model="numpy")
def _clipped(boxes: Array, n: int, x0: float, y0: float, x1: float, y1: float) -> int:
    """Write box n, cut at the border; the new count: n again when nothing is left of it, and the next takes its place."""
    boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3] = max(0.0, x0), max(0.0, y0), min(1.0, x1), min(1.0, y1)
    return n + 1 if boxes[n, 2] > boxes[n, 0] and boxes[n, 3] > boxes[n, 1] else n


@njit(cache=True, error_model="numpy")
def listed_candidates(
    listed: Array, classes: Array, listed_scores: Array, count: int, person: int, score_min: float, boxes: Array, scores: Array
) -> int:
    """People among `count` listed (M, 4) boxes of y0 x0 y1 x1, (M,) classes and (M,) scores; the number written."""
    n = 0
    for i in range(min(count, listed.shape[0])):
        if np.int64(classes[i]) != person or listed_scores[i] < score_min:
            continue
        scores[n] = listed_scores[i]
        n = _clipped(boxes, n, np.float64(listed[i, 1]), np.float64(listed[i, 0]), np.float64(listed[i, 3]), np.float64(listed[i, 2]))
    return n


@njit(cache=True, error_model="numpy")
def yolo_candidates(
    rows: Array, person_row: int, raw_min: float, scale: float, zero: float, unit_x: float, unit_y: float, boxes: Array, scores: Array
) -> int:
    """People among (4 + classes, N) raw rows: centre x, centre y, width, height, class scores; the number written.

    unit_x and unit_y turn the file's coordinates into shares of the input.
    """
    n = 0
    for i in range(rows.shape[1]):
        if rows[person_row, i] < raw_min:
            continue
        half_x = _real(rows[2, i], zero, scale) * unit_x / 2.0
        half_y = _real(rows[3, i], zero, scale) * unit_y / 2.0
        centre_x = _real(rows[0, i], zero, scale) * unit_x
        centre_y = _real(rows[1, i], zero, scale) * unit_y
        scores[n] = _real(rows[person_row, i], zero, scale)
        n = _clipped(boxes, n, centre_x - half_x, centre_y - half_y, centre_x + half_x, centre_y + half_y)
    return n


@njit(cache=True, error_model="numpy")
def anchored_candidates(
    encodings: Array,
    column: Array,
    raw_min: float,
    table: Array,
    low: int,
    logistic: bool,  # noqa: FBT001
    scale: float,
    zero: float,
    anchors: Array,
    variance: tuple[float, float, float, float],
    boxes: Array,
    scores: Array,
) -> int:
    """People among (N, 4) raw encodings ty tx th tw against (N, 4) anchors; the number written.

    centre = t / variance * side + anchor's centre; side = anchor's side * e^(t / variance), as Liu et al. 2016 (SSD) and
    the TensorFlow detection zoo's box coder have it. `column` is the (N,) raw score of the person class.
    """
    n = 0
    for i in range(column.shape[0]):
        if column[i] < raw_min:
            continue
        ty = _real(encodings[i, 0], zero, scale) / variance[0]
        tx = _real(encodings[i, 1], zero, scale) / variance[1]
        th = _real(encodings[i, 2], zero, scale) / variance[2]
        tw = _real(encodings[i, 3], zero, scale) / variance[3]
        centre_y, centre_x = ty * anchors[i, 2] + anchors[i, 0], tx * anchors[i, 3] + anchors[i, 1]
        half_y, half_x = anchors[i, 2] * math.exp(min(th, 9.0)) / 2.0, anchors[i, 3] * math.exp(min(tw, 9.0)) / 2.0  # 9: no overflow
        scores[n] = _activated(column[i], table, low, logistic)
        n = _clipped(boxes, n, centre_x - half_x, centre_y - half_y, centre_x + half_x, centre_y + half_y)
    return n
