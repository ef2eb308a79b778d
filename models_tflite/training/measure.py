"""How good boxes are: average precision, recall at few false alarms, counting error.

Pure numpy on lists of found and true boxes; the same code judges our models and the yardsticks. Average precision is the area under the
precision envelope over all recalls (VOC 2010), each true box found at most once.
"""

from dataclasses import dataclass

import numpy as np

# Heights as shares of the picture: a sixteenth, an eighth, a quarter.
HEIGHTS = ((0.0, 1 / 16), (1 / 16, 1 / 8), (1 / 8, 1 / 4), (1 / 4, 9.0))


@dataclass(frozen=True)
class Found:
    """Boxes [n, 4] and scores [n] of one picture, any order; corners in 0..1."""

    boxes: np.ndarray
    scores: np.ndarray


def iou(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Overlap of boxes [n, 4] and [m, 4] as [n, m]: shared area by joint area."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(left[:, 2:] - left[:, :2], axis=1)[:, None] + np.prod(right[:, 2:] - right[:, :2], axis=1)[None]
    return shared / np.maximum(areas - shared, 1e-9)


def suppress(found: Found, iou_max: float) -> Found:
    """Greedy non-maximum suppression, best first."""
    order = np.argsort(-found.scores, kind="stable")
    boxes, scores = found.boxes[order], found.scores[order]
    overlaps = iou(boxes, boxes)
    kept: list[int] = []
    for index in range(len(boxes)):
        if not kept or overlaps[index, kept].max() <= iou_max:
            kept.append(index)
    return Found(boxes[kept], scores[kept])


def match(found: Found, truth: np.ndarray, iou_min: float) -> np.ndarray:
    """For each found box, best score first, the index of the true box it finds, or -1."""
    order = np.argsort(-found.scores, kind="stable")
    overlaps = iou(found.boxes[order], truth)
    taken = np.full(len(order), -1)
    for index in range(len(order)):
        if not len(truth):
            break
        best = int(np.argmax(overlaps[index]))
        if overlaps[index, best] >= iou_min:
            taken[index] = best
            overlaps[:, best] = -1
    return taken


def average_precision(
    found: list[Found], truth: list[np.ndarray], iou_min: float = 0.5, heights: tuple[float, float] = (0.0, 9.0)
) -> float:
    """AP of pictures; with `heights`, of people in that range only (others neither right nor wrong)."""
    scores, hits, total = [], [], 0
    for one, boxes in zip(found, truth, strict=True):
        tall = boxes[:, 3] - boxes[:, 1]
        wanted = (tall >= heights[0]) & (tall < heights[1])
        total += int(wanted.sum())
        taken = match(one, boxes, iou_min)
        ordered = one.boxes[np.argsort(-one.scores, kind="stable")]
        own = ordered[:, 3] - ordered[:, 1]
        counted = np.where(taken >= 0, wanted[taken] if len(boxes) else False, (own >= heights[0]) & (own < heights[1]))
        scores.append(np.sort(one.scores)[::-1][counted])
        hits.append((taken >= 0)[counted])
    if not total:
        return float("nan")
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit = np.concatenate(hits)[order]
    right = np.cumsum(hit)
    precision = right / np.arange(1, len(hit) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * hit).sum() / total)


def mean_precision(found: list[Found], truth: list[np.ndarray]) -> float:
    """AP averaged over IoU 0.50, 0.55 .. 0.95."""
    return float(np.mean([average_precision(found, truth, iou_min) for iou_min in np.arange(0.5, 0.96, 0.05)]))


def recall_at(found: list[Found], truth: list[np.ndarray], false_per_picture: float = 0.1) -> tuple[float, float]:
    """(recall, score threshold) where false alarms reach `false_per_picture` on average."""
    scores, hits = [], []
    for one, boxes in zip(found, truth, strict=True):
        hits.append(match(one, boxes, 0.5) >= 0)
        scores.append(np.sort(one.scores)[::-1])
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit, score = np.concatenate(hits)[order], np.concatenate(scores)[order]
    allowed = np.cumsum(~hit) <= false_per_picture * len(truth)
    if not allowed.any():
        return 0.0, 1.0
    last = int(np.flatnonzero(allowed)[-1])
    return float(hit[: last + 1].sum() / max(1, sum(len(boxes) for boxes in truth))), float(score[last])


def counting_error(found: list[Found], truth: list[np.ndarray], score_min: float) -> float:
    """Mean absolute difference of the number of boxes per picture at a threshold."""
    return float(np.mean([abs(int((one.scores >= score_min).sum()) - len(boxes)) for one, boxes in zip(found, truth, strict=True)]))
