"""Pseudonyms: 8 random bytes for each person and epoch, drawn, never derived; nobody can make one again.

An epoch lasts a random time, drawn anew for each, so that its end cannot be predicted. At its end all pseudonyms are
dropped at once; nothing that follows is said under an old one. Randomness arrives as `draw(n) -> n bytes`: the shell
passes the system's generator, a replay a seeded one. What an event may then still say is `pipeline`'s decision.

Source of the rule: Bluetooth's random resolvable addresses with Android's demand for 5 to 15 random minutes, without
their derivation from a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

PSEUDONYM_BYTES: Final = 8  # of a thousand people an epoch, two share one once in 10^13 epochs
_DRAW_BYTES: Final = 8  # modulo a range of ten minutes in ms the bias is below 10^-13


class Pseudonyms:
    """One camera's pseudonyms of the current epoch.

    Args:
        draw: gives so many random bytes.
        epoch_s: shortest and longest epoch in seconds.
    """

    def __init__(self, draw: Callable[[int], bytes], epoch_s: tuple[int, int] = (300, 900)) -> None:
        self._draw = draw
        self._epoch_ms = (epoch_s[0] * 1000, epoch_s[1] * 1000)
        self._names: dict[int, bytes] = {}
        self._end_ms: int | None = None
        self.began_ms = 0

    def turn(self, t_ms: int) -> bool:
        """Begin a new epoch if the old one is over at `t_ms`; whether one began."""
        if self._end_ms is not None and t_ms < self._end_ms:
            return False
        shortest, longest = self._epoch_ms
        length_ms = shortest + int.from_bytes(self._draw(_DRAW_BYTES), "little") % (longest - shortest + 1)
        self.began_ms, self._end_ms = t_ms, t_ms + length_ms
        self._names.clear()
        return True

    def of(self, person: int) -> bytes:
        """The person's pseudonym in this epoch, drawn at its first use."""
        name = self._names.get(person)
        if name is None:
            name = self._names[person] = self._draw(PSEUDONYM_BYTES)
        return name

    def forget(self, people: Iterable[int]) -> None:
        """These people are gone."""
        for person in people:
            self._names.pop(person, None)
