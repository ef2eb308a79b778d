"""What a lane is made of: segments and where their envelopes lie, what waits, what is offered, what is missing.

Plain values of the spool (docs/spool-v1.md); the rules for them are in `firmware.uplink.lane`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from firmware.uplink.envelope import Place
from firmware.uplink.ranges import Ranges
from firmware.uplink.spool_format import FOREVER, SegmentHeader, SegmentReading

LaneName = Literal["batches", "keep"]
Order = Literal["newest", "oldest"]
Seal = Callable[[Place], bytes]
_NAME: Final = re.compile(r"(batches|keep)-(\d{8,15})\.(seg|bad|tmp)")
LANES: Final[tuple[LaneName, ...]] = ("batches", "keep")


class LaneLimits(msgspec.Struct, frozen=True):
    """Sizes of one lane."""

    segment_bytes: int
    segments_max: int


class Spooled(msgspec.Struct, frozen=True):
    """An envelope that waits for its acknowledgement."""

    lane: LaneName
    stream: bytes
    seq: int
    envelope: bytes


class Missing(msgspec.Struct, frozen=True):
    """Numbers that will not come; FOREVER as `last` says that the stream ended."""

    stream: bytes
    first: int
    last: int
    reason: Literal["evicted", "damaged", "ended", "volatile"]


@dataclass(slots=True)
class Segment:
    """One file, and where its durable envelopes lie."""

    header: SegmentHeader
    seqs: array[int] = field(default_factory=lambda: array("Q"))
    places: array[int] = field(default_factory=lambda: array("I"))
    lengths: array[int] = field(default_factory=lambda: array("I"))
    contiguous: bool = True  # no number is missing within: so it is, unless something rotted

    def add(self, seq: int, place: int, length: int) -> None:
        """One more envelope: its number, and where its record lies."""
        self.contiguous = self.contiguous and (not self.seqs or seq == self.seqs[-1] + 1)
        self.seqs.append(seq)
        self.places.append(place)
        self.lengths.append(length)

    def runs(self) -> Iterator[tuple[int, int]]:
        """Its numbers as ranges."""
        if self.contiguous and self.seqs:
            return iter([(self.seqs[0], self.seqs[-1])])
        return ((seq, seq) for seq in self.seqs)

    def unsettled_runs(self, settled: Ranges) -> Iterator[range]:
        """The indexes of envelopes whose numbers are not settled, as runs: a lane may hold 65,000."""
        if self.contiguous and self.seqs:
            return (range(first - self.seqs[0], last - self.seqs[0] + 1) for first, last in settled.missing(self.seqs[0], self.seqs[-1]))
        return (range(index, index + 1) for index, seq in enumerate(self.seqs) if seq not in settled)


@dataclass(slots=True)
class Waiting:
    """An envelope that is not durable yet, with what it takes to seal it anew in another place."""

    place: Place
    envelope: bytes
    seal: Seal


def never_used(reading: SegmentReading) -> bool:
    """Made for a new stream, which then did not begin here after all."""
    return reading.end is not None and not reading.envelopes and reading.header.first_seq == 0


def file_name(lane: LaneName, number: int, ending: str = "seg") -> str:
    """The name of a segment's file."""
    return f"{lane}-{number:08}.{ending}"


def numbers_in(names: list[str], lane: LaneName) -> dict[str, list[int]]:
    """The numbers of a lane's files in a folder, by ending; other names are nobody's business."""
    found: dict[str, list[int]] = {"seg": [], "bad": [], "tmp": []}
    for match in (match for name in names if (match := _NAME.fullmatch(name)) and match[1] == lane):
        found[match[3]].append(int(match[2]))
    return found


def segments_of(readings: list[SegmentReading]) -> list[Segment]:
    """The segments of readings in order; a later segment's first_seq takes numbers from earlier ones of its stream."""
    segments: list[Segment] = []
    limits: dict[bytes, int] = {}
    for reading in reversed(readings):
        header, limit = reading.header, limits.get(reading.header.stream, FOREVER)
        segment = Segment(header)
        for seq, place, length in reading.envelopes:
            if header.first_seq <= seq < limit:
                segment.add(seq, place, length)
        limits[header.stream] = min(header.first_seq, limit)
        segments.append(segment)
    return segments[::-1]


def durable_end(segments: list[Segment], stream: bytes) -> int:
    """The last number of a stream; -1 where there is none."""
    return max((segment.seqs[-1] for segment in segments if segment.header.stream == stream and segment.seqs), default=-1)


def holes_of(segments: list[Segment], stream: bytes, settled: Ranges, *, from_zero: bool) -> list[Missing]:
    """The numbers of a stream that must have been there and are not; what was removed in order counts only `from_zero`."""
    mine = [segment for segment in segments if segment.header.stream == stream]
    present = Ranges()
    for run in (*(run for segment in mine for run in segment.runs()), *settled):
        present.add(*run)
    ends = [first - 1 if last == FOREVER else last for first, last in settled]  # what is settled was there
    end = max(mine[-1].header.first_seq - 1, durable_end(mine, stream), *ends, -1)
    return [Missing(stream, *hole, "damaged") for hole in present.missing(0 if from_zero else mine[0].header.first_seq, end)]
