"""A hostile world: real spools, real delivery, the real ledger, and a link that does all that links do.

Three devices count; power fails; messages are lost, doubled, late, out of order, cut short; a portal says 200; the clock
jumps by ten years; the collector dies before and after its commit. `lived` lives through so many steps, heals, and says how
far the books are from the truth, there and in five other orders of arrival.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.database import Database, open_database
from collector.receive import Post, commit, enter, prepare
from firmware.errors import DataError, StorageError
from firmware.events import Audit, LineSums, Window
from firmware.uplink.batch import Gap, Payload, kind_of, to_bytes
from firmware.uplink.delivery import Delivery, Outcome, Request
from firmware.uplink.envelope import Place, header_for, seal
from firmware.uplink.exchange import read_answer, write_answer, write_request
from firmware.uplink.fold import About, fold
from firmware.uplink.segment import LaneLimits, Missing
from firmware.uplink.spool import Spool, SpoolLimits
from firmware.uplink.stamp import Stamp, WallQuality
from tests.collector.devices import EPOCH_MS, OPENING, OPENINGS, Device, books
from tests.uplink.model_card import Inode, ModelFolder

DECADE_MS = 10 * 365 * 86_400_000
RECEIPT = Device("receipt").key
LIMITS = SpoolLimits(LaneLimits(64 * 1024, 64), LaneLimits(64 * 1024, 64), 0)
TABLES = ("line_window", "zone_window", "camera_window", "line_hour", "zone_hour", "camera_hour", "event", "anchor", "stamp")
EVERY = (*TABLES, "ledger", "stream", "boot", "place", "sealed", "gap", "conflict", "quarantine", "health")


class CountingDevice:
    """A device as the daemon composes it, on a model of a card, with the truth beside it."""

    def __init__(self, name: str, rng: random.Random) -> None:
        self.identity, self.rng = Device(name), rng
        self.folder = ModelFolder()
        self.boots, self.boot_ms, self.wall_jump_ms, self.windows = 0, 0, 0, 0
        self.pending: list[Window] = []
        self.unflushed: Counter[str] = Counter()
        self.truth: Counter[str] = Counter()
        self.sent: dict[bytes, None] = {}
        self.now_s = 0.0
        self.start()

    def start(self) -> None:
        self.boots += 1
        self.identity.boot = bytes([self.boots % 256] * 8)
        self.spool = Spool.open(self.folder, LIMITS, b"owner-of-16-byte", self.rng.randbytes, self.gap)
        self.delivery = Delivery(self.rng.random, self.now_s)

    def stamp(self) -> Stamp:
        wall_ms = max(0, EPOCH_MS + self.boot_ms + self.wall_jump_ms)
        return Stamp(self.identity.boot, self.boot_ms, wall_ms, WallQuality.NTP)

    def sealed(self, payload: Payload, place: Place) -> bytes:
        header = header_for(kind_of(payload), place, self.stamp(), OPENING.recipient(), self.identity.device)
        return seal(header, to_bytes(payload), OPENING.recipient(), self.identity.key)

    def gap(self, missing: Missing, place: Place) -> bytes:
        gap = Gap(clock=self.stamp(), stream=missing.stream, first=missing.first, last=missing.last, reason=missing.reason)
        return self.sealed(gap, place)

    def count(self) -> None:
        entries, exits = self.rng.randint(0, 5), self.rng.randint(0, 5)
        self.pending.append(Window(self.windows * 15_000, 15_000, (LineSums("entrance", entries, exits),), (), Audit(15_000)))
        self.unflushed.update(entries=entries, exits=exits, windows=1)
        self.windows += 1
        self.boot_ms += 15_000

    def flush(self) -> None:
        for batch in fold(About("shop", self.identity.name, "windows", b"", self.stamp()), self.pending, ()):
            self.spool.put("batches", lambda place, batch=batch: self.sealed(batch, place))
        self.spool.flush()
        self.truth.update(self.unflushed)
        self.pending, self.unflushed = [], Counter()

    def power_cut(self) -> None:
        """Nothing survives but what was synced."""
        card = ModelFolder()
        copies = {id(inode): Inode(bytearray(inode.durable), bytearray(inode.durable)) for inode in self.folder.durable_names.values()}
        card.durable_names = {name: copies[id(inode)] for name, inode in self.folder.durable_names.items()}
        card.cached_names = dict(card.durable_names)
        self.folder, self.pending, self.unflushed, self.boot_ms = card, [], Counter(), 0
        self.start()


class World:
    """Devices, link, collector."""

    def __init__(self, seed: int, url: str) -> None:
        self.rng, self.url = random.Random(seed), url
        self.database = fresh(url, [])
        self.devices = [CountingDevice(f"device-{index}", random.Random(seed * 10 + index)) for index in range(3)]
        for device in self.devices:
            device.identity.enrol(self.database)
        self.to_collector: list[tuple[CountingDevice, Request, bytes]] = []
        self.to_device: list[tuple[CountingDevice, Request, bytes, bytes]] = []
        self.now_s = 0.0
        self.seen: Counter[str] = Counter()

    def step(self) -> None:
        actions: list[tuple[int, Callable[[], None]]] = [
            (10, self.count), (4, self.flush), (24, self.send), (26, self.carry), (20, self.answer), (3, self.lose_request),
            (3, self.lose_answer), (2, self.double_request), (2, self.double_answer), (1, self.cut_request), (1, self.cut_answer),
            (1, self.portal), (1, self.jump), (1, self.pass_days),
        ]  # fmt: skip
        (action,) = self.rng.choices([action for _, action in actions], [weight for weight, _ in actions])
        if self.rng.random() < 0.002:
            action = self.rng.choice([self.power_cut, self.collector_dies_early, self.collector_dies_late])
        self.seen[action.__name__] += 1
        self.now_s += 0.5
        action()

    def device(self) -> CountingDevice:
        device = self.rng.choice(self.devices)
        device.now_s = self.now_s
        return device

    def count(self) -> None:
        self.device().count()

    def flush(self) -> None:
        self.device().flush()

    def power_cut(self) -> None:
        self.device().power_cut()

    def jump(self) -> None:
        self.device().wall_jump_ms = self.rng.randint(-DECADE_MS, DECADE_MS)

    def pass_days(self) -> None:
        self.now_s += self.rng.expovariate(1 / 3600.0)

    def send(self) -> None:
        device = self.device()
        request = device.delivery.compose(self.now_s, device.spool)
        if request is None:
            return
        for entry in request.entries:
            device.sent[entry.envelope] = None
        self.to_collector.append((device, request, write_request([entry.envelope for entry in request.entries])))
        device.delivery.failed(self.now_s, request, Outcome.UNREACHABLE)  # whatever comes later comes late

    def carry(self) -> None:
        if self.to_collector:
            self.receive(*self.to_collector.pop(self.rng.randrange(len(self.to_collector))))

    def receive(self, device: CountingDevice, request: Request, body: bytes, *, answered: bool = True) -> None:
        key = device.identity.key.public_key()
        try:
            (answer,) = commit(self.database, [prepare(device.identity.device, body, key, OPENINGS)], EPOCH_MS + int(self.now_s * 1000))
        except DataError:
            device.delivery.failed(self.now_s, request, Outcome.REJECTED)
            return
        if answered:
            self.to_device.append((device, request, body, write_answer(answer, RECEIPT)))

    def answer(self) -> None:
        if self.to_device:
            self.believe(*self.to_device.pop(self.rng.randrange(len(self.to_device))))

    def believe(self, device: CountingDevice, request: Request, body: bytes, said: bytes) -> None:
        try:
            answer = read_answer(said, RECEIPT.public_key(), body, device.identity.device)
        except DataError:
            device.delivery.failed(self.now_s, request, Outcome.UNTRUSTED)
            return
        assert not answer.refused
        assert not answer.conflicts
        for part in answer.acknowledged:
            device.spool.acknowledge(part.stream, part.through, part.sparse)
        device.delivery.answered(self.now_s, request, answer)

    def lose_request(self) -> None:
        if self.to_collector:
            self.to_collector.pop(self.rng.randrange(len(self.to_collector)))

    def lose_answer(self) -> None:
        if self.to_device:
            self.to_device.pop(self.rng.randrange(len(self.to_device)))

    def double_request(self) -> None:
        if self.to_collector:
            self.to_collector.append(self.rng.choice(self.to_collector))

    def double_answer(self) -> None:
        if self.to_device:
            self.to_device.append(self.rng.choice(self.to_device))

    def cut_request(self) -> None:
        if self.to_collector:
            device, request, body = self.rng.choice(self.to_collector)
            self.receive(device, request, body[: self.rng.randrange(len(body))])

    def cut_answer(self) -> None:
        if self.to_device:
            device, request, body, said = self.rng.choice(self.to_device)
            self.believe(device, request, body, said[: self.rng.randrange(len(said))])

    def portal(self) -> None:
        if self.to_collector:
            device, request, body = self.to_collector.pop()
            self.believe(device, request, body, b"<html><body>Welcome to our free WiFi</body></html>" * 4)

    def collector_dies_early(self) -> None:
        """Before its commit: nothing of the request is there."""
        if not self.to_collector:
            return
        device, _, body = self.to_collector.pop()
        prepared = prepare(device.identity.device, body, device.identity.key.public_key(), OPENINGS)
        with contextlib.suppress(StorageError):
            die_before_commit(self.database, prepared, int(self.now_s))
        self.restart()

    def collector_dies_late(self) -> None:
        """After its commit, before the answer is out."""
        if self.to_collector:
            self.receive(*self.to_collector.pop(), answered=False)
        self.restart()

    def restart(self) -> None:
        self.database.close()
        self.database = open_database(self.url)

    def heal(self) -> None:
        """The faults end: everything still waiting is delivered."""
        for device in self.devices:
            device.flush()
            for _ in range(10_000):
                self.now_s += 4000.0
                device.now_s = self.now_s
                request = device.delivery.compose(self.now_s, device.spool)
                if request is None:
                    break
                for entry in request.entries:
                    device.sent[entry.envelope] = None
                self.receive(device, request, write_request([entry.envelope for entry in request.entries]))
                self.answer()
            assert device.spool.health().spooled == 0


def die_before_commit(database: Database, prepared: Post, now_ms: int) -> None:
    """Everything entered, nothing committed."""
    with database.transaction():
        enter(database, [prepared], now_ms)
        raise StorageError("the collector dies")


def fresh(url: str, devices: list[CountingDevice]) -> Database:
    """The database, emptied."""
    database = open_database(url)
    with database.transaction():
        for table in (*EVERY, "device"):
            database.run(f"DELETE FROM {table}")
    for device in devices:
        device.identity.enrol(database)
    return database


def counted(database: Database) -> dict[str, Counter[str]]:
    rows = database.rows(
        "SELECT place.camera, sum(entries), sum(exits), sum(parts) FROM line_window JOIN place ON place.place = line_window.place "
        "GROUP BY place.camera"
    )
    return {camera: Counter(entries=int(entries), exits=int(exits), windows=int(parts)) for camera, entries, exits, parts in rows}


@dataclass
class Lived:
    """What came of a life: equal books are `right`, and `orders` counts the other orders, engine by engine, whose books are the same."""

    steps: int
    right: bool
    conflicts: int
    orders: int
    seen: Counter[str]


def lived(seed: int, steps: int, folder: Path, elsewhere: Sequence[str], orders: int = 5) -> Lived:
    """So many steps on SQLite in `folder`; then the same envelopes anew in other orders, there and in the databases `elsewhere`."""
    world = World(seed, str(folder / "books.db"))
    for _ in range(steps):
        world.step()
    world.heal()
    right = counted(world.database) == {device.identity.name: device.truth for device in world.devices}
    conflicts = int(world.database.rows("SELECT count(*) FROM conflict")[0][0])
    reference = books(world.database)
    world.database.close()
    sent = [(device, envelope) for device in world.devices for envelope in device.sent]
    same = 0
    for order in range(orders):
        random.Random(order).shuffle(sent)
        posts = [
            prepare(device.identity.device, write_request([envelope]), device.identity.key.public_key(), OPENINGS)
            for device, envelope in sent
        ]
        for url in (str(folder / "again.db"), *elsewhere):
            database = fresh(url, world.devices)
            for start in range(0, len(posts), 64):
                commit(database, posts[start : start + 64], EPOCH_MS)
            same += books(database) == reference
            database.close()
    return Lived(steps, right, conflicts, same, world.seen)
