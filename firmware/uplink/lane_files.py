"""The files of one lane: their names, reading them back, setting them aside, and the one that is open (docs/spool-v1.md).

Nothing is believed before it was synced and read from the card itself. What is no segment keeps its bytes under another
name, a few of them, and is counted. What follows from all that, and writing, is `firmware.uplink.lane`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from firmware.errors import DataError, StorageError
from firmware.uplink.ports import File, Folder
from firmware.uplink.segment import LANES, LaneLimits, LaneName, Segment, file_name, numbers_in
from firmware.uplink.spool_format import RECORD_BYTES, SegmentReading, envelope_at, read_segment

BAD_KEPT: Final = 4  # segments set aside that are kept for a look


class LaneFiles:
    """Of a folder's files those that are this lane's. `bad` counts what was set aside or could not be read."""

    def __init__(self, name: LaneName, folder: Folder, limits: LaneLimits) -> None:
        self.name: LaneName = name
        self.limits = limits
        self.bad = 0
        self._folder = folder
        self._file: File | None = None
        self._number = 0

    def _tidy_names(self) -> list[int]:
        """Remove what was being made, keep few of what is set aside; the numbers of the segments."""
        found = numbers_in(self._folder.names(), self.name)
        for number in found["tmp"]:
            self._remove(number, "tmp")
        for number in sorted(found["bad"])[:-BAD_KEPT]:
            self._remove(number, "bad")
        self._number = max((*found["seg"], *found["bad"]), default=0)
        return found["seg"]

    def _read(self, number: int, *, last: bool) -> SegmentReading | None:
        """A segment's reading; None where it had to be set aside."""
        name = self._file_name(number)
        if last:
            self._open_newest(name)
        try:
            reading = read_segment(self._folder.read(name, 0, self.limits.segment_bytes + 1))
        except DataError:
            self._set_aside(number)
            return None
        except StorageError:
            self.bad += 1  # not set aside: a later start may be able to read it
            return None
        if (reading.header.lane, reading.header.number) != (LANES.index(self.name), number):
            self._set_aside(number)
            return None
        if reading.header.segment_bytes != self.limits.segment_bytes:
            reading.end = None  # made with other limits: read, not written on
        return reading

    def _open_newest(self, name: str) -> None:
        """Before believing: a killed process leaves pages that a power cut takes away, a failed sync pages that lie."""
        with suppress(StorageError):
            self._folder.sync()
        self._close_file()
        try:
            self._file = self._folder.open(name)
            self._file.sync()
            self._file.forget()
        except StorageError:
            self._close_file()

    def _set_aside(self, number: int) -> None:
        self.bad += 1
        with suppress(StorageError):
            self._folder.rename(self._file_name(number), self._file_name(number, "bad"))

    def _envelope(self, segment: Segment, index: int) -> bytes:
        place = segment.places[index]
        framed = self._folder.read(self._file_name(segment.header.number), place, RECORD_BYTES + segment.lengths[index])
        return envelope_at(segment.header, place, framed)

    def _file_name(self, number: int, ending: str = "seg") -> str:
        return file_name(self.name, number, ending)

    def _remove(self, number: int, ending: str) -> None:
        with suppress(StorageError):
            self._folder.remove(self._file_name(number, ending))

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
