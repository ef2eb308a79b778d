"""A digest of what every detector kernel makes of fixed noise; run with and without the compiler to hold them together.

`python -m tests.vision.kernels_digest` prints it; `NUMBA_DISABLE_JIT=1` in the environment runs plain Python.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware.vision.decode import decoder_for
from firmware.vision.manifest import Anchors, Level
from firmware.vision.nms import join_pieces, suppress
from firmware.vision.recognise import Reading
from firmware.vision.resize import plan
from firmware.vision.tensors import Signature, Tensor
from firmware.vision.tiling import place, tiles

TABLE = np.arange(256, dtype=np.uint8)
PICTURE = Tensor("picture", (1, 32, 32, 3), "uint8", 1 / 128, 128)


def digest() -> str:
    """One digest over all kernels."""
    total = hashlib.sha256()
    for array in (*_resized(), *_decoded(), *_suppressed()):
        total.update(str(array.dtype).encode() + array.tobytes())
    return total.hexdigest()


def _resized() -> list[NDArray[Any]]:
    draw, made = np.random.default_rng(1), []
    for size in ((24, 32), (24, 64), (21, 29), (12, 12), (150, 31)):
        pixels = draw.integers(0, 256, (*size, 3), np.uint8)
        for table in (TABLE, (np.arange(256) - 128).astype(np.int8), TABLE // 3, (TABLE / 255).astype(np.float32)):
            made.append(np.zeros((16, 16, 3), table.dtype))
            plan(size, (16, 16), table)(pixels, made[-1])
    return made


def _decoded() -> list[NDArray[Any]]:
    draw, made = np.random.default_rng(2), []
    anchors = draw.random((64, 4)).astype(np.float32)
    for dtype in ("int8", "uint8", "float32"):
        shapes = {"heat": (1, 8, 8, 1), "box": (1, 8, 8, 4), "yolo": (1, 6, 70), "t": (1, 64, 4), "classes": (1, 64, 3)}
        tensors = {name: Tensor(name, shape, dtype, 0.0 if dtype == "float32" else 0.03, 0) for name, shape in shapes.items()}
        values = {
            name: (draw.normal(0, 2, shape).astype(np.float32) if dtype == "float32" else draw.integers(0, 127, shape).astype(dtype))
            for name, shape in shapes.items()
        }
        for decoder, names, more in (
            ("centre-point", ("heat", "box"), {"levels": (Level(0, 1, 4),)}),
            ("yolov8", ("yolo",), {}),
            ("ssd-anchors", ("t", "classes"), {}),
        ):
            signature = Signature((PICTURE,), tuple(tensors[name] for name in names))
            reading = Reading(decoder, (32, 32), TABLE, 0.3, 0.5, **more)  # type: ignore[arg-type]
            built = decoder_for(reading, signature, (Anchors("a.npy"), anchors))
            n = built(tuple(values[name] for name in names))
            made += [np.array([n]), built.boxes[:n], built.scores[:n]]
    return made


def _suppressed() -> list[NDArray[Any]]:
    draw = np.random.default_rng(3)
    corner = draw.random((80, 2)) * 0.8
    tile_boxes, tile_scores = np.hstack([corner, corner + draw.random((80, 2)) * 0.2]), draw.random(80)
    boxes, scores, cut, n = np.zeros((400, 4)), np.zeros(400), np.zeros(400, np.uint8), 0
    for tile in tiles("2x2", 100, 100):
        part = (tile.x0 / 100, tile.y0 / 100, 0.6, 0.6)
        n = place(tile_boxes, tile_scores, 80, part, tile.cut_sides, boxes, scores, cut, n)
    join_pieces(boxes, scores, cut, n)
    kept_boxes, kept_scores = np.zeros((300, 4)), np.zeros(300)
    kept = suppress(boxes, scores, cut, n, 0.4, kept_boxes, kept_scores)
    return [kept_boxes[:kept], kept_scores[:kept]]


if __name__ == "__main__":
    print(digest())
