"""Who is staff: whoever works in a staff zone, comes through a staff door, or (opt-in) wears the enrolled colour.

Staff is staff for the rest of their stay in view; they are left out of shopper numbers and counted apart. Nothing about
them is kept beyond that: no feature, no list of people. How a torso is matched with the colour is vision's work; here the
smoothed match must stay above a threshold for a second. What was counted before somebody showed to be staff stays
counted as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.people import People

UNIFORM_MIN: Final = 0.6  # of the torso in the enrolled colour: a shirt half hidden by an arm has 0.7
UNIFORM_S: Final = 1.0  # for so long: passing a shelf of that colour takes less


class Staff:
    """The staff among the people of one camera."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._since_s: dict[int, float] = {}

    def is_staff(self, person: int) -> bool:
        """Whether the person is known to be staff."""
        return person in self._known

    def learn(self, people: Iterable[int]) -> None:
        """These were seen where only staff is."""
        self._known.update(people)

    def step(self, people: People, uniform: NDArray[np.float64] | None = None) -> NDArray[np.bool_]:
        """(N,) which of the people are staff; `uniform` (N,) is how far each torso matches, None where that is off."""
        if uniform is not None and len(uniform):
            self._look(people, uniform)
        flags = np.zeros(len(people.ids), dtype=np.bool_)
        if self._known:
            for index, person in enumerate(people.ids.tolist()):
                flags[index] = person in self._known
        return flags

    def forget(self, people: Iterable[int]) -> None:
        """These are gone for good."""
        for person in people:
            self._known.discard(person)
            self._since_s.pop(person, None)

    def _look(self, people: People, uniform: NDArray[np.float64]) -> None:
        for person, match in zip(people.ids.tolist(), uniform.tolist(), strict=True):
            if match < UNIFORM_MIN:
                self._since_s.pop(person, None)
            elif people.t_s - self._since_s.setdefault(person, people.t_s) >= UNIFORM_S:
                self._known.add(person)
