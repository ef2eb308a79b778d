"""Power cuts, modelled: a folder in memory that knows what is durable, and every state in which a power cut can leave it.

The workload runs once; before each of its operations `Model` takes crash images of the folder and recovers a spool from
each (so the cost is one recovery a state). What a cut may do (docs/spool-v1.md, section 5): each 512-byte sector that was
written and not synced is old, new or garbage; folder changes that were not synced are lost as a tail, or as any subset;
a process may also die without a cut, its unsynced pages alive, and the cut come later, in the middle of a recovery.
Invariants (numbered as in `check`): 1 nothing confirmed is lost without a gap, 2 nothing foreign appears, 3 no number is used
twice, 4 the next put works, 5 recovering a recovery changes nothing, 6 no cut leaves a segment that is none.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from firmware.errors import DataError, StorageError
from firmware.uplink import lane
from firmware.uplink.envelope import GENESIS, Place, chain_hash
from firmware.uplink.ports import NoRoomError
from firmware.uplink.segment import LaneLimits, LaneName, Missing
from firmware.uplink.spool import Spool, SpoolLimits
from firmware.uplink.spool_format import SegmentReading

SECTOR = 512
SEGMENT = 8 * SECTOR  # seven sectors of records: rotation, eviction and tails are all near
LIMITS = SpoolLimits(LaneLimits(SEGMENT, 3), LaneLimits(SEGMENT, 4), 0)
OWNER = b"owner-of-16-byte"
EVERYTHING = 1 << 30
ONCE = ("none", "all", "kill")  # one state each of an operation; of the others there are many
DRAWN = ("subset", "garbage", "garbage", "reordered")


class PowerCutError(Exception):
    """The power went, in the middle of a recovery."""


class Violation(AssertionError):  # noqa: N818  # it is one, not an error of ours
    """An invariant did not hold."""


@dataclass(slots=True)
class Inode:
    """A file's bytes: on the card, as the process sees them, and the sectors in which these differ."""

    durable: bytearray = field(default_factory=bytearray)
    cached: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)

    def copy(self) -> Inode:
        return Inode(bytearray(self.durable), bytearray(self.cached), set(self.dirty))


class ModelFile:
    """An open file."""

    def __init__(self, folder: ModelFolder, inode: Inode) -> None:
        self._folder = folder
        self._inode = inode

    def write_at(self, offset: int, body: bytes) -> None:
        inode, end = self._inode, offset + len(body)
        self._folder.operation("write", grows=end > len(inode.cached))
        if len(inode.cached) < end:
            inode.cached.extend(bytes(end - len(inode.cached)))
        inode.cached[offset:end] = body
        inode.dirty.update(range(offset // SECTOR, -(-end // SECTOR)))

    def sync(self) -> None:
        inode = self._inode
        try:
            self._folder.operation("sync")
        except StorageError:
            inode.dirty.clear()  # the kernel calls the pages clean: a second sync would succeed and prove nothing
            raise
        if not self._folder.lies:
            inode.durable[len(inode.cached) :] = bytes(max(0, len(inode.cached) - len(inode.durable)))
            for sector in inode.dirty:
                inode.durable[sector * SECTOR : (sector + 1) * SECTOR] = inode.cached[sector * SECTOR : (sector + 1) * SECTOR]
        inode.dirty.clear()

    def forget(self) -> None:
        inode = self._inode
        kept = {sector: bytes(inode.cached[sector * SECTOR : (sector + 1) * SECTOR]) for sector in inode.dirty}
        inode.cached[:] = inode.durable
        for sector, content in kept.items():
            inode.cached[sector * SECTOR : sector * SECTOR + len(content)] = content

    def close(self) -> None:
        pass


class ModelFolder:
    """The port `Folder`, in memory. `before` is called before every operation that changes something."""

    def __init__(self) -> None:
        self.durable_names: dict[str, Inode] = {}
        self.cached_names: dict[str, Inode] = {}
        self.changes: list[tuple[str, str, Inode | None]] = []  # a name that goes, a name that comes, what it names
        self.before: Callable[[], None] | None = None
        self.faults: dict[int, StorageError] = {}  # by number of operation
        self.broken: StorageError | None = None  # every operation, from now on
        self.free = EVERYTHING
        self.lies = False  # sync promises and does nothing
        self.operations = 0

    def operation(self, what: str, *, grows: bool = False) -> None:
        """One operation that changes something is about to happen, or to fail."""
        if self.before is not None:
            self.before()
        self.operations += 1
        fault = self.broken or self.faults.get(self.operations)
        if fault is not None:
            raise fault
        if grows and self.free <= 0:
            raise NoRoomError(f"{what}: no room")

    def names(self) -> list[str]:
        return list(self.cached_names)

    def read(self, name: str, offset: int, length: int) -> bytes:
        if name not in self.cached_names:
            raise StorageError(f"{name}: no such file")
        return bytes(memoryview(self.cached_names[name].cached)[offset : offset + length])

    def bytes_free(self) -> int:
        return self.free

    def open(self, name: str) -> ModelFile:
        if name not in self.cached_names:
            self.operation("create")
            self.cached_names[name] = Inode()
            self.changes.append(("", name, self.cached_names[name]))
        return ModelFile(self, self.cached_names[name])

    def rename(self, old: str, new: str) -> None:
        if old not in self.cached_names:
            raise StorageError(f"{old}: no such file")
        self.operation("rename")
        self.cached_names[new] = self.cached_names.pop(old)
        self.changes.append((old, new, self.cached_names[new]))

    def remove(self, name: str) -> None:
        self.operation("remove")
        if self.cached_names.pop(name, None) is not None:
            self.changes.append((name, "", None))

    def sync(self) -> None:
        self.operation("sync folder")
        if not self.lies:
            self.durable_names = dict(self.cached_names)
            self.changes.clear()

    # What a power cut, or the death of the process alone, leaves

    def after_cut(self, rng: random.Random, mode: str) -> ModelFolder:
        """One folder that a power cut now may leave; `mode` is none, all, subset, garbage, reordered or rot."""
        image = ModelFolder()
        kept = self.changes
        if mode == "none":
            kept = []
        elif mode == "reordered":
            kept = [change for change in self.changes if rng.random() < 0.5]
        elif mode != "all":
            kept = self.changes[: rng.randrange(len(self.changes) + 1)]
        names = dict(self.durable_names)
        for goes, comes, inode in kept:
            names.pop(goes, None)
            if inode is not None:
                names[comes] = inode
        strangers = list(names.values())
        for name, inode in names.items():
            content = _content_after_cut(inode, rng, mode, strangers)
            image.durable_names[name] = Inode(content, bytearray(content))
        image.cached_names = dict(image.durable_names)
        return image

    def after_kill(self) -> ModelFolder:
        """The folder as the next process finds it when only the process died: nothing lost, nothing more durable."""
        image, copies = ModelFolder(), {}
        for inode in (*self.durable_names.values(), *self.cached_names.values(), *(inode for _, _, inode in self.changes)):
            if inode is not None:
                copies.setdefault(id(inode), inode.copy())
        image.durable_names = {name: copies[id(inode)] for name, inode in self.durable_names.items()}
        image.cached_names = {name: copies[id(inode)] for name, inode in self.cached_names.items()}
        image.changes = [(goes, comes, copies.get(id(inode))) for goes, comes, inode in self.changes]
        return image


def _content_after_cut(inode: Inode, rng: random.Random, mode: str, strangers: list[Inode]) -> bytearray:
    if not inode.dirty or mode == "none":
        content = bytearray(inode.durable)
    elif mode == "all":
        content = bytearray(inode.cached)
    else:
        content = bytearray(inode.durable)
        if len(inode.cached) > len(content) and rng.random() < 0.5:
            content.extend(bytes(len(inode.cached) - len(content)))
        for sector in inode.dirty:
            start, end = sector * SECTOR, min((sector + 1) * SECTOR, len(content))
            lot = rng.random()
            if start < end and lot < 0.5:
                content[start:end] = inode.cached[start:end]
            elif start < end and mode == "garbage" and lot < 0.8:
                content[start:end] = (_stale(inode, strangers, rng) or rng.randbytes(SECTOR))[: end - start].ljust(end - start, b"\0")
    return content


def _stale(inode: Inode, strangers: list[Inode], rng: random.Random) -> bytes:
    """Most garbage was a sector once: of this file in another place, or of another in this one."""
    source = rng.choice((None, inode, inode, *strangers))
    if source is None or len(source.cached) < 2 * SECTOR:
        return b""
    sector = rng.randrange(len(source.cached.rstrip(b"\0")) // SECTOR + 1)
    return bytes(source.cached[sector * SECTOR : (sector + 1) * SECTOR])


def rot(folder: ModelFolder, rng: random.Random) -> str:
    """What age does to a file, also to what was durable: a bit turns, a sector is garbage, the file is cut short or wiped."""
    name = rng.choice(sorted(folder.cached_names))
    inode = folder.cached_names[name]
    if not inode.cached:
        return "nothing"
    used = max(1, len(inode.cached[:-SECTOR].rstrip(b"\0")))
    at = rng.randrange(min(used + 8, len(inode.cached))) if rng.random() < 0.9 else rng.randrange(len(inode.cached))
    start = at // SECTOR * SECTOR
    lot = rng.random()
    if lot < 0.55:
        inode.cached[at] ^= 1 << rng.randrange(8)
    elif lot < 0.75:
        inode.cached[start : start + SECTOR] = rng.randbytes(min(SECTOR, len(inode.cached) - start))
    elif lot < 0.8:
        del inode.cached[max(start, SECTOR) :]
    else:  # the newest of its lane: the others say where numbering stood
        inode = folder.cached_names[max(each for each in folder.cached_names if each[:4] == name[:4])]
        inode.cached[:] = bytes(len(inode.cached)) if rng.random() < 0.5 else b""
    inode.durable[:] = inode.cached
    inode.dirty.clear()
    return "rotten" if lot < 0.8 else "wiped"


@dataclass(slots=True)
class Truth:
    """What the world outside the card knows."""

    sealed: dict[tuple[bytes, int], set[bytes]] = field(default_factory=dict)
    confirmed: dict[tuple[bytes, int], bytes] = field(default_factory=dict)  # flush returned: must not be lost, nor its number reused
    acknowledged: set[tuple[bytes, int]] = field(default_factory=set)
    serial: int = 0

    def copy(self) -> Truth:
        return Truth({k: set(v) for k, v in self.sealed.items()}, dict(self.confirmed), set(self.acknowledged), self.serial)


class Sealer:
    """Seals for the model: no cryptography, every envelope unlike every other, gaps readable."""

    def __init__(self, truth: Truth, log: list[tuple[Place, bytes]]) -> None:
        self.truth = truth
        self.log = log  # what was sealed since a recovery began; `truth` is shared by many recoveries and stays

    def seal(self, size: int) -> Callable[[Place], bytes]:
        def sealed(place: Place) -> bytes:
            self.truth.serial += 1
            return self._note(place, b"E" + self.truth.serial.to_bytes(8, "big") * (size // 8))

        return sealed

    def gap(self, missing: Missing, place: Place) -> bytes:
        self.truth.serial += 1
        body = b"G" + missing.stream + missing.first.to_bytes(8, "big") + missing.last.to_bytes(8, "big")
        return self._note(place, body + missing.reason.encode().ljust(8) + self.truth.serial.to_bytes(8, "big"))

    def _note(self, place: Place, envelope: bytes) -> bytes:
        self.log.append((place, envelope))
        return envelope


def gap_of(envelope: bytes) -> tuple[bytes, int, int] | None:
    """Stream, first and last of a gap envelope."""
    if envelope[:1] != b"G":
        return None
    return envelope[1:9], int.from_bytes(envelope[9:17], "big"), int.from_bytes(envelope[17:25], "big")


class Randomness:
    """A generator for streams and salts that never repeats between recoveries of one model."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def __call__(self, count: int) -> bytes:
        return self._rng.randbytes(count)


@contextmanager
def remembered_readings() -> Iterator[None]:
    """`read_segment` is a function of its bytes, and the same segments stand in thousands of states: remember them."""
    readings: dict[bytes, SegmentReading | None] = {}
    read = lane.read_segment

    def remember(segment: bytes) -> SegmentReading:
        if segment not in readings:
            if len(readings) > 4096:
                readings.clear()
            try:
                readings[segment] = read(segment)
            except DataError:
                readings[segment] = None
        known = readings[segment]
        if known is None:
            raise DataError("no header")
        return SegmentReading(known.header, known.envelopes, known.settled, known.end)

    lane.read_segment = remember
    try:
        yield
    finally:
        lane.read_segment = read


def offered(spool: Spool) -> dict[tuple[bytes, int], bytes]:
    """All that the spool would send."""
    return {(each.stream, each.seq): each.envelope for each in spool.oldest(EVERYTHING, ())}


class Model:
    """A workload over the model folder, and the checks before each of its operations."""

    def __init__(self, seed: int, states_per_operation: int, *, lies: bool = False, rot_share: float = 0.1) -> None:
        self.rng = random.Random(seed)
        self.random_bytes = Randomness(seed + 1)
        self.folder = ModelFolder()
        self.folder.before = self._before
        self.folder.lies = lies
        self.truth = Truth()
        self.states = 0
        self.tally: dict[str, int] = {}
        self._states_per_operation = states_per_operation
        self._rot_share = rot_share
        self._log: list[tuple[Place, bytes]] = []
        self._puts: list[tuple[bytes, int]] = []
        self._sealer = Sealer(self.truth, self._log)
        self.spool = Spool.open(self.folder, LIMITS, OWNER, self.random_bytes, self._sealer.gap)
        self._note_sealed()

    def run(self, steps: int) -> None:
        """A random life: puts, flushes, acknowledgements in and out of order, restarts, kills, faults of the card."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        match self.rng.choices(range(7), (40, 25, 14, 3, 3, 3, 1))[0]:
            case 0:
                name: LaneName = "keep" if self.rng.random() < 0.2 else "batches"
                place = self.spool.put(name, self._sealer.seal(self.rng.choice((40, 200, 480, 488, 500, 900, 1500))))
                self._puts.append((place.stream, place.seq))
            case 1:
                self._flush()
            case 2:
                self._acknowledge()
            case 3:
                self.spool.close()
                self._confirm()
                self._reopen()
            case 4:
                self._reopen()  # killed: what waited is gone, what was written and not synced is still seen
            case 5:
                self.folder.faults[self.folder.operations + self.rng.randrange(1, 6)] = StorageError("EIO")
            case _:
                self.spool.renew(self.rng.choice(("batches", "keep")))
                self._confirm()
        self._note_sealed()

    def _flush(self) -> None:
        self.spool.flush()
        self._check_flushed()
        self._confirm()

    def _check_flushed(self) -> None:
        """Flush returned: all that was put is there, or was pushed out by what is newer, and a gap says so."""
        found = offered(self.spool)
        gaps = [gap for envelope in found.values() if (gap := gap_of(envelope))]
        for key in self._puts if self.spool.health().storage == "durable" else ():
            explained = any(stream == key[0] and first <= key[1] <= last for stream, first, last in gaps)
            if key not in found and key not in self.truth.acknowledged and not explained:
                raise Violation(f"1: flush returned, and {key} is not there")
        self._puts.clear()

    def _confirm(self) -> None:
        """Whatever is offered may have been sent: its number is taken. If the card is well, it is durable too."""
        self._note_sealed()
        if self.spool.health().storage == "durable":
            self.truth.confirmed.update(offered(self.spool))
        else:
            self._settle_volatile()

    def _settle_volatile(self) -> None:
        """The card failed twice: begin anew with an empty truth, as a device with a new card would."""
        self._reopen()

    def _reopen(self) -> None:
        self._note_sealed()
        self._puts.clear()
        self.spool = Spool.open(self.folder, LIMITS, OWNER, self.random_bytes, self._sealer.gap)
        self._confirm()

    def _acknowledge(self) -> None:
        waiting = sorted(offered(self.spool))
        if not waiting:
            return
        stream = self.rng.choice(waiting)[0]
        mine = [seq for each, seq in waiting if each == stream]
        if self.rng.random() < 0.6:
            through = self.rng.choice(mine)
            self.truth.acknowledged.update((stream, seq) for seq in mine if seq <= through)
            self._acknowledged(stream, through + self.rng.choice((0, 0, 0, 3)) * (through == mine[-1]), ())  # a collector may be wrong
        else:
            sparse = self.rng.sample(mine, self.rng.randrange(1, len(mine) + 1))
            self.truth.acknowledged.update((stream, seq) for seq in sparse)
            self._acknowledged(stream, None, tuple(sparse))

    def _acknowledged(self, stream: bytes, through: int | None, sparse: tuple[int, ...]) -> None:
        self.spool.acknowledge(stream, through, sparse)

    def _note_sealed(self) -> None:
        for place, envelope in self._log:
            self._check_place(place, self.truth.confirmed)
            self.truth.sealed.setdefault((place.stream, place.seq), set()).add(envelope)
        self._log.clear()

    # States

    def _before(self) -> None:
        """Crash images of this moment."""
        sealed_now = {(place.stream, place.seq): envelope for place, envelope in self._log}
        for index in range(self._states_per_operation):
            self._state(sealed_now, ONCE[index] if index < len(ONCE) else self.rng.choice(DRAWN))

    def _state(self, sealed_now: dict[tuple[bytes, int], bytes], mode: str) -> None:
        rng = self.rng
        self.states += 1
        self.tally[mode] = self.tally.get(mode, 0) + 1
        check = Check(self, sealed_now)
        image = self.folder.after_kill() if mode == "kill" else self.folder.after_cut(rng, mode)
        cuts = sum(rng.random() < 0.1 for _ in range(3))
        rots_at = rng.randrange(cuts + 1) if rng.random() < self._rot_share else -1
        for cut in range(cuts + 1):
            if cut == rots_at and image.cached_names:
                check.damage = rot(image, rng)
                self.tally[check.damage] = self.tally.get(check.damage, 0) + 1
            if cut < cuts:
                self.tally["cut short"] = self.tally.get("cut short", 0) + 1
                image = check.cut_short(image, rng.choice(("none", "subset", "garbage", "reordered", "kill")))
        check.whole(image)

    def _check_place(self, place: Place, taken: dict[tuple[bytes, int], bytes]) -> None:
        if (place.stream, place.seq) in taken:
            raise Violation(f"3: number {place.seq} of {place.stream.hex()} is used twice")
        before = taken.get((place.stream, place.seq - 1))
        if before is not None and place.prev != chain_hash(before):
            raise Violation(f"3: number {place.seq} does not name the one before")
        if place.seq == 0 and place.prev != GENESIS:
            raise Violation("3: the first of a stream names one before")


class Check:
    """One state: recover it (perhaps cut short a few times before), and hold it against the truth."""

    def __init__(self, model: Model, sealed_now: dict[tuple[bytes, int], bytes]) -> None:
        self._model = model
        self._truth = model.truth
        self._sealed_now = sealed_now
        self._taken: dict[tuple[bytes, int], bytes] = {}  # confirmed by recoveries of this state
        self._known: dict[tuple[bytes, int], set[bytes]] = {}
        self._acknowledged: set[tuple[bytes, int]] = set()
        self.damage = ""

    def cut_short(self, image: ModelFolder, mode: str) -> ModelFolder:
        """Recover, put, flush; the power goes before a random operation of that. Returns what is left."""
        rng = self._model.rng
        cut_at = rng.randrange(1, 12)

        def count() -> None:
            if image.operations >= cut_at:
                raise PowerCutError

        image.before = count
        try:
            spool, sealer = self._open(image)
            self._confirm(spool)
            for _ in range(2):
                spool.put("batches", sealer.seal(480))
                spool.flush()
                self._note(sealer)
                self._confirm(spool)
        except PowerCutError:
            pass
        self._note(self._sealer)
        image.before = None
        return image.after_kill() if mode == "kill" else image.after_cut(rng, mode)

    def whole(self, image: ModelFolder) -> None:
        """Recover, check all five."""
        spool, sealer = self._open(image)
        found = offered(spool)
        self._note(sealer)
        if spool.health().storage != "durable":
            raise Violation(f"4: volatile on a healthy card: {spool.health().last_error}")
        if spool.health().segments_bad and not self.damage:
            raise Violation("6: a power cut left half a segment")
        self._check_kept(found)
        self._check_known(found)
        again, sealer = self._open(image)
        if offered(again) != found or sealer.log:
            raise Violation("5: a second recovery finds something else")
        places = [again.put(name, sealer.seal(200)) for name in ("batches", "keep")]
        self._note(sealer)
        again.flush()
        after = offered(again)
        for place in places:
            self._model._check_place(place, self._truth.confirmed | found if place.seq else found)
            if (place.stream, place.seq) not in after or (place.stream, place.seq) in found:
                raise Violation(f"4: a put after recovery is not kept: {place}")

    def _open(self, image: ModelFolder) -> tuple[Spool, Sealer]:
        self._sealer = Sealer(self._truth, [])
        spool = Spool.open(image, LIMITS, OWNER, self._model.random_bytes, self._sealer.gap)
        self._note(self._sealer)
        return spool, self._sealer

    def _note(self, sealer: Sealer) -> None:
        for place, envelope in sealer.log:
            self._model._check_place(place, self._truth.confirmed)
            self._model._check_place(place, self._taken)
            self._known.setdefault((place.stream, place.seq), set()).add(envelope)
        sealer.log.clear()

    def _confirm(self, spool: Spool) -> None:
        if spool.health().storage == "durable":
            self._taken |= offered(spool)

    def _check_kept(self, found: dict[tuple[bytes, int], bytes]) -> None:
        gaps = [
            gap
            for envelope in (*found.values(), *(e for k, e in self._truth.confirmed.items() if k in self._truth.acknowledged))
            if (gap := gap_of(envelope))
        ]
        for confirmed in (self._truth.confirmed, self._taken):
            for key, envelope in confirmed.items():
                if found.get(key) == envelope or key in self._truth.acknowledged:
                    continue
                if key in found:
                    raise Violation(f"2: other bytes under {key}")
                if not any(stream == key[0] and first <= key[1] <= last for stream, first, last in gaps):
                    if self.damage == "wiped" or (self.damage and any(gap_of(envelope) for envelope in found.values())):
                        continue  # what explained it may be what the rot took: then a gap explains the gap
                    raise Violation(f"1: {key} is lost without a word")

    def _check_known(self, found: dict[tuple[bytes, int], bytes]) -> None:
        for key, envelope in found.items():
            known = self._truth.sealed.get(key, set()) | self._known.get(key, set()) | {self._sealed_now.get(key, b"")}
            if envelope not in known:
                raise Violation(f"2: {key} was never sealed with these bytes")


def run_model(seed: int, states: int, *, lies: bool = False) -> dict[str, int]:
    """Lives of 40 steps until at least so many states were checked; how many there were, in all and of each mode.

    Raises:
        Violation: an invariant did not hold.
    """
    tally: dict[str, int] = {"states": 0}
    while tally["states"] < states:
        with remembered_readings():
            model = Model(seed, 12, lies=lies)
            model.run(40)
        seed += 1000
        tally["states"] += model.states
        for mode, count in model.tally.items():
            tally[mode] = tally.get(mode, 0) + count
    return tally


def turn_bits(flips: int, seed: int) -> dict[str, int]:
    """Turn one bit of a spool and start it, so many times: `silent` losses or wrong bytes, and the `worst` loss of one bit."""
    rng, folder, random_bytes = random.Random(seed), ModelFolder(), Randomness(seed)
    sealer = Sealer(Truth(), [])
    limits = SpoolLimits(LaneLimits(16 * SECTOR, 4), LaneLimits(16 * SECTOR, 4), 0)
    spool = Spool.open(folder, limits, OWNER, random_bytes, sealer.gap)
    for _ in range(20):
        spool.put("batches", sealer.seal(480))
        spool.flush()
    spool.close()
    whole, tally = offered(spool), {"flips": flips, "silent": 0, "worst": 0}
    with remembered_readings():
        for _ in range(flips):
            image = folder.after_kill()
            inode = image.cached_names[rng.choice([name for name in image.names() if name.startswith("batches")])]
            inode.cached[rng.randrange(len(inode.cached))] ^= 1 << rng.randrange(8)
            inode.durable[:] = inode.cached
            again = Spool.open(image, limits, OWNER, random_bytes, sealer.gap)
            found = offered(again)
            gaps = [gap for envelope in found.values() if (gap := gap_of(envelope))]
            lost = [key for key in whole if found.get(key) != whole[key]]
            silent = [key for key in lost if key in found or not any(each == key[0] and low <= key[1] <= high for each, low, high in gaps)]
            tally["silent"] += len(silent) + (again.health().storage != "durable")
            tally["worst"] = max(tally["worst"], len(lost))
    return tally
