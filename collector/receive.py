"""What becomes of posted envelopes: verified, opened, entered once, applied, made durable, and only then acknowledged.

`check` verifies signatures, for which it needs no secret; `open_checked` opens, where the opening key is at hand. Neither
touches the database; in the collector each has a process of its own, `prepare` is both at once. `commit` enters many posts
in one transaction (group commit: one fsync for all that arrived meanwhile). An envelope that does not verify or open is set
aside with its reason and named in the answer. Reading HTTP is `collector.app`'s work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collector import books, ledger
from collector.database import Database
from collector.ledger import Arrival, Entered, Status, StreamKey
from firmware.errors import DataError
from firmware.uplink.batch import Gap, Payload, from_bytes
from firmware.uplink.envelope import Header, open_verified, read_header, verify
from firmware.uplink.exchange import Acknowledged, Answer, Conflict, Refused, read_request, request_hash
from firmware.uplink.recipient import OpeningKey

DRAIN_BYTES_S: Final = 65_536  # a device that was away for 60 days (124 MB) is back within 32 minutes
REASON_MAX: Final = 200

_SEALED: Final = (
    "INSERT INTO sealed (device, stream, seq, envelope, received_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (device, stream, seq) DO NOTHING"
)
Opening = Mapping[bytes, OpeningKey]  # recipient key id -> key


class Kept(msgspec.Struct, frozen=True):
    """A verified envelope and, if it was opened, what it says."""

    arrival: Arrival
    payload: Payload | None

    @property
    def status(self) -> Status:
        """What the ledger notes of it."""
        return Status.SEALED if self.payload is None else Status.APPLIED


class Spoiled(msgspec.Struct, frozen=True):
    """An envelope that cannot be taken."""

    index: int
    envelope: bytes
    reason: str


class Checked(msgspec.Struct, frozen=True, array_like=True):
    """One request whose signatures were looked at.

    Attributes:
        device: 16 bytes, as its TLS certificate says.
        request: the hash of the request.
        envelopes: all of it, in order.
        refused: positions that did not verify, each with the reason.
    """

    device: bytes
    request: bytes
    envelopes: tuple[bytes, ...]
    refused: tuple[tuple[int, str], ...]


class Post(msgspec.Struct, frozen=True):
    """One request, prepared."""

    device: bytes
    request: bytes
    kept: tuple[Kept, ...]
    spoiled: tuple[Spoiled, ...]


def check(device: bytes, body: bytes, key: Ed25519PublicKey) -> Checked:
    """Look at the signatures of a request.

    Args:
        device: 16 bytes, as its TLS certificate says.
        body: the request as posted.
        key: the device's identity.

    Raises:
        DataError: the framing is wrong; nothing of the request can be taken.
    """
    envelopes, refused = read_request(body), []
    for index, envelope in enumerate(envelopes):
        try:
            verify(envelope, key)
        except DataError as error:
            refused.append((index, str(error)[:REASON_MAX]))
    return Checked(device, request_hash(body), envelopes, tuple(refused))


def open_checked(checked: Checked, opening: Opening | None) -> Post:
    """Open what was verified. `opening`: the site's opening keys, or None in the ingest tier, which has none."""
    refused = dict(checked.refused)
    kept, spoiled = [], []
    for index, envelope in enumerate(checked.envelopes):
        reason = refused.get(index)
        if reason is None:
            try:
                kept.append(_kept(envelope, opening))
            except DataError as error:
                reason = str(error)[:REASON_MAX]
        if reason is not None:
            spoiled.append(Spoiled(index, envelope, reason))
    return Post(checked.device, checked.request, tuple(kept), tuple(spoiled))


def prepare(device: bytes, body: bytes, key: Ed25519PublicKey, opening: Opening | None) -> Post:
    """`check`, then `open_checked`. Raises DataError as `check`."""
    return open_checked(check(device, body, key), opening)


def commit(database: Database, posts: Sequence[Post], now_ms: int) -> tuple[Answer, ...]:
    """Enter prepared posts in one durable transaction; the answers, in order, to be signed only after this returns.

    Raises:
        StorageError: nothing of it was entered.
    """
    with database.transaction():
        return enter(database, posts, now_ms)


def enter(database: Database, posts: Sequence[Post], now_ms: int) -> tuple[Answer, ...]:
    """The work of `commit`, in the caller's transaction: until that has ended well, no answer may leave."""
    # By device, so that two processes that enter the same rows wait for each other instead of deadlocking.
    order = sorted(range(len(posts)), key=lambda index: posts[index].device)
    work = [(index, kept) for index in order for kept in posts[index].kept]
    known = ledger.begin_streams(database, {kept.arrival.place[:2] for _, kept in work})
    entered = ledger.enter(database, [(kept.arrival, kept.status) for _, kept in work], now_ms, known)
    new = [kept for (_, kept), said in zip(work, entered, strict=True) if said is Entered.NEW]
    sheet = _applied(database, new, now_ms)
    minute_ms = now_ms - now_ms % 60_000
    for index in order:
        device = posts[index].device
        for spoiled in posts[index].spoiled:
            set_aside(database, device, spoiled.envelope, spoiled.reason, now_ms)
        database.run_once("UPDATE device SET seen_ms = ? WHERE device = ? AND seen_ms < ?", (minute_ms, device, minute_ms))
    taken: list[dict[StreamKey, list[int]]] = [{} for _ in posts]
    conflicts: list[list[Conflict]] = [[] for _ in posts]
    present: dict[StreamKey, set[int]] = {}
    for (index, kept), said in zip(work, entered, strict=True):
        device, stream, seq = kept.arrival.place
        if said is Entered.CONFLICT:
            conflicts[index].append(Conflict(stream, seq, kept.arrival.digest))
            continue
        taken[index].setdefault((device, stream), []).append(seq)
        present.setdefault((device, stream), set()).add(seq)
    explained = {(kept.arrival.header.device, kept.payload.stream) for kept in new if isinstance(kept.payload, Gap)}
    reached = ledger.reach(database, known, present, explained)
    sheet.write(database)  # after `reach`: a gap moves streams before it, too
    return tuple(_answer(*each, reached, now_ms) for each in zip(posts, taken, conflicts, strict=True))


def open_waiting(database: Database, key_of: Callable[[bytes], Ed25519PublicKey | None], opening: Opening, now_ms: int, most: int) -> int:
    """The opening tier's step: open up to `most` waiting envelopes, in one transaction; how many were taken off the pile.

    Any number of openers may run: whoever deletes the waiting row applies it.
    """
    waiting = database.rows("SELECT device, stream, seq, envelope FROM sealed ORDER BY received_ms LIMIT ?", (most,))
    opened = [(bytes(d), bytes(s), int(q), bytes(e), _opened(bytes(d), bytes(e), key_of, opening)) for d, s, q, e in waiting]
    taken, sheet = 0, books.Sheet()
    with database.transaction():
        for device, stream, seq, envelope, result in sorted(opened, key=lambda row: row[:3]):
            place = (device, stream, seq)
            if not database.changed("DELETE FROM sealed WHERE device = ? AND stream = ? AND seq = ?", place):
                continue
            taken += 1
            if isinstance(result, str):
                set_aside(database, device, envelope, result, now_ms)
                ledger.mark(database, place, Status.ASIDE)
                continue
            books.apply(database, sheet, result[0], result[1], now_ms)
            ledger.mark(database, place, Status.APPLIED)
        sheet.write(database)
    return taken


def set_aside(database: Database, device: bytes, envelope: bytes, reason: str, now_ms: int) -> None:
    """Keep what cannot be taken, with its reason; the same bytes once."""
    database.run(
        "INSERT INTO quarantine (digest, device, reason, envelope, received_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
        (hashlib.sha256(envelope).digest(), device, reason, envelope, now_ms),
    )


def _kept(envelope: bytes, opening: Opening | None) -> Kept:
    """Of an envelope that was verified."""
    header, payload = read_header(envelope), None
    if header.seq > ledger.SEQ_MAX:
        raise DataError(f"seq {header.seq} is beyond the ledger")
    if opening is not None:
        opening_key = opening.get(header.recipient)
        if opening_key is None:
            raise DataError("sealed to a recipient whose key is not here")
        header, opened = open_verified(envelope, opening_key)
        payload = from_bytes(header.kind, opened)
    return Kept(Arrival(header, envelope), payload)


def _opened(
    device: bytes, envelope: bytes, key_of: Callable[[bytes], Ed25519PublicKey | None], opening: Opening
) -> tuple[Header, Payload] | str:
    key = key_of(device)
    if key is None:
        return "the device is not known any more"
    try:
        verify(envelope, key)
        kept = _kept(envelope, opening)
    except DataError as error:
        return str(error)[:REASON_MAX]
    assert kept.payload is not None
    return kept.arrival.header, kept.payload


def _applied(database: Database, new: Sequence[Kept], now_ms: int) -> books.Sheet:
    """What was opened, on a sheet for the books; what was not, on the pile of the opening tier."""
    sheet = books.Sheet()
    for kept in new:
        if kept.payload is not None:
            books.apply(database, sheet, kept.arrival.header, kept.payload, now_ms)
    sealed = [(*kept.arrival.place, kept.arrival.envelope, now_ms) for kept in new if kept.payload is None]
    database.run_many(_SEALED, sorted(sealed))
    return sheet


def _answer(
    post: Post, taken: Mapping[StreamKey, Sequence[int]], conflicts: Sequence[Conflict], reached: Mapping[StreamKey, int], now_ms: int
) -> Answer:
    return Answer(
        version=1,
        request=post.request,
        device=post.device,
        acknowledged=tuple(_acknowledged(stream, seqs, reached[device, stream]) for (device, stream), seqs in taken.items()),
        conflicts=tuple(conflicts),
        refused=tuple(Refused(spoiled.index, spoiled.reason) for spoiled in post.spoiled),
        server_ms=now_ms,
        drain_bytes_s=DRAIN_BYTES_S,
    )


def _acknowledged(stream: bytes, seqs: Sequence[int], reached: int) -> Acknowledged:
    sparse = tuple(sorted(seq for seq in seqs if seq > reached))
    return Acknowledged(stream, reached if reached >= 0 else None, sparse)
