"""Second boxes on one person: somebody new who appears inside somebody else's box is not believed at once.

Detectors give a walker at the border, or one who bends, two boxes that nearly coincide; suppression by overlap leaves nested
ones, and weak boxes keep the second alive for long. So a newcomer is a shadow if the smaller of its box and another's lies
mostly within the larger: nobody sees it until it has stood apart, or both have been seen well at once for longer than
shadows last (a child before an adult). Which of two boxes is the real one does not matter, for one person is counted either
way; when both began at once and the first, a weak one, vanishes, the other goes on under its id. The birth is kept, so
what a shadow did is counted when it proves to be somebody. A shadow that ends was nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.people import People

INSIDE_SHARE: Final = 0.7  # of the smaller box within the larger: a newcomer is a shadow
HEIGHT_RATIO_MIN: Final = 0.7  # of two boxes on one person; a child, or somebody farther away, is smaller
FOOT_SHARE: Final = 0.25  # of the taller box: feet farther apart than this stand elsewhere on the floor
APART_SHARE: Final = 0.5  # less than this: it stands apart
SHADOW_S: Final = 2.0  # both seen well for so long, they are two; of two boxes on one walker one is nearly always weak
TWIN_S: Final = 1.0  # two boxes that began within this may be one person; who was there for longer is hidden by who comes
STEP_S_MAX: Final = 0.5  # one sight stands for no longer than this


@dataclass(slots=True)
class _Shadow:
    """What is known of a shadow: whose it is, whether both began at once, the owner's last score, how long both were seen well."""

    owner: int
    twin: bool
    score: float = 0.0
    well_s: float = 0.0


class Shadows:
    """Keeps shadows out of sight. Ids of `People` ascend, so who is new is told by the number.

    Args:
        score_high: from this score on somebody is seen well.
    """

    def __init__(self, score_high: float = 0.5) -> None:
        self._score_high = score_high
        self._newest = 0
        self._shadows: dict[int, _Shadow] = {}
        self._heirs: dict[int, int] = {}  # id of a former shadow: whose id it goes under
        self._then_s = 0.0

    def step(self, people: People) -> People:
        """The same people without shadows."""
        elapsed_s, self._then_s = min(people.t_s - self._then_s, STEP_S_MAX), people.t_s
        newcomers = len(people.ids) > 0 and people.ids[-1] > self._newest
        if not newcomers and not self._shadows and not self._heirs:
            return people
        for person in people.gone:
            self._shadows.pop(person, None)
        if len(people.ids):
            self._judge(people, elapsed_s)
            self._newest = max(self._newest, int(people.ids[-1]))
        people = self._renamed(people) if self._heirs else people
        if not self._shadows:
            return people
        return _rows(people, np.array([person not in self._shadows for person in people.ids.tolist()], dtype=np.bool_))

    def _renamed(self, people: People) -> People:
        """Heirs under the id of who vanished; an id that is back in view belongs to its owner, and the heir is a shadow again."""
        here = set(people.ids.tolist())
        for heir in [heir for heir, owner in self._heirs.items() if owner in here]:
            self._shadows[heir] = _Shadow(self._heirs.pop(heir), twin=True)
        kept = set(self._heirs.values())
        gone = [self._heirs.pop(person, person) for person in people.gone if person not in kept]
        ids = np.array([self._heirs.get(person, person) for person in people.ids.tolist()], dtype=np.int64)
        order = np.argsort(ids, kind="stable")
        return _rows(replace(people, ids=ids, gone=tuple(sorted(gone))), order)

    def _judge(self, people: People, elapsed_s: float) -> None:
        here = set(people.ids.tolist())
        for row, person in enumerate(people.ids.tolist()):
            if person > self._newest:
                share, owner, score = self._overlap(people, row)
                if share >= INSIDE_SHARE and _alike(people.boxes[row], people.boxes[people.ids == owner][0]):
                    born_s = people.born_s[people.ids == owner][0]
                    self._shadows[person] = _Shadow(owner, twin=people.born_s[row] - born_s <= TWIN_S, score=score)
            elif person in self._shadows:
                self._judge_shadow(people, row, elapsed_s, here)

    def _judge_shadow(self, people: People, row: int, elapsed_s: float, here: set[int]) -> None:
        """Still a shadow, or its owner's heir, or somebody of its own: who was seen well and left was a person, and so is the other."""
        person = int(people.ids[row])
        shadow = self._shadows[person]
        if shadow.owner not in here:
            if shadow.owner in self._heirs.values():
                return
            del self._shadows[person]
            if shadow.twin and shadow.score < self._score_high:
                self._heirs[person] = shadow.owner
            return
        share, nearest, score = self._overlap(people, row)
        if not people.seen[row] or (score < 0.0 and shadow.twin):
            return  # of two boxes that began at once, the one that is missed now does not stand apart by drifting
        if min(score, people.scores[row]) >= self._score_high:
            shadow.well_s += elapsed_s
        shadow.owner, shadow.score = nearest, score
        if shadow.well_s >= SHADOW_S or share < APART_SHARE:
            del self._shadows[person]

    def _overlap(self, people: People, row: int) -> tuple[float, int, float]:
        """Of those who were there before, who coincides most with a box: share of the smaller box, id, score (-1: not seen now)."""
        others = people.ids < people.ids[row]  # coasting or not: the real one may be missed while its shadow is seen
        for shadow in self._shadows:
            others &= people.ids != shadow
        rows = np.flatnonzero(others)
        if not len(rows):
            return 0.0, -1, 0.0
        shares = _shares(people.boxes[row], people.boxes[rows])
        most = int(np.argmax(shares))
        other = rows[most]
        return float(shares[most]), int(people.ids[other]), float(people.scores[other]) if people.seen[other] else -1.0


def _alike(box: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two boxes could be of one person: of about one height, with the feet in about one place."""
    own, theirs = box[3] - box[1], other[3] - other[1]
    tall = max(own, theirs)
    return bool(min(own, theirs) >= HEIGHT_RATIO_MIN * tall and abs(box[3] - other[3]) <= FOOT_SHARE * tall)


def _shares(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) how much of the smaller of two boxes lies within the larger."""
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    own = max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)
    theirs = np.maximum((others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1]), 1e-9)
    shares: NDArray[np.float64] = np.maximum(width, 0.0) * np.maximum(height, 0.0) / np.minimum(own, theirs)
    return shares


def _rows(people: People, rows: NDArray[np.intp] | NDArray[np.bool_]) -> People:
    """Some of the people, or all in another order."""
    return replace(
        people,
        ids=people.ids[rows],
        boxes=people.boxes[rows],
        scores=people.scores[rows],
        seen=people.seen[rows],
        still=people.still[rows],
        staff=people.staff[rows],
        born_s=people.born_s[rows],
        birth_boxes=people.birth_boxes[rows],
        uniform=None if people.uniform is None else people.uniform[rows],
    )
