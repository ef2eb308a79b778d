"""How many people are inside, by the doors: who came minus who left, never below nobody.

Counts settled crossings of shoppers at the lines that are doors. Every missed crossing stays in the balance, so it drifts:
when more leave than are inside, the balance is held at zero and the correction counted; while the shop is closed it
is set back to zero. The audit publishes the corrections, for a number that corrects itself in silence cannot be trusted.
"""

from __future__ import annotations


class Inside:
    """People inside. `drift` counts corrections."""

    def __init__(self) -> None:
        self.count = 0
        self.drift = 0

    def came(self) -> None:
        """Somebody came in through a door."""
        self.count += 1

    def left(self) -> bool:
        """Somebody went out; True when nobody was left to go, which corrects an earlier miss."""
        if self.count:
            self.count -= 1
            return False
        self.drift += 1
        return True

    def close(self) -> None:
        """The shop is closed: whoever the balance still holds has left unseen."""
        self.drift += self.count
        self.count = 0
