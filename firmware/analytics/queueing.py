"""What a queue is more than an area: how a wait ended, and how long who joins now will wait.

Served is who left by the service side, abandoned who left by any other; who vanished inside is neither, and their wait is
not counted, for its end was not seen. The estimate is Little's law, W = L / rate: people now waiting, times the mean time
between recent departures. That time runs only while somebody waits, and includes the running, unfinished interval: when
the till stops, the estimate grows. Until the first departure nothing is known, and nothing is said: the longest wait so
far is a lower bound meanwhile.

Source: J. Little, *A Proof for the Queuing Formula L = λW* (1961).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from firmware.config import ZoneConfig
from firmware.events import Outcome

DEPARTURES_KEPT: Final = 20  # mean interval within a fifth, even if services vary as much as they last; a quarter of an hour at most tills


def outcome_of(zone: ZoneConfig, end_side: int | None) -> Outcome:
    """How a visit to the zone ended; "" for an area, or where the end was not seen."""
    if zone.kind != "queue" or end_side is None:
        return ""
    return "served" if end_side == zone.service_side else "abandoned"


class WaitEstimate:
    """The pace of one queue. Times are milliseconds."""

    def __init__(self) -> None:
        self._busy_ms = 0  # how long somebody has waited, altogether
        self._marks: deque[int] = deque([0], maxlen=DEPARTURES_KEPT + 1)  # busy time at the last departures
        self._then_ms: int | None = None
        self._length = 0

    def step(self, t_ms: int, length: int) -> None:
        """`length` people wait from `t_ms` on."""
        if self._then_ms is not None and self._length:
            self._busy_ms += t_ms - self._then_ms
        self._then_ms, self._length = t_ms, length

    def departed(self) -> None:
        """Somebody left the queue, served or not."""
        self._marks.append(self._busy_ms)

    def wait_ms(self) -> int | None:
        """Expected wait of somebody who joins now; 0 when nobody waits, None while no departure has been seen."""
        departures = len(self._marks) - 1
        if not departures:
            return None
        return self._length * (self._busy_ms - self._marks[0]) // departures
