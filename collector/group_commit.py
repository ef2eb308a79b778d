"""One writer, many requests: whatever arrives while a group is prepared goes into its commit.

A commit costs one fsync whether it holds one request or a hundred, so a busy collector commits less often per request,
not more. What a request needs after it was read and verified is done here, group by group: open, enter and commit, sign. It is a
plain loop over a socket, for a process of its own (`collector.writer_process`): opening holds the interpreter's lock, so a
thread beside the web server would take turns with it. When a transaction fails as a whole, each of its requests is tried
alone, so that one bad request does not take the others with it. Waiting requests are bounded by `collector.writer`.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.database import Database
from collector.frames import Asked, Frames, Round, Told, frame
from collector.receive import Opening, Post, commit, open_checked
from firmware.errors import StorageError
from firmware.uplink.exchange import Answer, write_answer

TOGETHER_MAX: Final = 128  # requests in one transaction: the wait of the first stays under a fifth of a second
TOGETHER_BYTES_MAX: Final = 2**20  # the same for requests that drain: 1,500 envelopes
TOLD_MAX: Final = 4  # answers signed before they are sent: the next requests of those devices arrive while the rest is signed
READ_BYTES: Final = 2**18

log = logging.getLogger("passerby.collector")

Prepared = tuple[Asked, Post]


class GroupCommit:
    """Takes requests from a socket and answers there, until it is closed."""

    def __init__(
        self, connection: socket.socket, database: Database, receipt: Ed25519PrivateKey, opening: Opening | None, wall_ms: Callable[[], int]
    ) -> None:
        """`opening` is None in the ingest tier, which verifies and stores, and cannot read."""
        self._arrivals = _Arrivals(connection)
        self._connection, self._database = connection, database
        self._receipt, self._opening, self._wall_ms = receipt, opening, wall_ms

    def run(self) -> None:
        """Answer all that is asked; ends when the other side has closed and everything is answered."""
        while not self._arrivals.ended:
            prepared, refused = self._next()
            if refused:
                self._tell(refused, 0)
            if prepared:
                self._commit(prepared)

    def _next(self) -> tuple[list[Prepared], list[Told]]:
        """The next group: the first that comes, and all that comes while those before it are opened."""
        prepared: list[Prepared] = []
        refused: list[Told] = []
        taken_bytes = 0
        while len(prepared) < TOGETHER_MAX and taken_bytes < TOGETHER_BYTES_MAX:
            asked = self._arrivals.next(wait=not prepared and not refused)
            if asked is None:
                break
            taken_bytes += sum(map(len, asked.checked.envelopes))
            try:
                prepared.append((asked, open_checked(asked.checked, self._opening)))
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this request's, and the others go on
                refused.append(_failed(asked, error))
        return prepared, refused

    def _commit(self, prepared: Sequence[Prepared]) -> None:
        """Enter a group and answer it."""
        try:
            answers = commit(self._database, [post for _, post in prepared], self._wall_ms())
        except Exception as error:  # noqa: BLE001  # as above; nothing of the group was entered
            if len(prepared) == 1:
                self._tell([_failed(prepared[0][0], error)], 0)
                return
            for each in prepared:
                self._commit([each])
            return
        for start in range(0, len(prepared), TOLD_MAX):
            part = slice(start, start + TOLD_MAX)
            told = [self._told(*each, answer) for each, answer in zip(prepared[part], answers[part], strict=True)]
            self._tell(told, commits=not start)

    def _told(self, asked: Asked, post: Post, answer: Answer) -> Told:
        conflicts = tuple(conflict.seq for conflict in answer.conflicts)
        return Told(asked.number, write_answer(answer, self._receipt), len(post.kept), len(post.spoiled), conflicts)

    def _tell(self, told: Sequence[Told], commits: int) -> None:
        self._connection.sendall(frame(Round(tuple(told), int(commits))))


class _Arrivals:
    """What is asked, in order."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._frames, self._decoder = Frames(), msgspec.msgpack.Decoder(Asked)
        self._pending: deque[Asked] = deque()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Nothing is pending, and nothing will come."""
        return self._closed and not self._pending

    def next(self, *, wait: bool) -> Asked | None:
        """The next one; None when none is there, or, if it is waited for, when none will come."""
        while not self._pending and not self._closed:
            try:
                received = self._connection.recv(READ_BYTES, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            self._closed = not received
            self._pending.extend(self._decoder.decode(each) for each in self._frames.feed(received))
        return self._pending.popleft() if self._pending else None


def _failed(asked: Asked, error: Exception) -> Told:
    if not isinstance(error, StorageError):
        log.error("device %s: a request fails", asked.checked.device.hex(), exc_info=error)
    return Told(asked.number, fault=str(error) or type(error).__name__)
