"""HOTA, IDF1 and MOTA by the public scorer (trackeval), from arrays instead of folders of files."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.perturbed import Truth

Frames = list[tuple[NDArray[np.int64], NDArray[np.float64]]]  # ids (N,), boxes (N, 4) left, top, width, height


class Scores(NamedTuple):
    """Shares 0..1 (MOTA may be negative), and counts."""

    hota: float
    idf1: float
    mota: float
    det_a: float
    ass_a: float
    switches: int
    ids: int


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M) intersection over union of boxes left, top, width, height."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    whole = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None, :] - common
    return common / np.maximum(whole, np.finfo(float).eps)


def score(truth: Truth, tracks: Frames) -> Scores:
    """Judge tracks of frames 1, 2, ... against the truth of the same sequence."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    last = max(int(truth.frames.max()), len(tracks))
    starts = np.searchsorted(truth.frames, np.arange(1, last + 2))
    _, people = np.unique(truth.ids, return_inverse=True)
    every = np.concatenate([ids for ids, _ in tracks] or [np.empty(0, np.int64)])
    names = np.unique(every)
    gt_ids, ids, similarity = [], [], []
    for frame in range(1, last + 1):
        rows = slice(starts[frame - 1], starts[frame])
        found, boxes = tracks[frame - 1] if frame <= len(tracks) else (np.empty(0, np.int64), np.empty((0, 4)))
        gt_ids.append(people[rows])
        ids.append(np.searchsorted(names, found))
        similarity.append(overlaps(truth.boxes[rows], boxes))
    sequence = {
        "num_timesteps": last,
        "num_gt_ids": int(people.max()) + 1,
        "num_tracker_ids": len(names),
        "num_gt_dets": len(truth.frames),
        "num_tracker_dets": len(every),
        "gt_ids": gt_ids,
        "tracker_ids": ids,
        "similarity_scores": similarity,
    }
    quiet = {"PRINT_CONFIG": False, "THRESHOLD": 0.5}
    hota = HOTA().eval_sequence(sequence)
    identity = Identity(quiet).eval_sequence(sequence)
    clear = CLEAR(quiet).eval_sequence(sequence)
    return Scores(
        float(hota["HOTA"].mean()),
        float(identity["IDF1"]),
        float(clear["MOTA"]),
        float(hota["DetA"].mean()),
        float(hota["AssA"].mean()),
        int(clear["IDSW"]),
        len(names),
    )
