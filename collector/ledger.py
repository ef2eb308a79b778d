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


def begin_stream(database: Database, device: bytes, stream: bytes) -> int:
    """Make sure that a stream is known; up to where its rows are forgotten."""
    database.run_once("INSERT INTO stream (device, stream) VALUES (?, ?) ON CONFLICT (device, stream) DO NOTHING", (device, stream))
    return int(database.rows("SELECT forgotten FROM stream WHERE device = ? AND stream = ?", (device, stream))[0][0])


def mark(database: Database, place: tuple[bytes, bytes, int], status: Status) -> None:
    """Note what became of an envelope."""
    database.run("UPDATE ledger SET status = ? WHERE device = ? AND stream = ? AND seq = ?", (int(status), *place))


def note_gap(database: Database, device: bytes, gap: Gap) -> None:
    """Remember that numbers will not come, or that a stream ended."""
    last = min(gap.last, SEQ_MAX)
    begin_stream(database, device, gap.stream)
    database.run(
        "INSERT INTO gap (device, stream, first, last, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT (device, stream, first, last) DO NOTHING",
        (device, gap.stream, min(gap.first, SEQ_MAX), last, gap.reason),
    )
    if gap.last == FOREVER:
        database.run(
            "UPDATE stream SET last = ? WHERE device = ? AND stream = ? AND (last IS NULL OR last > ?)",
            (gap.first - 1, device, gap.stream, gap.first - 1),
        )
    advance(database, device, gap.stream)


def through(database: Database, device: bytes, stream: bytes) -> int:
    """Up to where nothing is missing; -1 when the first number is."""
    rows = database.rows("SELECT through FROM stream WHERE device = ? AND stream = ?", (device, stream))
    return int(rows[0][0]) if rows else -1


def advance(database: Database, device: bytes, stream: bytes) -> int:
    """Move `through` over what is there now; the new value."""
    old = reached = through(database, device, stream)
    while True:
        present = database.rows(
            "SELECT seq FROM ledger WHERE device = ? AND stream = ? AND seq > ? ORDER BY seq LIMIT ?",
            (device, stream, reached, ADVANCE_ROWS),
        )
        step = _contiguous(reached, [int(row[0]) for row in present])
        gaps = database.rows(
            "SELECT last FROM gap WHERE device = ? AND stream = ? AND first <= ? AND last > ? AND last < ?",
            (device, stream, step + 1, step, SEQ_MAX),
        )
        before, reached = reached, max([step, *(int(row[0]) for row in gaps)])
        if reached == before or (not gaps and len(present) < ADVANCE_ROWS):
            break
    if reached != old:
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


def _contiguous(reached: int, present: Sequence[int]) -> int:
    for seq in present:
        if seq != reached + 1:
            break
        reached = seq
    return reached
