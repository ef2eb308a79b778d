"""The memory of what has been counted: each (device, stream, seq) once, with its digest; and how far it is complete.

All functions run inside the caller's transaction. A number that is taken with the same digest is a duplicate; with
another one it is a conflict, and both are kept. `through` of a stream is the highest number up to which nothing is
missing that is not explained by a gap. Rows below it that are a month old go; `forgotten` says up to where, and at or below
that everything is a duplicate by definition.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
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


class Known(msgspec.Struct, frozen=True):
    """Of a stream: up to where its rows are forgotten, and up to where nothing is missing (-1: from the first number on)."""

    forgotten: int
    through: int


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
    def place(self) -> tuple[bytes, bytes, int]:
        """The key it is remembered by."""
        return self.header.device, self.header.stream, self.header.seq

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for all its bytes."""
        return chain_hash(self.envelope)


def enter(database: Database, arrival: Arrival, now_ms: int, status: Status, forgotten: int) -> Entered:
    """Remember an envelope, if it is new. `forgotten` is what `begin_stream` said of its stream."""
    header = arrival.header
    device, stream, seq = arrival.place
    if seq <= forgotten:
        return Entered.DUPLICATE
    inserted = database.rows(
        "INSERT INTO ledger (device, stream, seq, digest, kind, boot, boot_ms, received_ms, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (device, stream, seq) DO NOTHING RETURNING seq",
        (device, stream, seq, arrival.digest, int(header.kind), header.boot, header.boot_ms, now_ms, int(status)),
    )
    if inserted:
        return Entered.NEW
    if _digests(database, arrival) == [arrival.digest]:
        return Entered.DUPLICATE
    database.run(
        "INSERT INTO conflict (device, stream, seq, digest, envelope, received_ms) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (device, stream, seq, digest) DO NOTHING",
        (device, stream, seq, arrival.digest, arrival.envelope, now_ms),
    )
    return Entered.CONFLICT


def begin_stream(database: Database, device: bytes, stream: bytes) -> Known:
    """Make sure that a stream is known; what is known of it."""
    database.run_once("INSERT INTO stream (device, stream) VALUES (?, ?) ON CONFLICT (device, stream) DO NOTHING", (device, stream))
    rows = database.rows("SELECT forgotten, through FROM stream WHERE device = ? AND stream = ?", (device, stream))
    return Known(int(rows[0][0]), int(rows[0][1]))


def mark(database: Database, place: tuple[bytes, bytes, int], status: Status) -> None:
    """Note what became of an envelope."""
    database.run("UPDATE ledger SET status = ? WHERE device = ? AND stream = ? AND seq = ?", (int(status), *place))


def note_gap(database: Database, device: bytes, gap: Gap) -> None:
    """Remember that numbers will not come, or that a stream ended."""
    last = min(gap.last, SEQ_MAX)
    known = begin_stream(database, device, gap.stream)
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


def _digests(database: Database, arrival: Arrival) -> list[bytes]:
    rows = database.rows("SELECT digest FROM ledger WHERE device = ? AND stream = ? AND seq = ?", arrival.place)
    return [bytes(row[0]) for row in rows]


def _passed(reached: int, ranges: Sequence[tuple[int, int]]) -> int:
    """The highest number up to which the ranges leave nothing out."""
    for first, last in sorted(ranges):
        if first > reached + 1:
            break
        reached = max(reached, last)
    return reached
