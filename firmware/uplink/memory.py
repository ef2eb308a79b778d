"""A lane without a card: envelopes in memory, under a stream of their own, until the card takes writes again.

Bounded; the oldest is given up. What is here is lost with the process, which is why health says `volatile`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from firmware.uplink.envelope import Place, chain_hash
from firmware.uplink.ranges import Ranges
from firmware.uplink.segment import LaneName, Order, Seal, Spooled, Waiting

MEMORY_BYTES_MAX: Final = 4 * 1024 * 1024  # a day and a half of quiet flushes; nothing to a board of 512 MiB


class MemoryLane:
    """Takes, offers and settles as a lane does."""

    def __init__(self, name: LaneName, first: Place) -> None:
        self.name: LaneName = name
        self.next = first
        self.settled = Ranges()
        self.given_up = 0
        self.flushes = 0
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0

    def put(self, seal: Seal) -> Place:
        """Seal the next envelope and keep it; where it stands."""
        place = self.next
        envelope = seal(place)
        self._waiting.append(Waiting(place, envelope, seal))
        self._bytes += len(envelope)
        self.next = Place(place.stream, place.seq + 1, chain_hash(envelope))
        while self._bytes > MEMORY_BYTES_MAX:
            oldest = self._waiting.popleft()
            self._bytes -= len(oldest.envelope)
            self.given_up += 1
        return place

    def settle(self, first: int, last: int) -> None:
        """These need not be sent any more."""
        self.settled.add(first, min(last, self.next.seq - 1))
        kept = deque(each for each in self._waiting if each.place.seq not in self.settled)
        self._waiting, self._bytes = kept, sum(len(each.envelope) for each in kept)

    def waiting(self) -> list[Waiting]:
        """All that is kept, oldest first."""
        return list(self._waiting)

    def pending(self, order: Order) -> Iterator[Spooled]:
        """All that is kept."""
        for each in list(self._waiting) if order == "oldest" else list(reversed(self._waiting)):
            yield Spooled(self.name, each.place.stream, each.place.seq, each.envelope)

    def count(self) -> int:
        """How many are kept."""
        return len(self._waiting)
