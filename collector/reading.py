"""What the books say, for people: windows at an interval of wall time, with coverage, and small numbers protected.

Reads only. Rows of the books lie on boot clocks; `clock_mapping` places them. Where fewer windows than a device's own
roll-up of the hour arrived, the roll-up is taken instead, so that a long outage loses resolution and not totals. Every way
out goes through `small_numbers`: there is no other function that returns a dwell or a wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from collector.books import CAMERA_COLUMNS, LINE_COLUMNS, ZONE_COLUMNS
from collector.clock_mapping import Mapping, mapping_of
from collector.database import Database, Row
from collector.small_numbers import LEVELS_MS, Cell, Released, release
from firmware.events import HISTOGRAM_CELLS
from firmware.uplink.stamp import WallQuality

HOUR_MS: Final = 3_600_000
ARRIVALS_READ: Final = 1000
_COLUMNS: Final = {"line": LINE_COLUMNS, "zone": ZONE_COLUMNS, "camera": CAMERA_COLUMNS}
_MAXIMA: Final = frozenset({"occupancy_max"})
_PROTECTED: Final = frozenset(
    {"dwell_ms", "wait_ms", "wait_max_ms", "staff_dwell_ms"} | {f"{name}_{i}" for name in ("dwell", "wait") for i in range(HISTOGRAM_CELLS)}
)


class Query(msgspec.Struct, frozen=True):
    """What is asked: [from_ms, to_ms) of wall time, at intervals of one of LEVELS_MS."""

    from_ms: int
    to_ms: int
    interval_ms: int = 300_000
    site: str | None = None
    name: str | None = None


class Place(msgspec.Struct, frozen=True, order=True):
    """A line, a zone or a camera; `kind` is line, zone:area, zone:queue or camera."""

    site: str
    camera: str
    kind: str
    name: str


class PlacedRow(msgspec.Struct, frozen=True):
    """One row of the books, placed: `sums` by column."""

    place: Place
    start_ms: int
    length_ms: int
    uncertain: bool
    sums: dict[str, int]


class Reported(msgspec.Struct, frozen=True):
    """One place in one interval. `sums` are counts that need no protection."""

    place: Place
    start_ms: int
    length_ms: int
    uncertain: bool
    sums: dict[str, int]


class Distribution(msgspec.Struct, frozen=True):
    """Dwell or wait of a zone: `cells` by histogram cell, `total` is the sum of durations with its number of people."""

    place: Place
    what: str
    cells: tuple[tuple[Released, ...], ...]
    total: tuple[Released, ...]


def mappings(database: Database) -> dict[int, Mapping]:
    """Every boot that can be placed."""
    anchors: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for boot, boot_ms, wall_ms, quality in database.rows("SELECT boot, boot_ms, wall_ms, quality FROM anchor"):
        anchors[int(boot)].append((int(boot_ms), int(wall_ms), int(quality)))
    stamps: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for boot, hour_ms, quality, offset_ms in database.rows("SELECT boot, hour_ms, quality, offset_ms FROM stamp"):
        stamps[int(boot)].append((int(hour_ms), int(hour_ms) + int(offset_ms), int(quality)))
    placed = {}
    for boot, device, tag in database.rows("SELECT boot, device, tag FROM boot"):
        arrivals: list[tuple[int, int]] = []
        if int(boot) not in anchors and all(quality == WallQuality.UNKNOWN for _, _, quality in stamps[int(boot)]):
            rows = database.rows(
                "SELECT boot_ms, received_ms FROM ledger WHERE device = ? AND boot = ? LIMIT ?", (device, tag, ARRIVALS_READ)
            )
            arrivals = [(int(boot_ms), int(received_ms)) for boot_ms, received_ms in rows]
        mapping = mapping_of(anchors[int(boot)], stamps[int(boot)], arrivals)
        if mapping is not None:
            placed[int(boot)] = mapping
    return placed


def rows_of(database: Database, query: Query, kinds: Sequence[str] = ("line", "zone", "camera")) -> Iterator[PlacedRow]:
    """The books' rows that begin within the query, windows or, where they are fewer than it sums, the hour's roll-up."""
    placed = mappings(database)
    for kind in kinds:
        for number, place in _places(database, query, kind):
            for boot, mapping in placed.items():
                yield from _of_boot(database, query, kind, (number, place, boot, mapping))


def report(database: Database, query: Query) -> tuple[Reported, ...]:
    """Counts per place and interval."""
    together: dict[tuple[Place, int], list[PlacedRow]] = defaultdict(list)
    for row in rows_of(database, query):
        together[row.place, row.start_ms - row.start_ms % query.interval_ms].append(row)
    return tuple(
        Reported(place, start_ms, query.interval_ms, any(row.uncertain for row in rows), _add(rows))
        for (place, start_ms), rows in sorted(together.items())
    )


def distributions(database: Database, query: Query) -> tuple[Distribution, ...]:
    """Dwell of every zone and wait of every queue, small numbers merged into longer intervals."""
    zones: dict[Place, list[PlacedRow]] = defaultdict(list)
    for row in rows_of(database, query, ("zone",)):
        zones[row.place].append(row)
    out = []
    for place, rows in sorted(zones.items()):
        for what in ("dwell", "wait") if place.kind == "zone:queue" else ("dwell",):
            cells = tuple(
                release([Cell(row.start_ms, row.sums[f"{what}_{cell}"]) for row in rows], query.interval_ms)
                for cell in range(HISTOGRAM_CELLS)
            )
            totals = [Cell(row.start_ms, _people(row, what), row.sums[f"{what}_ms"]) for row in rows]
            out.append(Distribution(place, what, cells, release(totals, query.interval_ms)))
    return tuple(out)


def _people(row: PlacedRow, what: str) -> int:
    return sum(row.sums[f"{what}_{cell}"] for cell in range(HISTOGRAM_CELLS))


def _places(database: Database, query: Query, kind: str) -> list[tuple[int, Place]]:
    rows = database.rows("SELECT place, site, camera, kind, name FROM place WHERE kind <> 'event' ORDER BY site, camera, kind, name")
    return [
        (int(number), Place(site, camera, full, name))
        for number, site, camera, full, name in rows
        if full.partition(":")[0] == kind and query.site in (None, site) and query.name in (None, name)
    ]


def _of_boot(database: Database, query: Query, kind: str, where: tuple[int, Place, int, Mapping]) -> Iterator[PlacedRow]:
    number, place, boot, mapping = where
    low, high = mapping.boot_range(query.from_ms, query.to_ms)
    windows = _select(database, kind, "window", number, boot, low - low % HOUR_MS, high + HOUR_MS)
    hours = _select(database, kind, "hour", number, boot, low - low % HOUR_MS, high)
    counted: dict[int, int] = defaultdict(int)
    for row in windows:
        counted[int(row[0]) - int(row[0]) % HOUR_MS] += int(row[2])
    lost = {int(row[0]): row for row in hours if counted[int(row[0])] < int(row[2])}
    kept = [row for row in windows if int(row[0]) - int(row[0]) % HOUR_MS not in lost]
    for row in [*kept, *lost.values()]:
        start_ms = mapping.wall_ms(int(row[0]))
        if query.from_ms <= start_ms < query.to_ms:
            sums = dict(zip(_COLUMNS[kind], (int(value) for value in row[3:]), strict=True))
            yield PlacedRow(place, start_ms, int(row[1]) or HOUR_MS, mapping.uncertain, sums)


def _select(database: Database, kind: str, book: str, place: int, boot: int, low: int, high: int) -> list[Row]:
    columns = ", ".join(_COLUMNS[kind])
    sql = f"SELECT start_ms, length_ms, parts, {columns} FROM {kind}_{book} WHERE place = ? AND boot = ? AND start_ms >= ? AND start_ms < ?"  # noqa: S608  # names are ours
    return database.rows(sql, (place, boot, low, high))


def _add(rows: Sequence[PlacedRow]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        for column, value in row.sums.items():
            if column in _PROTECTED:
                continue
            sums[column] = max(sums.get(column, 0), value) if column in _MAXIMA else sums.get(column, 0) + value
    return sums


def check_interval(interval_ms: int) -> int:
    """The interval, if it is one at which small numbers can be protected; ValueError else."""
    if interval_ms not in LEVELS_MS:
        raise ValueError(f"{interval_ms} ms is none of {LEVELS_MS}")
    return interval_ms
