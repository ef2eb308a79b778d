"""The last seven days in slots of five minutes, per line and zone, and how much of that time was seen. In memory only.

Counts in clear may not lie on the card (privacy.md), and the device cannot read its own spool: so the curves begin when
the device starts, and the collector has the years. Slots are of the monotonic clock: a wall clock that jumps moves no
count. The memory is taken once, when lines and zones are known: 40 KB a row, however busy the shop.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from firmware.config import CameraConfig
from firmware.events import LineSums, Window, ZoneSums
from firmware.status.values import History, Row

SLOT_S: Final = 300
SLOTS: Final = 2016  # seven days
DAY_SLOTS: Final = 288
CELLS: Final = 5  # entries, exits, most at once, waits, seconds waited
MOST_AT_ONCE: Final = 2  # the one cell that is a maximum, not a sum

Kind = Literal["line", "area", "queue"]
Key = tuple[str, Kind, str]  # camera, kind, name


class Curves:
    """What the windows of all cameras add up to. `windows` counts those taken in: a higher number means news."""

    def __init__(self, cameras: Sequence[CameraConfig]) -> None:
        self._newest = 0
        self._rows: dict[Key, array[int]] = {}
        self._seen: dict[str, array[int]] = {}
        self.windows = 0
        self.configure(cameras)

    def configure(self, cameras: Sequence[CameraConfig]) -> None:
        """Other lines and zones: what keeps its name keeps its past."""
        self._rows = {key: self._rows.get(key, array("i", bytes(4 * SLOTS * CELLS))) for key in _keys(cameras)}
        self._seen = {camera.name: self._seen.get(camera.name, array("i", bytes(4 * SLOTS * 2))) for camera in cameras}

    def take(self, camera: str, windows: Iterable[Window]) -> None:
        """Add closed windows of one camera, in order."""
        for window in windows:
            slot = window.start_ms // (1000 * SLOT_S)
            self._advance(slot)
            if slot <= self._newest - SLOTS:
                continue
            at = slot % SLOTS
            self.windows += 1
            for line in window.lines:
                self._add((camera, "line", line.name), at, _of_line(line))
            for zone in window.zones:
                self._add((camera, zone.kind, zone.name), at, _of_zone(zone))
            if camera in self._seen:
                self._seen[camera][2 * at] += window.audit.observed_ms
                self._seen[camera][2 * at + 1] += window.audit.blind_ms

    def history(self, now_ms: int) -> History:
        """All of it as of now, empty cells left out."""
        self._advance(now_ms // (1000 * SLOT_S))
        rows = tuple(Row(camera, kind, name, self._cells(row)) for (camera, kind, name), row in self._rows.items())
        seen = [(ago, *self._seen_of(self._newest - ago)) for ago in range(SLOTS)]
        age_s = now_ms / 1000 - self._newest * SLOT_S
        return History(SLOT_S, round(age_s, 1), SLOTS, rows, [each for each in seen if each[1] or each[2]])

    def seen_of_day(self, camera: str) -> tuple[float, float]:
        """Seconds observed and blind of one camera within the last day."""
        row = self._seen.get(camera)
        if row is None:
            return 0.0, 0.0
        slots = [(self._newest - ago) % SLOTS for ago in range(DAY_SLOTS)]
        return sum(row[2 * at] for at in slots) / 1000, sum(row[2 * at + 1] for at in slots) / 1000

    def _cells(self, row: array[int]) -> list[tuple[int, int, int, int, int, int]]:
        found = []
        for ago in range(SLOTS):
            at = CELLS * ((self._newest - ago) % SLOTS)
            entries, exits, most, waits, wait_s = row[at : at + CELLS]
            if entries or exits or most or waits:
                found.append((ago, entries, exits, most, waits, wait_s))
        return found

    def _seen_of(self, slot: int) -> tuple[int, int]:
        at = 2 * (slot % SLOTS)
        return sum(row[at] for row in self._seen.values()) // 1000, sum(row[at + 1] for row in self._seen.values()) // 1000

    def _add(self, key: Key, at: int, values: tuple[int, ...]) -> None:
        row = self._rows.get(key)
        if row is None:
            return  # a line of the configuration before this one
        for cell, value in enumerate(values):
            place = CELLS * at + cell
            row[place] = max(row[place], value) if cell == MOST_AT_ONCE else row[place] + value

    def _advance(self, slot: int) -> None:
        """Time went on: slots that come round again begin empty."""
        if slot <= self._newest:
            return
        for fresh in range(max(self._newest + 1, slot - SLOTS + 1), slot + 1):
            at = fresh % SLOTS
            for row in self._rows.values():
                row[CELLS * at : CELLS * (at + 1)] = array("i", (0,) * CELLS)
            for row in self._seen.values():
                row[2 * at : 2 * at + 2] = array("i", (0, 0))
        self._newest = slot


def _keys(cameras: Sequence[CameraConfig]) -> Iterable[Key]:
    for camera in cameras:
        for line in camera.line:
            yield camera.name, "line", line.name
        for zone in camera.zone:
            yield camera.name, zone.kind, zone.name


def _of_line(line: LineSums) -> tuple[int, ...]:
    return line.entries, line.exits, 0, 0, 0


def _of_zone(zone: ZoneSums) -> tuple[int, ...]:
    return zone.entries, zone.exits, zone.occupancy_max, zone.served + zone.abandoned, zone.wait_ms // 1000
