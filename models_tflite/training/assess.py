"""A detector's figures on held-back pictures, and the score threshold they suggest.

One row a source: AP50, AP50-95, AP50 by box height, recall at 0.1 false alarms a picture, counting error. Works for packaged and yardstick
files alike (`judge`); prints, stores nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models_tflite.training import measure
from models_tflite.training.measure import Found
from models_tflite.training.pictures import Picture

COUNT_SCORE = 0.5  # the tracker's threshold for a birth


@dataclass(frozen=True)
class Row:
    """Figures of one detector on one source. by_height: AP50 for the ranges of `measure.HEIGHTS`, nan where nobody is so tall."""

    ap50: float
    ap50_95: float
    by_height: tuple[float, ...]
    recall: float
    counting_error: float


def shares(picture: Picture) -> np.ndarray:
    """A picture's boxes [n, 4] in 0..1."""
    height, width = picture.pixels.shape[:2]
    return picture.boxes / np.array([width, height, width, height], np.float32)


def assess(find: Callable[[np.ndarray], Found], pictures: list[Picture]) -> Row:
    """The figures of `find`, which maps RGB pixels to boxes after suppression."""
    found, truth = [find(picture.pixels) for picture in pictures], [shares(picture) for picture in pictures]
    return Row(
        measure.average_precision(found, truth),
        measure.mean_precision(found, truth),
        tuple(measure.average_precision(found, truth, heights=heights) for heights in measure.HEIGHTS),
        measure.recall_at(found, truth)[0],
        measure.counting_error(found, truth, COUNT_SCORE),
    )


def best_threshold(found: list[Found], truth: list[np.ndarray]) -> tuple[float, float]:
    """(threshold, F1): the score at which precision and recall are jointly best; (0.5, 0) when nothing was found."""
    if not sum(len(one.scores) for one in found):
        return 0.5, 0.0
    scores, hits = [], []
    for one, boxes in zip(found, truth, strict=True):
        hits.append(measure.match(one, boxes, 0.5) >= 0)
        scores.append(np.sort(one.scores)[::-1])
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit, score = np.concatenate(hits)[order], np.concatenate(scores)[order]
    right = np.cumsum(hit)
    total = sum(len(boxes) for boxes in truth)
    f1 = 2 * right / (np.arange(1, len(hit) + 1) + total)
    best = int(np.argmax(f1))
    return float(score[best]), float(f1[best])


def line(name: str, row: Row) -> str:
    """A row for people to read."""
    heights = " ".join("   -" if np.isnan(value) else f"{value:.2f}" for value in row.by_height)
    return (
        f"{name:44s} AP50 {row.ap50:.3f}  AP50-95 {row.ap50_95:.3f}  by height {heights}"
        f"  recall {row.recall:.2f}  count +-{row.counting_error:.1f}"
    )
