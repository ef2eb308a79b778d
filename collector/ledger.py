"""The memory of what has been counted: each (device, stream, seq) once, with its digest; and how far it is complete.

All functions run inside the caller's transaction, and take all that one transaction brings at once: on PostgreSQL a
statement a group instead of three an envelope. A number that is taken with the same digest is a duplicate; with
another one it is a conflict, and both are kept. `through` of a stream is the highest number up to which nothing is
missing that is not explained by a gap. Rows below it that are a month old go; `forgotten` says up to where, and at or below
that everything is a duplicate by definition.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from collector.database import Database
from firmware.uplink.batch import FOREVER, Gap
from firmware.uplink.envelope import Header, chain_hash

SEQ_MAX: Final = 2**63 - 1  # a database's integer; at one a second it lasts longer than the sun
ADVANCE_ROWS: Final = 4096  # numbers looked at in one step
DIGEST_KEPT_MS: Final = 30 * 86_400_000  # how long a conflict with an old number can still be told


_FOLLOWING: Final = (  # one question instead of three: on PostgreSQL each is a round trip
    "SELECT first, last FROM (SELECT seq AS first, seq AS last FROM ledger WHERE device = ? AND stream = ? AND seq > ? "
    "ORDER BY seq LIMIT ?) AS present UNION ALL SELECT first, last FROM gap WHERE device = ? AND stream = ? AND last > ? AND last < ?"
)
_KNOWN: Final = (  # a gap up to SEQ_MAX is the end of the stream, not an explanation
    "SELECT device, stream, forgotten, through, "
    "(SELECT min(seq) FROM ledger WHERE ledger.device = stream.device AND ledger.stream = stream.stream AND seq > through), "
    "(SELECT min(first) FROM gap WHERE gap.device = stream.device AND gap.stream = stream.stream AND gap.last > through "
    "AND gap.last < 9223372036854775807) FROM stream WHERE (device, stream) IN (VALUES (?, ?))"
)
_ENTER: Final = (
    "INSERT INTO ledger (device, stream, seq, digest, kind, boot, boot_ms, received_ms, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (device, stream, seq) DO NOTHING RETURNING device, stream, seq"
)
_DIGESTS: Final = "SELECT device, stream, seq, digest FROM ledger WHERE (device, stream, seq) IN (VALUES (?, ?, ?))"
_REACHED: Final = (  # the row is there since `begin_streams`: this only ever moves `through` up
    "INSERT INTO stream (device, stream, through) VALUES (?, ?, ?) ON CONFLICT (device, stream) DO UPDATE SET "
    "through = CASE WHEN excluded.through > stream.through THEN excluded.through ELSE stream.through END"
)

StreamKey = tuple[bytes, bytes]  # device, stream
PlaceKey = tuple[bytes, bytes, int]  # device, stream, seq


class Known(msgspec.Struct, frozen=True):
    """Of a stream, before this transaction enters anything.

    Attributes:
        forgotten: up to where its rows are forgotten.
        through: up to where nothing is missing; -1: from the first number on.
        following: the lowest number above `through` that is there or where an explanation begins; None when nothing is.
    """

    forgotten: int
    through: int
    following: int | None


class Status(enum.IntEnum):
    """What became of an envelope."""

    SEALED = 0
    APPLIED = 1
    ASIDE = 2


class Entered(enum.Enum):
    """What the ledger said."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Arrival(msgspec.Struct, frozen=True):
    """A verified envelope."""

    header: Header
    envelope: bytes

    @property
    def place(self) -> PlaceKey:
        """The key it is remembered by."""
        return self.header.device, self.header.stream, self.header.seq

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for all its bytes."""
        return chain_hash(self.envelope)


def begin_streams(database: Database, streams: Iterable[StreamKey]) -> dict[StreamKey, Known]:
    """Make sure that streams are known; what is known of each."""
    wanted = sorted(set(streams))
    for key in wanted:
        database.run_once("INSERT INTO stream (device, stream) VALUES (?, ?) ON CONFLICT (device, stream) DO NOTHING", key)
    known = {}
    for device, stream, forgotten, through, *following in database.rows_many(_KNOWN, wanted):
        ahead = min((int(number) for number in following if number is not None), default=None)
        known[bytes(device), bytes(stream)] = Known(int(forgotten), int(through), ahead)
    return known


def enter(
    database: Database, arrivals: Sequence[tuple[Arrival, Status]], now_ms: int, known: Mapping[StreamKey, Known]
) -> tuple[Entered, ...]:
    """Remember the envelopes that are new; what the ledger says of each, in order. `known` is what `begin_streams` said."""
    rows: dict[PlaceKey, tuple[object, ...]] = {}
    digests = [arrival.digest for arrival, _ in arrivals]
    for (arrival, status), digest in zip(arrivals, digests, strict=True):
        header, place = arrival.header, arrival.place
        if header.seq > known[place[:2]].forgotten and place not in rows:
            rows[place] = (*place, digest, int(header.kind), header.boot, header.boot_ms, now_ms, int(status))
    new = {(bytes(d), bytes(s), int(seq)) for d, s, seq in database.rows_many(_ENTER, [rows[place] for place in sorted(rows)])}
    there = {place: rows[place][3] for place in new} | _digests(database, rows.keys() - new)
    said = []
    for (arrival, _), digest in zip(arrivals, digests, strict=True):
        place = arrival.place
        if place in new:
            new.remove(place)  # the first of its number; what follows under it is compared
            said.append(Entered.NEW)
        elif place not in rows or there.get(place) == digest:
            said.append(Entered.DUPLICATE)
        else:
            _note_conflict(database, arrival, now_ms)
            said.append(Entered.CONFLICT)
    return tuple(said)


def mark(database: Database, place: tuple[bytes, bytes, int], status: Status) -> None:
    """Note what became of an envelope."""
    database.run("UPDATE ledger SET status = ? WHERE device = ? AND stream = ? AND seq = ?", (int(status), *place))


def note_gap(database: Database, device: bytes, gap: Gap) -> None:
    """Remember that numbers will not come, or that a stream ended."""
    last, key = min(gap.last, SEQ_MAX), (device, gap.stream)
    known = begin_streams(database, [key])[key]
    database.run(
        "INSERT INTO gap (device, stream, first, last, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT (device, stream, first, last) DO NOTHING",
        (device, gap.stream, min(gap.first, SEQ_MAX), last, gap.reason),
    )
    if gap.last == FOREVER:
        database.run(
            "UPDATE stream SET last = ? WHERE device = ? AND stream = ? AND (last IS NULL OR last > ?)",
            (gap.first - 1, device, gap.stream, gap.first - 1),
        )
    advance(database, device, gap.stream, known.through)


def reach(
    database: Database, known: Mapping[StreamKey, Known], present: Mapping[StreamKey, Collection[int]], explained: Collection[StreamKey]
) -> dict[StreamKey, int]:
    """Move `through` of streams over what this transaction brought; the new values.

    `present`: numbers that are in the ledger now, of each stream that was asked for; `explained`: where a gap was noted since
    `begin_streams`. A stream that was complete until now, nothing beyond, needs no look into the ledger.
    """
    reached, moved = {}, []
    for key in sorted(present):
        before = known[key]
        end = _passed(before.through, [(seq, seq) for seq in present[key]])
        if key in explained or (before.following is not None and before.following <= end + 1):
            end = advance(database, *key, before.through)
        elif end > before.through:
            moved.append((*key, end))
        reached[key] = end
    database.run_many(_REACHED, moved)
    return reached


def advance(database: Database, device: bytes, stream: bytes, known: int) -> int:
    """Move `through` over what is there now, numbers and gaps; the new value. `known`: what it was in this transaction, or less."""
    reached = known
    while True:
        rows = database.rows(_FOLLOWING, (device, stream, reached, ADVANCE_ROWS, device, stream, reached, SEQ_MAX))
        before, reached = reached, _passed(reached, [(int(first), int(last)) for first, last in rows])
        if reached == before or len(rows) < ADVANCE_ROWS:
            break
    if reached != known:
        database.run("UPDATE stream SET through = ? WHERE device = ? AND stream = ? AND through < ?", (reached, device, stream, reached))
    return reached


def forget(database: Database, now_ms: int) -> int:
    """Drop ledger rows below `through` whose digests nobody needs any more, from the oldest number on; how many."""
    dropped = 0
    for device, stream, reached, forgotten in database.rows("SELECT device, stream, through, forgotten FROM stream"):
        kept = database.rows(
            "SELECT min(seq) FROM ledger WHERE device = ? AND stream = ? AND seq > ? AND (received_ms >= ? OR status <> 1)",
            (device, stream, forgotten, now_ms - DIGEST_KEPT_MS),
        )[0][0]
        until = int(reached) if kept is None else min(int(reached), int(kept) - 1)
        if until > int(forgotten):
            database.run("UPDATE stream SET forgotten = ? WHERE device = ? AND stream = ?", (until, device, stream))
            dropped += database.changed("DELETE FROM ledger WHERE device = ? AND stream = ? AND seq <= ?", (device, stream, until))
    return dropped


def _digests(database: Database, places: Iterable[PlaceKey]) -> dict[PlaceKey, object]:
    rows = database.rows_many(_DIGESTS, sorted(places))
    return {(bytes(device), bytes(stream), int(seq)): bytes(digest) for device, stream, seq, digest in rows}


def _note_conflict(database: Database, arrival: Arrival, now_ms: int) -> None:
    database.run(
        "INSERT INTO conflict (device, stream, seq, digest, envelope, received_ms) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (device, stream, seq, digest) DO NOTHING",
        (*arrival.place, arrival.digest, arrival.envelope, now_ms),
    )


def _passed(reached: int, ranges: Sequence[tuple[int, int]]) -> int:
    """The highest number up to which the ranges leave nothing out."""
    for first, last in sorted(ranges):
        if first > reached + 1:
            break
        reached = max(reached, last)
    return reached
