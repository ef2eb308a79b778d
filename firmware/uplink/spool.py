"""The spool: two lanes of sealed envelopes on the card, and what happens when the card fails (docs/spool-v1.md).

Rules: the spool cannot open what it keeps; it hands out stream, seq and prev, and the caller seals. Start and `flush`
succeed whatever the card does: a lane whose card fails twice goes on in memory under a new stream, and health says so.
Nothing is removed but what is acknowledged, or evicted with a gap envelope that is durable first. Synchronous, for one
thread; sending is `firmware.uplink.delivery`, the card is `firmware.uplink.filesystem`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Final, Literal

import msgspec

from firmware.errors import StorageError
from firmware.uplink.envelope import GENESIS, Place
from firmware.uplink.lane import Lane
from firmware.uplink.memory import MemoryLane
from firmware.uplink.ports import Folder, NoRoomError
from firmware.uplink.segment import LANES, LaneLimits, LaneName, Missing, Order, Seal, Spooled

FLUSH_BYTES: Final = 16 * 1024  # so much waiting is not left to the next timer
TRIES_MAX: Final = 4  # a full card: so many segments are evicted for one flush
VOLATILE_FLUSHES_MAX: Final = 64  # half an hour at the default flush: how seldom a failed card is tried again

SealGap = Callable[[Missing, Place], bytes]


class SpoolLimits(msgspec.Struct, frozen=True):
    """How much of the card the spool takes. A quiet flush takes 1,024 bytes of it; see docs/spool-v1.md, section 6."""

    batches: LaneLimits = LaneLimits(1024 * 1024, 192)  # 60 days offline are 172,800 flushes of 30 s, 170 MiB; and an eighth more
    keep: LaneLimits = LaneLimits(256 * 1024, 64)  # a year offline: 8,760 roll-ups and 1,460 reports of health, 10 MiB; and half more
    bytes_free_min: int = 256 * 1024 * 1024  # what the rest of the system is left

    @classmethod
    def of_bytes(cls, bytes_max: int) -> SpoolLimits:
        """Batches in at most so many bytes (two segments at least)."""
        return cls(batches=LaneLimits(1024 * 1024, max(2, bytes_max // (1024 * 1024))))


class SpoolHealth(msgspec.Struct, frozen=True):
    """Counters; `volatile` names the lanes that live in memory, `full` says that the oldest detail gives way to the newest."""

    spooled: int
    spool_bytes: int
    acknowledged: int
    storage: Literal["durable", "volatile"]
    volatile: tuple[LaneName, ...]
    full: bool
    segments_bad: int
    gaps: int
    given_up: int
    last_error: str

    @property
    def word(self) -> Literal["durable", "full", "volatile"]:
        """How the card is, in one word: the worst of it."""
        return "full" if self.full and self.storage == "durable" else self.storage


class Spool:
    """Two lanes over one folder. Use `open`."""

    def __init__(self, folder: Folder, lanes: dict[LaneName, Lane], random_bytes: Callable[[int], bytes], seal_gap: SealGap) -> None:
        self._folder = folder
        self._lanes = lanes
        self._random_bytes = random_bytes
        self._seal_gap = seal_gap
        self._memory: dict[LaneName, MemoryLane] = {}
        self._bytes_free_min = 0
        self._acknowledged = 0
        self._gaps = 0
        self._given_up = 0
        self._full = False
        self._last_error = ""

    @classmethod
    def open(cls, folder: Folder, limits: SpoolLimits, owner: bytes, random_bytes: Callable[[int], bytes], seal_gap: SealGap) -> Spool:
        """Recover what the folder holds; always succeeds.

        Args:
            folder: the spool's own; whoever has it holds its lock.
            limits: sizes.
            owner: 16 bytes that change with the device's key or board: on a cloned card a new stream begins.
            random_bytes: the system's generator; streams and salts are drawn from it.
            seal_gap: seals what is missing as a gap envelope for a place in the lane `keep`.
        """
        sizes: dict[LaneName, LaneLimits] = {"batches": limits.batches, "keep": limits.keep}
        spool = cls(folder, {name: Lane(name, folder, sizes[name], owner, random_bytes) for name in LANES}, random_bytes, seal_gap)
        spool._bytes_free_min = limits.bytes_free_min
        for name in LANES:
            try:
                spool._lanes[name].recover()
            except StorageError as error:
                spool._go_volatile(name, error)
        spool._report_missing()
        for lane in spool._lanes.values():
            if spool._settle_now(lane):
                lane.drop_settled()
        spool._keep_within_limits()
        return spool

    def put(self, lane: LaneName, seal: Seal) -> Place:
        """Seal an envelope for its place in a lane and take it; durable after `flush`. What `seal` raises takes no number.

        Raises:
            DataError: larger than a segment.
        """
        if lane in self._memory:
            return self._memory[lane].put(seal)
        place = self._lanes[lane].put(seal)
        if self._lanes[lane].waiting_bytes() >= FLUSH_BYTES:
            self.flush()
        return place

    def flush(self) -> None:
        """Make durable what was put, one sync a lane; never fails, see `health().storage`."""
        for name in LANES:
            self._flush_lane(name)
        self._report_missing()
        self._keep_within_limits()

    def newest(self, bytes_max: int, skip: Container[tuple[bytes, int]]) -> tuple[Spooled, ...]:
        """What waits for an acknowledgement, newest first, batches before totals, of at most so many bytes together.

        What is in `skip`, as (stream, seq), is left out. Only what is durable is offered (or in memory for good).
        """
        return self._within(("batches", "keep"), "newest", bytes_max, skip)

    def oldest(self, bytes_max: int, skip: Container[tuple[bytes, int]]) -> tuple[Spooled, ...]:
        """The same, oldest first, totals before batches: after a long outage the sums arrive before the detail."""
        return self._within(("keep", "batches"), "oldest", bytes_max, skip)

    def acknowledge(self, stream: bytes, through: int | None, sparse: Iterable[int] = ()) -> None:
        """The collector has these; what it says of numbers that were never durable is not believed."""
        ranges = [(0, through)] if through is not None else []
        ranges += [(seq, seq) for seq in sparse]
        before = self._count()
        for memory in self._memory.values():
            if memory.next.stream == stream:
                for first, last in ranges:
                    memory.settle(first, last)
        for lane in self._lanes.values():
            if stream in lane.settled:
                end = lane.durable_end(stream)
                for first, last in ranges:
                    lane.settle(stream, first, min(last, end))
                lane.drop_settled()
        self._acknowledged += before - self._count()
        if self._full and all(len(lane.segments) < lane.limits.segments_max for lane in self._lanes.values()):
            self._full = self._short_of_space()

    def renew(self, lane: LaneName) -> None:
        """Begin a new stream: the collector holds other bytes under one of this stream's numbers."""
        self._flush_lane(lane)
        if lane in self._memory:
            return
        try:
            self._lanes[lane].renew()
        except StorageError as error:
            self._go_volatile(lane, error)
        self._report_missing()

    def health(self) -> SpoolHealth:
        """Counters now."""
        return SpoolHealth(
            spooled=self._count(),
            spool_bytes=sum(lane.bytes_used() for lane in self._lanes.values()),
            acknowledged=self._acknowledged,
            storage="volatile" if self._memory else "durable",
            volatile=tuple(self._memory),
            full=self._full,
            segments_bad=sum(lane.bad for lane in self._lanes.values()),
            gaps=self._gaps,
            given_up=self._given_up + sum(memory.given_up for memory in self._memory.values()),
            last_error=self._last_error,
        )

    def close(self) -> None:
        """Flush, and let go of the files."""
        self.flush()
        for name, lane in self._lanes.items():
            try:
                lane.flush_settled()
            except StorageError as error:
                self._last_error = f"{name}: {error}"
            lane.close()

    # Within

    def _within(self, lanes: tuple[LaneName, ...], order: Order, bytes_max: int, skip: Container[tuple[bytes, int]]) -> tuple[Spooled, ...]:
        taken, left = [], bytes_max
        for each in (each for lane in lanes for source in self._sources(lane, order) for each in source.pending(order)):
            if (each.stream, each.seq) in skip:
                continue
            left -= len(each.envelope)
            if left < 0:
                break
            taken.append(each)
        self._report_missing()
        return tuple(taken)

    def _sources(self, lane: LaneName, order: Order) -> list[Lane | MemoryLane]:
        sources: list[Lane | MemoryLane] = [self._lanes[lane]]
        if lane in self._memory:
            sources.insert(0 if order == "newest" else 1, self._memory[lane])
        return sources

    def _count(self) -> int:
        return sum(lane.count() for lane in self._lanes.values()) + sum(memory.count() for memory in self._memory.values())

    def _flush_lane(self, name: LaneName) -> None:
        """Flush; on a failure once more in a new segment, on a full card after making room; else go on in memory."""
        if name in self._memory:
            self._try_durable(name)
            return
        for attempt in range(TRIES_MAX):
            try:
                self._lanes[name].flush()
            except StorageError as error:
                self._last_error = f"{name}: {error}"
                if isinstance(error, NoRoomError) and self._make_room(name):
                    continue
                if attempt:
                    self._go_volatile(name, error)
                    return
            else:
                return
        self._go_volatile(name, StorageError("the card stays full"))

    def _go_volatile(self, name: LaneName, error: StorageError) -> None:
        """From now on in memory. What waited is sealed anew; but not sums of which a byte may be on the card: they would count twice."""
        self._last_error = f"{name}: {error}"
        lane, memory = self._lanes[name], MemoryLane(name, Place(self._random_bytes(8), 0, GENESIS))
        self._memory[name] = memory
        lane.close()
        waiting, lane.waiting = lane.waiting, []
        if name == "batches" and lane.touched and waiting:
            first, last = waiting[0].place, waiting[-1].place
            self._given_up += len(waiting)
            lane.missing.append(Missing(first.stream, first.seq, last.seq, "volatile"))
            return
        for each in waiting:
            memory.put(each.seal)

    def _try_durable(self, name: LaneName) -> None:
        """After 1, 2, 4, ... flushes in memory: try a new segment with the memory's stream."""
        memory, lane = self._memory[name], self._lanes[name]
        memory.flushes += 1
        if memory.flushes & (memory.flushes - 1) and memory.flushes % VOLATILE_FLUSHES_MAX:
            return
        try:
            lane.take_over(memory.waiting(), memory.next, memory.settled)
        except StorageError as error:
            self._last_error = f"{name}: {error}"
            return
        self._given_up += memory.given_up
        del self._memory[name]

    def _make_room(self, name: LaneName) -> bool:
        """Evict a segment of batches for a lane that found the card full."""
        self._full = True
        return self._evict("batches", safely=name != "keep")

    def _keep_within_limits(self) -> None:
        for name, lane in self._lanes.items():
            while len(lane.segments) > lane.limits.segments_max and self._evict(name):
                self._full = True
        while self._short_of_space() and self._evict("batches"):
            self._full = True

    def _short_of_space(self) -> bool:
        try:
            return self._folder.bytes_free() < self._bytes_free_min
        except StorageError:
            return False

    def _evict(self, name: LaneName, *, safely: bool = True) -> bool:
        """Remove a lane's oldest sealed segment; `safely`: only once its gap envelope is durable."""
        lane = self._lanes[name]
        segment = lane.oldest_sealed()
        if segment is None or name in self._memory:
            return False
        gap = lane.unsettled_span(segment)
        if gap is not None:
            self._put_gap(gap)
            if safely:
                self._flush_lane("keep")
            lane.settle(gap.stream, gap.first, gap.last)
        lane.remove_segment(segment)
        return True

    def _report_missing(self) -> None:
        """A gap envelope for all that is missing; settled, so that it is said once."""
        for lane in self._lanes.values():
            missing, lane.missing = lane.missing, []
            for gap in missing:
                self._put_gap(gap)
            if missing:
                self._flush_lane("keep")
            for gap in missing:
                lane.settle(gap.stream, gap.first, gap.last)

    def _settle_now(self, lane: Lane) -> bool:
        try:
            lane.flush_settled()
        except StorageError as error:
            self._last_error = f"{lane.name}: {error}"
            return False
        return True

    def _put_gap(self, gap: Missing) -> None:
        self._gaps += 1
        target = self._memory["keep"] if "keep" in self._memory else self._lanes["keep"]
        target.put(lambda place: self._seal_gap(gap, place))
