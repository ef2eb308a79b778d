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
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware.errors import StorageError
from firmware.uplink.envelope import GENESIS, Place, chain_hash
from firmware.uplink.segment import LaneLimits, LaneName, Missing
from firmware.uplink.spool import Spool, SpoolLimits
from tests.uplink.model_card import EVERYTHING, SECTOR, ModelFolder, rot
from tests.uplink.segments import remembered_readings

SEGMENT = 8 * SECTOR  # seven sectors of records: rotation, eviction and tails are all near
LIMITS = SpoolLimits(LaneLimits(SEGMENT, 3), LaneLimits(SEGMENT, 4), 0)
OWNER = b"owner-of-16-byte"
ONCE = ("none", "all", "kill")  # one state each of an operation; of the others there are many
DRAWN = ("subset", "garbage", "garbage", "reordered")


class PowerCutError(Exception):
    """The power went, in the middle of a recovery."""


class Violation(AssertionError):  # noqa: N818  # it is one, not an error of ours
    """An invariant did not hold."""


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
