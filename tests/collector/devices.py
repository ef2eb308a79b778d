"""Devices for the collector's tests: real keys, real envelopes, a truth to compare with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.database import Database
from firmware.events import HISTOGRAM_CELLS, Audit, Event, LineCrossed, LineSums, Window, ZoneSums
from firmware.uplink.batch import Anchor, Batch, Gap, Payload, kind_of, to_bytes
from firmware.uplink.envelope import GENESIS, Place, chain_hash, device_id, header_for, seal
from firmware.uplink.recipient import OpeningKey
from firmware.uplink.stamp import Stamp, WallQuality

OPENING = OpeningKey.from_private_bytes(1, hashlib.sha256(b"opening").digest())
OPENINGS = {OPENING.key_id: OPENING}
EPOCH_MS = 1_800_000_000_000
BOOT = b"boot-one"


@dataclass
class Device:
    """A device that numbers, seals and signs as the real one does."""

    name: str
    boot: bytes = BOOT
    stream: bytes = b"stream-1"
    quality: WallQuality = WallQuality.NTP
    key: Ed25519PrivateKey = field(init=False)
    seq: int = 0
    prev: bytes = GENESIS

    def __post_init__(self) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.name.encode()).digest())

    @property
    def device(self) -> bytes:
        return device_id(self.key.public_key())

    def enrol(self, database: Database) -> None:
        with database.transaction():
            public = self.key.public_key().public_bytes_raw()
            database.run("INSERT INTO device (device, name, public) VALUES (?, ?, ?)", (self.device, self.name, public))

    def stamp(self, boot_ms: int) -> Stamp:
        return Stamp(self.boot, boot_ms, EPOCH_MS + boot_ms, self.quality)

    def sealed(self, payload: Payload, boot_ms: int) -> bytes:
        header = header_for(
            kind_of(payload), Place(self.stream, self.seq, self.prev), self.stamp(boot_ms), OPENING.recipient(), self.device
        )
        envelope = seal(header, to_bytes(payload), OPENING.recipient(), self.key)
        self.seq, self.prev = self.seq + 1, chain_hash(envelope)
        return envelope

    def batch(self, *windows: Window, events: tuple[Event, ...] = (), site: str = "shop") -> bytes:
        boot_ms = max([window.start_ms + window.length_ms for window in windows], default=0)
        payload = Batch(site=site, camera="door", disclosure="events", model=b"", clock=self.stamp(boot_ms), windows=windows, events=events)
        return self.sealed(payload, boot_ms)

    def anchor(self, boot_ms: int) -> bytes:
        return self.sealed(Anchor(reason="ntp", clock=self.stamp(boot_ms), error_ms=10), boot_ms)

    def gap(self, stream: bytes, first: int, last: int, boot_ms: int = 0) -> bytes:
        return self.sealed(Gap(clock=self.stamp(boot_ms), stream=stream, first=first, last=last, reason="evicted"), boot_ms)


def window(index: int, entries: int = 1, dwell_people: int = 0, blind_ms: int = 0) -> Window:
    histogram = (dwell_people, *([0] * (HISTOGRAM_CELLS - 1)))
    zone = ZoneSums("till", "queue", entries=entries, occupancy_max=entries, dwell_ms=1500 * dwell_people, dwell_histogram=histogram)
    return Window(index * 15_000, 15_000, (LineSums("entrance", entries, 2 * entries),), (zone,), Audit(15_000 - blind_ms, blind_ms))


def crossing(t_ms: int) -> LineCrossed:
    return LineCrossed("entrance", t_ms, "in", "settled", confidence_permille=900, pseudonym=b"12345678")


def books(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything that counts, in a canonical order: equal books are equal."""
    dump = {}
    for table in ("line_window", "zone_window", "camera_window", "line_hour", "zone_hour", "camera_hour"):
        dump[table] = sorted(tuple(row) for row in database.rows(f"SELECT * FROM {table}"))
    dump["event"] = sorted(tuple(row) for row in database.rows("SELECT t_ms, said FROM event"))
    for table in ("anchor", "stamp"):
        dump[table] = sorted(tuple(row) for row in database.rows(f"SELECT * FROM {table}"))
    return dump
