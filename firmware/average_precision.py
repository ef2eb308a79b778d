"""How well boxes fit the truth: average precision over pictures. Pure.

The area under the envelope of precision over recall, every point of it (Pascal VOC from 2010 on): each found box, best
score first, takes the true box that it overlaps most if that is free and the overlap is enough; a true box is found
once. The same rule judges our models in training (`models_tflite/training/measure.py`; a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: what was found and what is there.

    Attributes:
        found: (N, 4) x0 y0 x1 y1.
        scores: (N,), any order.
        truth: (M, 4).
    """

    found: Boxes
    scores: NDArray[np.float64]
    truth: Boxes


def average_precision(pictures: Sequence[Judged], iou_min: float = 0.5) -> float:
    """AP of all pictures together in 0..1; not a number when nobody is in any."""
    total = sum(len(picture.truth) for picture in pictures)
    if not total:
        return float("nan")
    scores = np.concatenate([np.sort(picture.scores)[::-1] for picture in pictures])
    hits = np.concatenate([_hits(picture, iou_min) for picture in pictures])
    hit = hits[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * hit).sum() / total)


def _hits(picture: Judged, iou_min: float) -> NDArray[np.bool_]:
    """For each found box, best score first, whether it found somebody not found before."""
    hit = np.zeros(len(picture.scores), bool)
    if not len(picture.truth):
        return hit
    overlaps = overlap(picture.found[np.argsort(-picture.scores, kind="stable")], picture.truth)
    for i, row in enumerate(overlaps):
        best = int(np.argmax(row))
        if row[best] >= iou_min:
            hit[i] = True
            overlaps[:, best] = -1.0
    return hit


def overlap(left: Boxes, right: Boxes) -> NDArray[Any]:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes."""
    low, high = np.maximum(left[:, None, :2], right[None, :, :2]), np.minimum(left[:, None, 2:], right[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    area_left, area_right = np.prod(left[:, 2:] - left[:, :2], axis=1), np.prod(right[:, 2:] - right[:, :2], axis=1)
    return shared / np.maximum(area_left[:, None] + area_right[None] - shared, 1e-12)
