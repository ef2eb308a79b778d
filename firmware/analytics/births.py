"""Where people may come from: births away from the view's edges and from every line hint at a torn track.

People walk in over the edge of the picture or through a door in view. Someone who begins elsewhere was hidden, or lost and
not re-linked: the share of such births is how torn the tracks are, and windows publish it in their audit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.geometry import along_shares, box_heights, foot_points, left_distances
from firmware.config import LineConfig

EDGE_SHARE: Final = 0.03  # of the view: a box that ends so near to its edge may be cut by it
LINE_SHARE: Final = 1.0  # of box height: so near to a line somebody may have come through the door it stands for


def away_from_edges(boxes: NDArray[np.float64], lines: Iterable[LineConfig], aspect: float) -> NDArray[np.bool_]:
    """(N,) which of (N, 4) first boxes lie neither at the view's edge nor beside a line."""
    away = (boxes[:, :2] > EDGE_SHARE).all(axis=1) & (boxes[:, 2:] < 1.0 - EDGE_SHARE).all(axis=1)
    feet, reach = foot_points(boxes), LINE_SHARE * box_heights(boxes)
    for line in lines:
        along = along_shares(feet, line.start, line.end, aspect)
        near = np.abs(left_distances(feet, line.start, line.end, aspect)) <= reach
        away &= ~(near & (along >= 0.0) & (along <= 1.0))
    return away
