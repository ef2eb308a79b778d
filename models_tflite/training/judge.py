"""Runs any packaged or yardstick TFLite detector on pictures, for evaluation.

A plain numpy reading of the outputs (centre-point heads and the SSD post-process operator), independent of the firmware's kernels, so
that each can be checked against the other. Full-frame resize without letterbox: area average when shrinking, linear when enlarging.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from models_tflite.training import measure
from models_tflite.training.measure import Found

CANDIDATES_MAX = 300
# Tilings as (left, top, right, bottom) shares of the frame; tiles overlap by a tenth, so that no person is cut by all.
TILINGS = {
    "1x1": ((0.0, 0.0, 1.0, 1.0),),
    "2x1": ((0.0, 0.0, 0.55, 1.0), (0.45, 0.0, 1.0, 1.0)),
    "2x2": ((0.0, 0.0, 0.55, 0.55), (0.45, 0.0, 1.0, 0.55), (0.0, 0.45, 0.55, 1.0), (0.45, 0.45, 1.0, 1.0)),
}
TILINGS["2x2+1"] = TILINGS["2x2"] + TILINGS["1x1"]


@dataclass(frozen=True)
class Entry:
    """What reading a file needs: its manifest table, or nothing for an SSD with post-processing."""

    path: Path
    outputs: tuple[dict, ...] = ()
    nms_iou_max: float = 0.55
    score_min: float = 0.5
    tiling: str = "1x1"


def entries(manifest: Path) -> dict[str, Entry]:
    """All centre-point models of a manifest by name."""
    models = tomllib.loads(manifest.read_text())["model"]
    return {
        name: Entry(
            manifest.parent / table["file"], tuple(table["output"]), table["nms_iou_max"], table["score_min"], table.get("tiling", "1x1")
        )
        for name, table in models.items()
    }


def plan_of(path: Path) -> tuple[dict, ...]:
    """How to read the centre-point outputs of a file without a manifest: by their shapes, probabilities, finest first."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    height = int(interpreter.get_input_details()[0]["shape"][1])
    plan: dict[int, dict] = {}
    for place, detail in enumerate(interpreter.get_output_details()):
        stride = height // int(detail["shape"][1])
        plan.setdefault(stride, {"stride": stride, "activation": "none"})["heatmap" if int(detail["shape"][3]) == 1 else "box"] = place
    return tuple(plan[stride] for stride in sorted(plan))


class Judged:
    """One TFLite detector on one thread."""

    def __init__(self, entry: Entry):
        from ai_edge_litert.interpreter import Interpreter

        self.entry = entry
        self.interpreter = Interpreter(str(entry.path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]
        self.sinks = self.interpreter.get_output_details()
        self.size = (int(self.source["shape"][1]), int(self.source["shape"][2]))

    def find(self, pixels: np.ndarray, tiling: str = "1x1", score_min: float = 0.02) -> Found:
        """People in an RGB picture [h, w, 3], after suppression, boxes in 0..1 of the whole picture."""
        parts = [self.find_in(pixels, span, score_min) for span in TILINGS[tiling]]
        every = Found(np.concatenate([part.boxes for part in parts]), np.concatenate([part.scores for part in parts]))
        return measure.suppress(strongest(every), self.entry.nms_iou_max)

    def find_in(self, pixels: np.ndarray, span: tuple[float, float, float, float], score_min: float) -> Found:
        """People in one tile of a picture, before suppression."""
        height, width = pixels.shape[:2]
        left, top, right, bottom = round(span[0] * width), round(span[1] * height), round(span[2] * width), round(span[3] * height)
        tile = resize(pixels[top:bottom, left:right], self.size)
        if self.source["dtype"] == np.int8:
            tile = (tile ^ 128).view(np.int8)
        if self.source["dtype"] == np.float32:
            tile = tile.astype(np.float32) / 127.5 - 1
        self.interpreter.set_tensor(self.source["index"], tile[None].astype(self.source["dtype"]))
        self.interpreter.invoke()
        found = self.read(score_min)
        if span == TILINGS["1x1"][0]:
            return found
        found = without_cut(found, span)
        share = np.array([right - left, bottom - top] * 2) / np.array([width, height] * 2)
        return Found(found.boxes * share + np.array([left / width, top / height] * 2), found.scores)

    def read(self, score_min: float) -> Found:
        """The outputs of the last invoke."""
        if not self.entry.outputs:
            boxes, classes, scores, _ = (self.interpreter.get_tensor(sink["index"])[0] for sink in self.sinks)
            people = (classes == 0) & (scores >= score_min)
            return Found(np.clip(boxes[people][:, [1, 0, 3, 2]], 0, 1), scores[people])
        levels = [self.read_level(output, score_min) for output in self.entry.outputs]
        return strongest(Found(np.concatenate([level.boxes for level in levels]), np.concatenate([level.scores for level in levels])))

    def read_level(self, output: dict, score_min: float) -> Found:
        """One head: cells above the threshold that no neighbour exceeds; of equal neighbours the first in reading order."""
        heat, box = self.real(output["heatmap"])[0, :, :, 0], self.real(output["box"])[0]
        if output["activation"] == "sigmoid":
            heat = 1 / (1 + np.exp(-heat))
        y, x = np.nonzero(peaks(heat) & (heat >= score_min))
        left, top, right, bottom = box[y, x].T
        corners = np.stack([x + 0.5 - left, y + 0.5 - top, x + 0.5 + right, y + 0.5 + bottom], axis=1) * output["stride"]
        return Found(np.clip(corners / np.array([self.size[1], self.size[0]] * 2), 0, 1), heat[y, x])

    def real(self, place: int) -> np.ndarray:
        """One output as float32."""
        sink = self.sinks[place]
        raw = self.interpreter.get_tensor(sink["index"])
        scale, zero = sink["quantization"]
        return (raw.astype(np.float32) - zero) * scale if scale else raw


def peaks(heat: np.ndarray) -> np.ndarray:
    """Cells [h, w] that no neighbour of the 3x3 exceeds; of equal neighbours the first in reading order."""
    padded = np.pad(heat, 1, constant_values=-np.inf)
    height, width = heat.shape
    best = np.ones(heat.shape, bool)
    for down in range(3):
        for across in range(3):
            neighbour = padded[down : down + height, across : across + width]
            before = down * 3 + across < 4
            best &= (heat > neighbour) if before else (heat >= neighbour)
    return best


def strongest(found: Found) -> Found:
    """At most CANDIDATES_MAX boxes, best first."""
    order = np.argsort(-found.scores, kind="stable")[:CANDIDATES_MAX]
    return Found(found.boxes[order], found.scores[order])


def without_cut(found: Found, span: tuple[float, float, float, float]) -> Found:
    """Drops boxes that touch an inner edge of a tile: the neighbour, which overlaps, sees more of that person."""
    margin = 0.01
    inner = np.array([span[0] > 0, span[1] > 0, span[2] < 1, span[3] < 1])
    touches = np.concatenate([found.boxes[:, :2] < margin, found.boxes[:, 2:] > 1 - margin], axis=1)
    kept = ~(touches & inner).any(axis=1)
    return Found(found.boxes[kept], found.scores[kept])


def resize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 [h, w, 3] to `size` (height, width)."""
    shrinks = pixels.shape[1] >= size[1]
    way = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], way))


def clip(path: Path, every: int = 1) -> Iterator[np.ndarray]:
    """The frames of a video as RGB [h, w, 3], each `every`-th."""
    import av

    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                yield frame.to_ndarray(format="rgb24")
