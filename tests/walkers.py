"""People made by hand: who stands where at a time, as `People` or `Detections`, for tests of what they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from firmware.analytics.people import People
from firmware.vision.detection import Detections

HEIGHT, WIDTH = 0.3, 0.1
Foot = tuple[float, float]


def box_at(foot: Foot, height: float = HEIGHT) -> tuple[float, float, float, float]:
    """A standing person's box."""
    return foot[0] - WIDTH / 2, foot[1] - height, foot[0] + WIDTH / 2, foot[1]


def people_at(
    t_s: float,
    feet: Mapping[int, Foot],
    *,
    coasting: Iterable[int] = (),
    still: Iterable[int] = (),
    staff: Iterable[int] = (),
    gone: Iterable[int] = (),
    born: Mapping[int, tuple[float, Foot]] | None = None,
) -> People:
    """One step's people by id; `born` says when and where somebody was first seen, else here and now."""
    ids = sorted(feet)
    boxes = np.array([box_at(feet[i]) for i in ids]).reshape(-1, 4)
    births = [(born or {}).get(i, (t_s, feet[i])) for i in ids]
    return People(
        t_s=t_s,
        ids=np.array(ids, dtype=np.int64),
        boxes=boxes,
        scores=np.full(len(ids), 0.9),
        seen=np.array([i not in set(coasting) for i in ids], dtype=np.bool_),
        still=np.array([i in set(still) for i in ids], dtype=np.bool_),
        staff=np.array([i in set(staff) for i in ids], dtype=np.bool_),
        born_s=np.array([born_s for born_s, _ in births], dtype=np.float64),
        birth_boxes=np.array([box_at(foot) for _, foot in births]).reshape(-1, 4),
        gone=tuple(gone),
    )


def detections_at(t_s: float, feet: Iterable[Foot], score: float = 0.9, height: float = HEIGHT) -> Detections:
    """One frame in which these people were seen, boxes cut at the border as a detector's are."""
    boxes = np.array([box_at(foot, height) for foot in feet]).reshape(-1, 4).clip(0.0, 1.0)
    return Detections(t_s, boxes, np.full(len(boxes), score))
