"""Births: at the view's edge and at doors people come from somewhere; elsewhere a track was torn."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.analytics.births import away_from_edges
from firmware.config import LineConfig

DOOR = LineConfig("door", (0.2, 0.5), (0.4, 0.5))


@pytest.mark.parametrize(
    ("box", "away"),
    [
        ((0.6, 0.3, 0.7, 0.6), True),  # mid-room
        ((0.0, 0.3, 0.1, 0.6), False),  # left edge
        ((0.9, 0.3, 0.99, 0.6), False),  # right edge
        ((0.6, 0.01, 0.7, 0.3), False),  # top
        ((0.6, 0.7, 0.7, 1.0), False),  # bottom
        ((0.25, 0.2, 0.35, 0.55), False),  # feet beside the door
        ((0.25, 0.1, 0.35, 0.2), True),  # far above the door: more than a body height
        ((0.45, 0.2, 0.55, 0.55), True),  # beside the door's end, on its extension
    ],
)
def test_where_people_may_come_from(box: tuple[float, float, float, float], away: bool) -> None:
    """The picture's edges, and a body height around the segment of a line."""
    assert away_from_edges(np.array([box]), [DOOR], 16 / 9).tolist() == [away]


def test_nobody_is_nowhere() -> None:
    """No births, no answer."""
    assert away_from_edges(np.empty((0, 4)), [DOOR], 16 / 9).tolist() == []
