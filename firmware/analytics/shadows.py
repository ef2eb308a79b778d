"""Second boxes on one person: somebody new who appears inside somebody else's box is not believed at once.

Detectors give a walker at the border, or one who bends, two boxes that nearly coincide; suppression by overlap leaves nested
ones, and for a second there are two people. So a newcomer whose box lies mostly within another's is a shadow: nobody sees it
until it has stood apart, or has been seen for longer than shadows last (a child before an adult). Its birth is kept, so
what it did meanwhile is counted then. A shadow that ends was nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.people import People

INSIDE_SHARE: Final = 0.7  # of its own area within another's box: a newcomer is a shadow
APART_SHARE: Final = 0.5  # less than this within any: it stands apart
SHADOW_S: Final = 2.0  # seen for so long it is somebody; second boxes of one walker last a second


class Shadows:
    """Keeps shadows out of sight. Ids of `People` ascend, so who is new is told by the number."""

    def __init__(self) -> None:
        self._newest = 0
        self._shadows: set[int] = set()

    def step(self, people: People) -> People:
        """The same people without shadows."""
        newcomers = len(people.ids) > 0 and people.ids[-1] > self._newest
        if not newcomers and not self._shadows:
            return people
        self._shadows.difference_update(people.gone)
        if len(people.ids):
            self._judge(people)
            self._newest = max(self._newest, int(people.ids[-1]))
        if not self._shadows:
            return people
        return _without(people, np.array([person in self._shadows for person in people.ids.tolist()], dtype=np.bool_))

    def _judge(self, people: People) -> None:
        for row, person in enumerate(people.ids.tolist()):
            if person > self._newest:
                if self._covered(people, row) >= INSIDE_SHARE:
                    self._shadows.add(person)
            elif person in self._shadows and people.seen[row]:
                seen_s = people.t_s - people.born_s[row]
                if seen_s >= SHADOW_S or self._covered(people, row) < APART_SHARE:
                    self._shadows.discard(person)

    def _covered(self, people: People, row: int) -> float:
        """The largest share of one's box that lies within the box of one person who was there before."""
        person = int(people.ids[row])
        others = people.ids < person  # coasting or not: the real one may be missed while its shadow is seen
        for shadow in self._shadows:
            others &= people.ids != shadow
        return _share_inside(people.boxes[row], people.boxes[others])


def _share_inside(box: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    if not len(others):
        return 0.0
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    area = max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)
    return float((np.maximum(width, 0.0) * np.maximum(height, 0.0)).max() / area)


def _without(people: People, hidden: NDArray[np.bool_]) -> People:
    keep = ~hidden
    return replace(
        people,
        ids=people.ids[keep],
        boxes=people.boxes[keep],
        scores=people.scores[keep],
        seen=people.seen[keep],
        still=people.still[keep],
        staff=people.staff[keep],
        born_s=people.born_s[keep],
        birth_boxes=people.birth_boxes[keep],
        uniform=None if people.uniform is None else people.uniform[keep],
    )
