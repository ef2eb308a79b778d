"""One lane of the spool: an append-only log of envelopes over a few segments (docs/spool-v1.md).

Rules: nothing is offered before it is durable; a segment is never written on behind anything doubtful; numbering goes
on only where it is proved, else a new stream begins; a file whose write or sync failed is never touched again.
The lane raises StorageError and is then unchanged but for its active segment, which is sealed; what to do about it
(try again, make room, go on in memory) is `firmware.uplink.spool`'s to decide, and so are gap envelopes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from firmware.errors import DataError, StorageError
from firmware.uplink.envelope import GENESIS, Place, chain_hash
from firmware.uplink.lane_files import LaneFiles
from firmware.uplink.ports import Folder, NothingWrittenError
from firmware.uplink.ranges import Ranges
from firmware.uplink.segment import (
    LANES,
    LaneLimits,
    LaneName,
    Missing,
    Order,
    Seal,
    Segment,
    Spooled,
    Waiting,
    durable_end,
    holes_of,
    never_used,
    segments_of,
)
from firmware.uplink.spool_format import (
    ENVELOPE,
    FOREVER,
    SETTLED,
    SETTLED_RANGES_MAX,
    SegmentHeader,
    SegmentReading,
    Settled,
    empty_segment,
    record,
    record_bytes,
    room,
    sector_up,
    settled_body,
)


class Lane(LaneFiles):
    """A log that has been recovered and takes more. `missing` holds the gaps that recovery found and nobody reported yet."""

    def __init__(self, name: LaneName, folder: Folder, limits: LaneLimits, owner: bytes, random_bytes: Callable[[int], bytes]) -> None:
        super().__init__(name, folder, limits)
        self.segments: list[Segment] = []
        self.settled: dict[bytes, Ranges] = {}
        self.waiting: list[Waiting] = []
        self.missing: list[Missing] = []
        self.touched = False  # a byte of what waits may be on the card
        self.next = Place(b"", 0, GENESIS)
        self._owner = owner
        self._random_bytes = random_bytes
        self._end = 0
        self._lazy: list[Settled] = []
        self._vain: list[int] = []  # made for streams that did not begin there

    # Starting

    def recover(self) -> None:
        """Read what the folder holds and be ready to write. Nothing is removed yet: `missing` must be reported first.

        Raises:
            StorageError: a new segment was needed and could not be made, or the folder cannot be read; the lane is then
                as empty as what could be read.
        """
        numbers = self._tidy_names()
        readings = [reading for number in sorted(numbers) if (reading := self._read(number, last=number == max(numbers))) is not None]
        self._adopt(readings)
        if not (readings and self._goes_on(readings[-1])):
            self.next = Place(self._random_bytes(8), 0, GENESIS)
            self._rotate(self.next)
        elif self._file is None:
            self._rotate(self.next)
        self.missing = self._find_missing()

    def renew(self) -> None:
        """Begin a new stream in a new segment; nothing may wait.

        Raises:
            StorageError: the segment could not be made; the lane is as it was, without an active segment.
        """
        assert not self.waiting
        old, first = self.next.stream, Place(self._random_bytes(8), 0, GENESIS)
        self._rotate(first)
        self.next = first
        self.missing += self._end_of(old)

    def take_over(self, waiting: list[Waiting], following: Place, settled: Ranges) -> None:
        """Go on with a stream that was begun in memory, in a new segment.

        Raises:
            StorageError: nothing changed but for what may have reached the card.
        """
        old = self.next.stream
        self.settled[following.stream] = settled
        self._rotate(waiting[0].place if waiting else following)
        self.waiting, self.next = list(waiting), following
        self.flush()
        self.missing += self._end_of(old)

    def _adopt(self, readings: list[SegmentReading]) -> None:
        """Segments, and what is settled of their streams; what the newest does not say of that is to be written anew."""
        self._vain = [reading.header.number for reading in readings[:-1] if never_used(reading)]
        self.segments = segments_of([reading for reading in readings if reading.header.number not in self._vain])
        self.settled = {segment.header.stream: Ranges() for segment in self.segments}
        for reading in reversed(readings):
            for each in (each for each in reading.settled if each.stream in self.settled):
                if reading is not readings[-1] and any(self.settled[each.stream].missing(each.first, each.last)):
                    self._lazy.append(each)
                self.settled[each.stream].add(each.first, each.last)

    def _goes_on(self, newest: SegmentReading) -> bool:
        """Whether it is proved that numbering can go on behind the newest segment; if so, it does."""
        header, segment = newest.header, self.segments[-1]
        if newest.end is None or header.number != self._number or header.owner != self._owner:
            return False
        self.next, self._end = Place(header.stream, header.first_seq, header.prev), newest.end
        if segment.seqs:
            try:
                last = self._envelope(segment, len(segment.seqs) - 1)
            except DataError:
                return False
            self.next = Place(header.stream, segment.seqs[-1] + 1, chain_hash(last))
        return True

    # Writing

    def put(self, seal: Seal) -> Place:
        """Seal the next envelope and keep it in memory until `flush`; where it stands."""
        place = self.next
        envelope = seal(place)
        if record_bytes(len(envelope)) > self.limits.segment_bytes * 5 // 8:
            raise DataError(f"an envelope of {len(envelope)} bytes", f"a segment has {self.limits.segment_bytes}")
        self.waiting.append(Waiting(place, envelope, seal))
        self.next = Place(place.stream, place.seq + 1, chain_hash(envelope))
        return place

    def waiting_bytes(self) -> int:
        """How much waits for a flush."""
        return sum(len(each.envelope) for each in self.waiting)

    def flush(self) -> None:
        """Make durable what waits; once it returns it is.

        Raises:
            StorageError: the active segment is sealed, what was not durable still waits.
        """
        while self.waiting:
            if self._file is None or self._room() < record_bytes(len(self.waiting[0].envelope)):
                self._rotate(self.waiting[0].place)
            self._write(self._fitting())

    def flush_settled(self) -> None:
        """Write what is settled without waiting for an envelope. Raises StorageError as `flush`."""
        if not self._lazy:
            return
        if self._file is None or self._room() < record_bytes(len(settled_body(self._lazy[:SETTLED_RANGES_MAX]))):
            self._rotate(self.waiting[0].place if self.waiting else self.next)
        else:
            self._write(0)

    def close(self) -> None:
        """Let go of the active segment."""
        self._close_file()

    def _room(self) -> int:
        return room(self.segments[-1].header, self._end)

    def _fitting(self) -> int:
        """How many of what waits fit behind each other."""
        room, count = self._room(), 0
        for each in self.waiting:
            room -= record_bytes(len(each.envelope))
            if room < 0:
                break
            count += 1
        return count

    def _write(self, count: int) -> None:
        """One write, one sync: settled numbers if they still fit, then `count` envelopes."""
        assert self._file is not None
        segment, blob, spans = self.segments[-1], bytearray(), []
        for each in self.waiting[:count]:
            place = self._end + len(blob)
            blob += record(segment.header, place, ENVELOPE, each.envelope, each.place.seq)
            spans.append((each.place.seq, place, len(each.envelope)))
        lazy = self._lazy[:SETTLED_RANGES_MAX]
        body = settled_body(lazy)
        if lazy and len(blob) + record_bytes(len(body)) <= self._room():
            blob += record(segment.header, self._end + len(blob), SETTLED, body)
        else:
            lazy = []
        if not blob:
            return
        try:
            self._file.write_at(self._end, bytes(blob))
            self._file.sync()
        except StorageError as error:
            self._close_file()  # and it is never touched again
            self.touched = self.touched or (count > 0 and not isinstance(error, NothingWrittenError))
            raise
        self.touched = False
        self._end = sector_up(self._end + len(blob))
        for span in spans:
            segment.add(*span)
        del self.waiting[:count]
        del self._lazy[: len(lazy)]

    def _rotate(self, first: Place) -> None:
        """A new segment that numbers from `first`: zeros, synced, renamed, folder synced, then used."""
        self._close_file()
        number = self._number = self._number + 1  # a number that failed is not tried again
        header = SegmentHeader(
            LANES.index(self.name),
            self.limits.segment_bytes,
            number,
            first.stream,
            first.seq,
            first.prev,
            self._random_bytes(16),
            self._owner,
        )
        self.settled.setdefault(first.stream, Ranges())
        segment, end = empty_segment(header, self._snapshot())
        temporary = self._file_name(number, "tmp")
        try:
            self._file = self._folder.open(temporary)
            self._file.write_at(0, segment)
            self._file.sync()
            self._folder.rename(temporary, self._file_name(number))
            self._folder.sync()
        except StorageError:
            self._close_file()
            with suppress(StorageError):
                self._folder.remove(temporary)
            raise
        self._lazy = []
        self._end = end
        self.segments.append(Segment(header))

    def _snapshot(self) -> list[Settled]:
        """All that is settled of streams in the lane, newest streams first where it is too much; fits into a segment."""
        most = min(SETTLED_RANGES_MAX, (self.limits.segment_bytes // 16) // 24)
        return [Settled(stream, *each) for stream in reversed(self.settled) for each in self.settled[stream]][:most]

    # What is settled

    def settle(self, stream: bytes, first: int, last: int) -> None:
        """These numbers need not be sent any more; written with the next flush."""
        if stream in self.settled and first <= last:
            self.settled[stream].add(first, last)
            self._lazy.append(Settled(stream, first, last))
            if len(self._lazy) > SETTLED_RANGES_MAX:
                self._lazy = self._snapshot()

    def durable_end(self, stream: bytes) -> int:
        """The last durable number of a stream; -1 where there is none."""
        return durable_end(self.segments, stream)

    def drop_settled(self) -> None:
        """Remove sealed segments with nothing left to send; right after `recover` only once `flush_settled` returned."""
        for number in self._vain:
            self._remove(number, "seg")
        self._vain.clear()
        for segment in self.segments[:-1]:
            if not any(True for _ in self._unsettled(segment)):
                self.remove_segment(segment)

    def oldest_sealed(self) -> Segment | None:
        """The segment that goes first when room is needed."""
        return self.segments[0] if len(self.segments) > 1 else None

    def unsettled_span(self, segment: Segment) -> Missing | None:
        """From the first to the last number of a segment that nobody acknowledged, as what is missing once it is removed."""
        left = [segment.seqs[index] for index in self._unsettled(segment)]
        return Missing(segment.header.stream, left[0], left[-1], "evicted") if left else None

    def remove_segment(self, segment: Segment) -> None:
        """Remove a sealed segment; a card that refuses gets it removed at a later start."""
        self.segments.remove(segment)
        self._remove(segment.header.number, "seg")
        stream = segment.header.stream
        if stream != self.next.stream and all(each.header.stream != stream for each in self.segments):
            self.settled.pop(stream, None)

    def pending(self, order: Order) -> Iterator[Spooled]:
        """Durable envelopes that nobody acknowledged. One that cannot be read any more is noted as missing."""
        for segment in list(self.segments if order == "oldest" else reversed(self.segments)):
            indexes = list(self._unsettled(segment))
            for index in indexes if order == "oldest" else reversed(indexes):
                seq, stream = segment.seqs[index], segment.header.stream
                try:
                    yield Spooled(self.name, stream, seq, self._envelope(segment, index))
                except (DataError, StorageError):
                    if seq not in self.settled[stream]:
                        self.missing.append(Missing(stream, seq, seq, "damaged"))

    def count(self) -> int:
        """How many envelopes wait for acknowledgement, durable or not."""
        runs = (each.unsettled_runs(self.settled.get(each.header.stream, Ranges())) for each in self.segments)
        return len(self.waiting) + sum(len(run) for segment in runs for run in segment)

    def bytes_used(self) -> int:
        """What the lane takes of the card."""
        return len(self.segments) * self.limits.segment_bytes

    def _unsettled(self, segment: Segment) -> Iterator[int]:
        return (index for run in segment.unsettled_runs(self.settled.get(segment.header.stream, Ranges())) for index in run)

    # What is missing

    def _find_missing(self) -> list[Missing]:
        """Holes between the numbers of each stream, and the ends of streams that were left."""
        streams = list(dict.fromkeys(segment.header.stream for segment in self.segments))
        missing = [gap for stream in streams for gap in holes_of(self.segments, stream, self.settled[stream], from_zero=self.bad > 0)]
        for stream in streams[:-1]:
            missing += self._end_of(stream)
        return missing

    def _end_of(self, stream: bytes) -> list[Missing]:
        """That nothing follows in a stream that was left, unless it was said before."""
        starts = [segment.header.first_seq - 1 for segment in self.segments if segment.header.stream == stream]
        end = max(self.durable_end(stream), *starts, -1)
        if stream not in self.settled or FOREVER in self.settled[stream]:
            return []
        return [Missing(stream, end + 1, FOREVER, "ended")]
