"""Opened payloads into integer sums. Rows of equal key add up, so that the books are a function of the *set* of envelopes.

All functions run inside the caller's transaction, together with the ledger row that says the envelope was new; that is
what makes each count exactly once. Ids of places and boots are hashes of what they stand for: no counter to agree on,
the same on every engine and in any order of arrival.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from collector.database import Database
from collector.ledger import note_gap
from firmware.events import HISTOGRAM_CELLS, Audit, LineCrossed, LineSums, Window, ZoneSums
from firmware.uplink.batch import Anchor, Batch, Gap, Health, HourRollUp, Payload
from firmware.uplink.envelope import Header
from firmware.uplink.stamp import Stamp

_KEY: Final = ("place", "boot", "start_ms", "length_ms")
_MAXIMA: Final = frozenset({"occupancy_max", "wait_max_ms"})
_LABELS: Final = frozenset({"name", "kind"})
_HISTOGRAMS: Final = {"dwell_histogram": "dwell", "wait_histogram": "wait"}
HOUR_MS: Final = 3_600_000


def columns_of(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The columns of a struct of sums, in order: a histogram becomes one column a cell."""
    names: list[str] = []
    for field in kind.__struct_fields__:
        if field in _HISTOGRAMS:
            names += [f"{_HISTOGRAMS[field]}_{cell}" for cell in range(HISTOGRAM_CELLS)]
        elif field not in _LABELS:
            names.append(field)
    return tuple(names)


def _cuts(kind: type[msgspec.Struct]) -> tuple[slice | int, ...]:
    """Where the columns of `columns_of` stand in the struct as a tuple: runs of numbers, and the places of histograms."""
    cuts: list[slice | int] = []
    for index, field in enumerate(kind.__struct_fields__):
        before = cuts[-1] if cuts else None
        if field in _HISTOGRAMS:
            cuts.append(index)
        elif field not in _LABELS and isinstance(before, slice) and before.stop == index:
            cuts[-1] = slice(before.start, index + 1)
        elif field not in _LABELS:
            cuts.append(slice(index, index + 1))
    return tuple(cuts)


_CUTS: Final[dict[type, tuple[slice | int, ...]]] = {kind: _cuts(kind) for kind in (LineSums, ZoneSums, Audit)}
LINE_COLUMNS: Final = columns_of(LineSums)
ZONE_COLUMNS: Final = columns_of(ZoneSums)
CAMERA_COLUMNS: Final = columns_of(Audit)


class Adding(msgspec.Struct, frozen=True):
    """A statement whose rows add to what is there under their key, and how: `joins` has one function for each column after the key."""

    sql: str
    key: int
    joins: tuple[Callable[[int, int], int], ...]

    def joined(self, one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
        """Two rows of one key as one."""
        sums = zip(self.joins, one[self.key :], other[self.key :], strict=True)
        return one[: self.key] + tuple(join(here, there) for join, here, there in sums)


def _adding(table: str, columns: Sequence[str], *, hour: bool) -> Adding:
    """INSERT that adds to the row already there; maxima take the greater."""
    stored = (*_KEY, "parts", *(("end_ms",) if hour else ()), *columns)
    greatest = _MAXIMA | {"end_ms"}
    sets = [
        f"{name} = CASE WHEN {table}.{name} > excluded.{name} THEN {table}.{name} ELSE excluded.{name} END"
        if name in greatest
        else f"{name} = {table}.{name} + excluded.{name}"
        for name in stored[len(_KEY) :]
    ]
    marks = ", ".join("?" * len(stored))
    sql = f"INSERT INTO {table} ({', '.join(stored)}) VALUES ({marks}) ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {', '.join(sets)}"  # noqa: S608  # names are ours
    return Adding(sql, len(_KEY), tuple(max if name in greatest else operator.add for name in stored[len(_KEY) :]))


_ADD: Final = {
    (kind, hour): _adding(f"{kind}_{'hour' if hour else 'window'}", columns, hour=hour)
    for kind, columns in (("line", LINE_COLUMNS), ("zone", ZONE_COLUMNS), ("camera", CAMERA_COLUMNS))
    for hour in (False, True)
}


_STAMP: Final = Adding(
    "INSERT INTO stamp (boot, hour_ms, quality, offset_ms) VALUES (?, ?, ?, ?) ON CONFLICT (boot, hour_ms, quality) DO UPDATE SET "
    "offset_ms = CASE WHEN excluded.offset_ms < stamp.offset_ms THEN excluded.offset_ms ELSE stamp.offset_ms END",
    3,
    (min,),
)


class Sheet:
    """Sums and stamps of one transaction, one row a key, written together at its end: a statement a table instead of ten an envelope."""

    def __init__(self) -> None:
        """Empty."""
        self._rows: dict[str, tuple[Adding, dict[tuple[int, ...], tuple[int, ...]]]] = {}
        self._places: dict[tuple[bytes, str, str, str, str], int] = {}

    def add(self, adding: Adding, values: tuple[int, ...]) -> None:
        """One more row of a statement."""
        _, rows = self._rows.setdefault(adding.sql, (adding, {}))
        key = values[: adding.key]
        there = rows.get(key)
        rows[key] = values if there is None else adding.joined(there, values)

    def place(self, database: Database, device: bytes, payload: Batch | HourRollUp, kind: str, name: str) -> int:
        """The number of a place, which is in the database from now on."""
        key = (device, payload.site, payload.camera, kind, name)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = place_number(*key)
            database.run_once(
                "INSERT INTO place (place, device, site, camera, kind, name) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (place) DO NOTHING",
                (place, *key),
            )
        return place

    def write(self, database: Database) -> None:
        """Enter all, by table and key: two processes that write the same rows wait for each other instead of deadlocking."""
        for sql in sorted(self._rows):
            _, rows = self._rows[sql]
            database.run_many(sql, [rows[key] for key in sorted(rows)])
        self._rows.clear()


def apply(database: Database, sheet: Sheet, header: Header, payload: Payload, now_ms: int) -> None:
    """Enter what a new envelope says; its sums on the sheet, which the caller writes in the same transaction."""
    boot = note_stamp(database, sheet, header.device, header.stamp)
    if payload.clock.boot != header.boot:
        boot = boot_number(header.device, payload.clock.boot)
    if isinstance(payload, Batch):
        for window in payload.windows:
            times = (boot, window.start_ms, window.length_ms, 1)
            for place, kind, sums in _places(database, sheet, header.device, payload, window):
                sheet.add(_ADD[kind, False], (place, *times, *_values(sums)))
        _add_events(database, sheet, header, payload, now_ms)
    elif isinstance(payload, HourRollUp):
        start_ms = payload.sums.start_ms - payload.sums.start_ms % HOUR_MS
        hour = (boot, start_ms, 0, payload.windows, payload.end_ms)
        for place, kind, sums in _places(database, sheet, header.device, payload, payload.sums):
            sheet.add(_ADD[kind, True], (place, *hour, *_values(sums)))  # found by their start: lengths would add
    elif isinstance(payload, Health):
        _note_health(database, header, payload, now_ms)
    elif isinstance(payload, Anchor):
        note_anchor(database, header.device, payload.clock, payload.error_ms)
    elif isinstance(payload, Gap):
        note_gap(database, header.device, payload)


def note_stamp(database: Database, sheet: Sheet, device: bytes, stamp: Stamp) -> int:
    """Remember a boot and, by the hour, the least distance of its wall clock from its boot clock, a weak anchor; the boot's number."""
    boot = _note_boot(database, device, stamp.boot)
    hour_ms = stamp.boot_ms - stamp.boot_ms % HOUR_MS
    sheet.add(_STAMP, (boot, hour_ms, int(stamp.wall_quality), stamp.wall_ms - stamp.boot_ms))
    return boot


def note_anchor(database: Database, device: bytes, stamp: Stamp, error_ms: int) -> None:
    """Remember that a boot clock and a wall clock were read together."""
    boot = _note_boot(database, device, stamp.boot)
    database.run(
        "INSERT INTO anchor (boot, boot_ms, wall_ms, quality, error_ms) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (boot, boot_ms, wall_ms, quality) DO NOTHING",
        (boot, stamp.boot_ms, stamp.wall_ms, int(stamp.wall_quality), error_ms),
    )


def _note_boot(database: Database, device: bytes, tag: bytes) -> int:
    boot = boot_number(device, tag)
    database.run_once("INSERT INTO boot (boot, device, tag) VALUES (?, ?, ?) ON CONFLICT (boot) DO NOTHING", (boot, device, tag))
    return boot


def boot_number(device: bytes, tag: bytes) -> int:
    """The database's number of one boot of one device."""
    return _number(b"boot", device, tag)


def place_number(device: bytes, site: str, camera: str, kind: str, name: str) -> int:
    """The database's number of a line, a zone or a camera of one device."""
    return _number(b"place", device, site.encode(), camera.encode(), kind.encode(), name.encode())


def _number(*parts: bytes) -> int:
    """63 bits of a hash over the parts, each with its length."""
    text = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def _places(
    database: Database, sheet: Sheet, device: bytes, payload: Batch | HourRollUp, window: Window
) -> Iterator[tuple[int, str, LineSums | ZoneSums | Audit]]:
    """What a window has sums of: the number of the place, its kind, the sums."""
    yield sheet.place(database, device, payload, "camera", ""), "camera", window.audit
    for line in window.lines:
        yield sheet.place(database, device, payload, "line", line.name), "line", line
    for zone in window.zones:
        yield sheet.place(database, device, payload, f"zone:{zone.kind}", zone.name), "zone", zone


def _values(sums: LineSums | ZoneSums | Audit) -> Iterator[int]:
    """The columns of `columns_of`, in order."""
    said = msgspec.structs.astuple(sums)
    return chain.from_iterable([said[cut] for cut in _CUTS[type(sums)]])


def _add_events(database: Database, sheet: Sheet, header: Header, batch: Batch, now_ms: int) -> None:
    rows = []
    for position, event in enumerate(batch.events):
        place = sheet.place(database, header.device, batch, "event", event.line if isinstance(event, LineCrossed) else event.zone)
        said = msgspec.json.encode(event).decode()
        boot = boot_number(header.device, batch.clock.boot)
        rows.append((place, boot, event.t_ms, header.device, header.stream, header.seq, position, said, now_ms))
    if rows:
        database.run_many(
            "INSERT INTO event (place, boot, t_ms, device, stream, seq, position, said, received_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (device, stream, seq, position) DO NOTHING",
            rows,
        )


def _note_health(database: Database, header: Header, health: Health, now_ms: int) -> None:
    said = msgspec.json.encode({"firmware": health.firmware, "cameras": health.cameras, "uplink": health.uplink}).decode()
    database.run(
        "INSERT INTO health (device, boot, boot_ms, said, received_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET "
        "boot = excluded.boot, boot_ms = excluded.boot_ms, said = excluded.said, received_ms = excluded.received_ms "
        "WHERE excluded.received_ms > health.received_ms OR (excluded.boot = health.boot AND excluded.boot_ms > health.boot_ms)",
        (header.device, header.boot, header.boot_ms, said, now_ms),
    )
