"""Second boxes on one person: somebody new who appears inside somebody else's box is not believed at once.

Detectors give a walker at the border, or one who bends, two boxes that nearly coincide; suppression by overlap leaves nested
ones, and weak boxes keep the second alive for long. So a newcomer is a shadow if the smaller of its box and another's lies
mostly within the larger: nobody sees it until it has stood apart, or both have been seen well at once for longer than
shadows last (a child before an adult). Which of two boxes is the real one does not matter, for one person is counted either
way. The birth is kept, so what a shadow did is counted when it proves to be somebody. A shadow that ends was nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.people import People

INSIDE_SHARE: Final = 0.7  # of the smaller box within the larger: a newcomer is a shadow
APART_SHARE: Final = 0.5  # less than this: it stands apart
SHADOW_S: Final = 2.0  # both seen well for so long, they are two; of two boxes on one walker one is nearly always weak
STEP_S_MAX: Final = 0.5  # one sight stands for no longer than this


class Shadows:
    """Keeps shadows out of sight. Ids of `People` ascend, so who is new is told by the number.

    Args:
        score_high: from this score on somebody is seen well.
    """

    def __init__(self, score_high: float = 0.5) -> None:
        self._score_high = score_high
        self._newest = 0
        self._shadows: dict[int, float] = {}  # seconds seen well
        self._then_s = 0.0

    def step(self, people: People) -> People:
        """The same people without shadows."""
        elapsed_s, self._then_s = min(people.t_s - self._then_s, STEP_S_MAX), people.t_s
        newcomers = len(people.ids) > 0 and people.ids[-1] > self._newest
        if not newcomers and not self._shadows:
            return people
        for person in people.gone:
            self._shadows.pop(person, None)
        if len(people.ids):
            self._judge(people, elapsed_s)
            self._newest = max(self._newest, int(people.ids[-1]))
        if not self._shadows:
            return people
        return _without(people, np.array([person in self._shadows for person in people.ids.tolist()], dtype=np.bool_))

    def _judge(self, people: People, elapsed_s: float) -> None:
        for row, person in enumerate(people.ids.tolist()):
            if person > self._newest:
                if self._overlap(people, row)[0] >= INSIDE_SHARE:
                    self._shadows[person] = 0.0
            elif person in self._shadows and people.seen[row]:
                share, score = self._overlap(people, row)
                if min(score, people.scores[row]) >= self._score_high:
                    self._shadows[person] += elapsed_s
                if self._shadows[person] >= SHADOW_S or share < APART_SHARE:
                    del self._shadows[person]

    def _overlap(self, people: People, row: int) -> tuple[float, float]:
        """With whom of those who were there before a box coincides most: share of the smaller box, and their score now."""
        others = people.ids < people.ids[row]  # coasting or not: the real one may be missed while its shadow is seen
        for shadow in self._shadows:
            others &= people.ids != shadow
        rows = np.flatnonzero(others)
        if not len(rows):
            return 0.0, 0.0
        shares = _shares(people.boxes[row], people.boxes[rows])
        most = int(np.argmax(shares))
        return float(shares[most]), float(people.scores[rows[most]]) if people.seen[rows[most]] else 0.0


def _shares(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) how much of the smaller of two boxes lies within the larger."""
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    own = max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)
    theirs = np.maximum((others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1]), 1e-9)
    shares: NDArray[np.float64] = np.maximum(width, 0.0) * np.maximum(height, 0.0) / np.minimum(own, theirs)
    return shares


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
