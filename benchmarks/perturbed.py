"""Detections made from ground truth: people hidden, boxes that jitter, boxes of nothing, scores that mean little.

A detector's faults, each with its size in `Faults`: a person is missed the more the less of them is visible, and misses
come in runs; boxes jitter, partly the same way from frame to frame; ghosts stand for a few frames. Seeded; time in seconds,
so that 5, 10 and 30 frames a second show the same world.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Truth(NamedTuple):
    """People of one sequence, ordered by frame: frames from 1, boxes left, top, width, height in pixels."""

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    visibility: NDArray[np.float64]
    fps: float
    size: tuple[float, float]


class Faults(NamedTuple):
    """What a detector gets wrong."""

    miss_visible: float = 0.05  # of frames in which a fully visible person is missed
    hidden: float = 0.25  # visibility at which half of the detections are missed
    jitter: float = 0.03  # of box height, standard deviation of the centre
    jitter_size: float = 0.05  # of width or height
    sticky_s: float = 0.2  # half of jitter and of misses changes only after so long
    ghosts: float = 0.04  # boxes of nothing a frame, for each true box
    ghost_s: float = 0.15  # how long a ghost stands, on average


STANDARD = Faults()
ROUGH = Faults(miss_visible=0.12, hidden=0.35, jitter=0.06, jitter_size=0.08, ghosts=0.10)
FINE = Faults(miss_visible=0.02, hidden=0.15, jitter=0.015, jitter_size=0.025, ghosts=0.01)


def read_truth(text: str, fps: float, size: tuple[float, float], considered: int = 6) -> Truth:
    """MOTChallenge ground truth: rows whose seventh column is not 0; visibility from the ninth column where it is a share."""
    table = np.array([[float(word) for word in row.split(",")[:9]] for row in text.split()])
    table = table[table[:, considered] != 0]
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    is_share = table[:, 8].min(initial=0) >= 0 and table[:, 8].max(initial=0) <= 1 and table[:, 7].max(initial=0) <= 1
    visible = table[:, 8] if is_share else np.ones(len(table))
    return Truth(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:6].copy(), visible, fps, size)


def thinned(truth: Truth, stride: int) -> Truth:
    """Every `stride`-th frame, numbered from 1 again."""
    keep = (truth.frames - 1) % stride == 0
    return truth._replace(
        frames=(truth.frames[keep] - 1) // stride + 1,
        ids=truth.ids[keep],
        boxes=truth.boxes[keep],
        visibility=truth.visibility[keep],
        fps=truth.fps / stride,
    )


def perturbed(truth: Truth, faults: Faults, seed: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """For each frame: boxes (N, 4) left, top, width, height in pixels, and scores (N,) in 0..1, best first."""
    rng = np.random.default_rng(seed)
    stay = float(np.exp(-1.0 / (truth.fps * faults.sticky_s)))
    mood: dict[int, NDArray[np.float64]] = {}
    ghosts: list[tuple[NDArray[np.float64], float]] = []
    frames: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for frame in range(1, int(truth.frames.max()) + 1):
        boxes, scores = [], []
        rows = np.flatnonzero(truth.frames == frame)
        for row in rows:
            track = int(truth.ids[row])
            fresh = rng.standard_normal(6)
            slow = mood.get(track)
            slow = fresh if slow is None else stay * slow + np.sqrt(1 - stay * stay) * fresh
            mood[track] = slow
            noise = np.sqrt(0.5) * (slow + rng.standard_normal(6))
            found, score = _found(float(truth.visibility[row]), noise, faults)
            if found:
                boxes.append(_shaken(truth.boxes[row], noise, faults))
                scores.append(score)
        ghosts = [g for g in ghosts if rng.random() < np.exp(-1.0 / (truth.fps * faults.ghost_s))]
        share_new = 1 - np.exp(-1.0 / (truth.fps * faults.ghost_s))
        for _ in range(rng.poisson(faults.ghosts * max(len(rows), 1) * share_new)):
            ghosts.append((_ghost(truth, rows, rng), float(rng.beta(3, 3))))
        for box, score in ghosts:
            boxes.append(box + rng.standard_normal(4) * faults.jitter * box[3] * 0.5)
            scores.append(float(np.clip(score + 0.08 * rng.standard_normal(), 0.02, 0.98)))
        order = np.argsort(-np.array(scores), kind="stable")
        frames.append((np.array(boxes).reshape(-1, 4)[order], np.array(scores)[order]))
    return frames


def _found(visible: float, noise: NDArray[np.float64], faults: Faults) -> tuple[bool, float]:
    """Whether the person is detected, and with what score: confidence falls with what is hidden."""
    confidence = 1.0 / (1.0 + np.exp(-(visible - faults.hidden) * 10.0 + 1.1 * noise[4]))
    score = float(np.clip(0.12 + 0.85 * confidence + 0.05 * noise[0], 0.02, 0.99))
    missed_anyway = noise[5] < _quantile(faults.miss_visible)
    return confidence > 0.25 and not missed_anyway, score


def _quantile(share: float) -> float:
    """Standard normal quantile, by bisection (no scipy needed)."""
    from math import erf, sqrt

    low, high = -6.0, 6.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.5 * (1 + erf(middle / sqrt(2))) < share else (low, middle)
    return low


def _shaken(box: NDArray[np.float64], noise: NDArray[np.float64], faults: Faults) -> NDArray[np.float64]:
    left, top, width, height = box
    x = left + width / 2 + noise[0] * faults.jitter * height * 0.6
    y = top + height / 2 + noise[1] * faults.jitter * height
    width *= float(np.exp(noise[2] * faults.jitter_size * 1.5))
    height *= float(np.exp(noise[3] * faults.jitter_size))
    return np.array([x - width / 2, y - height / 2, width, height])


def _ghost(truth: Truth, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Half of the ghosts stand anywhere, in the size of somebody; half are doubles or parts of a person."""
    if not len(rows):
        height = truth.size[1] * 0.3
        return np.array([rng.uniform(0, truth.size[0]), rng.uniform(0, truth.size[1] - height), 0.4 * height, height])
    left, top, width, height = truth.boxes[rng.choice(rows)]
    if rng.random() < 0.5:
        scale = float(np.exp(0.3 * rng.standard_normal()))
        return np.array([rng.uniform(0, truth.size[0]), top, width * scale, height * scale])
    part = rng.uniform(0.4, 0.9)
    return np.array([left + width * rng.uniform(-0.5, 0.5), top + height * rng.uniform(0, 1 - part), width * part, height * part])
