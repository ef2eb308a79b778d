"""The numbers of this moment for the status page: counts since the start, who is in each zone, how long a queue takes.

Made anew when something changed, and twice a second while waits grow; in between the last ones stand. They are about the
place and never about a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from firmware.analytics.occupancy import Inside
from firmware.analytics.queueing import WaitEstimate
from firmware.config import CameraConfig
from firmware.events import Direction, Stage
from firmware.health import LiveLine, LiveNumbers, LiveZone

LIVE_MS: Final = 500  # nobody reads faster


class LiveBoard:
    """One camera's live numbers."""

    def __init__(self, camera: CameraConfig) -> None:
        self._camera = camera
        self._counted = [[0, 0, 0, 0] for _ in camera.line]
        self._shown = LiveNumbers()
        self._shown_ms: int | None = None

    def crossed(self, line: int, direction: Direction, stage: Stage) -> None:
        """Somebody crossed a line."""
        self._counted[line][(0 if stage == "settled" else 2) + (0 if direction == "in" else 1)] += 1

    def is_due(self, now_ms: int) -> bool:
        """Whether the numbers are half a second old."""
        return self._shown_ms is None or now_ms - self._shown_ms >= LIVE_MS

    def last(self) -> LiveNumbers:
        """The numbers as they were last made."""
        return self._shown

    def show(
        self,
        now_ms: int,
        counts: Sequence[int],
        estimates: Sequence[WaitEstimate | None],
        waiting_since_ms: Sequence[int | None],
        inside: Inside,
    ) -> LiveNumbers:
        """Make the numbers anew.

        Args:
            now_ms: the time.
            counts: shoppers in each zone.
            estimates: the pace of each queue, None for an area.
            waiting_since_ms: when the one who has been longest in each zone came; None where nobody is.
            inside: people inside by the doors.
        """
        lines = tuple(LiveLine(line.name, *self._counted[index]) for index, line in enumerate(self._camera.line))
        zones = []
        for zone, count, estimate, since_ms in zip(self._camera.zone, counts, estimates, waiting_since_ms, strict=True):
            if estimate is None:
                zones.append(LiveZone(zone.name, zone.kind, count))
            else:
                longest_ms = None if since_ms is None or not count else now_ms - since_ms
                zones.append(LiveZone(zone.name, zone.kind, count, estimate.wait_ms(), longest_ms))
        self._shown, self._shown_ms = LiveNumbers(lines, tuple(zones), inside.count, inside.drift), now_ms
        return self._shown
