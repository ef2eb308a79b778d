"""One writer, many requests: whatever arrives while a group is prepared goes into its commit.

A commit costs one fsync whether it holds one request or a hundred, so a busy collector commits less often per request,
not more. All that a request needs after it was read is done by one thread, group by group: check and open, enter and commit,
sign; the event loop is woken once a group. (More threads do not help: opening holds the interpreter's lock.) What
waits is bounded in requests and bytes, and above the bound the caller says busy. When a transaction fails as a whole,
each of its requests is tried alone, so that one bad request does not take the others with it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from collector.database import Database
from collector.receive import Opening, Post, commit, prepare
from firmware.errors import StorageError
from firmware.uplink.exchange import Answer, write_answer

WAITING_MAX: Final = 2048  # requests; an ordinary one has 1 KB
WAITING_BYTES_MAX: Final = 64 * 2**20  # bodies of requests that drain, 256 KiB each
TOGETHER_MAX: Final = 128  # requests in one transaction: the wait of the first stays under a fifth of a second
TOGETHER_BYTES_MAX: Final = 2**20  # the same for requests that drain: 1,500 envelopes


class Taken(msgspec.Struct, frozen=True):
    """A request that is durable: what it held, and the answer with its signed bytes."""

    post: Post
    answer: Answer
    signed: bytes


@dataclass(frozen=True, slots=True)
class _Waiting:
    device: bytes
    key: Ed25519PublicKey
    body: bytes
    taken: asyncio.Future[Taken]


class GroupCommit:
    """Takes requests on a thread of its own. `take` belongs to one event loop."""

    def __init__(
        self, connect: Callable[[], Database], wall_ms: Callable[[], int], receipt: Ed25519PrivateKey, opening: Opening | None
    ) -> None:
        """`connect` is called on the writer's thread; `opening` is None in the ingest tier, which verifies and cannot read."""
        self._connect, self._wall_ms, self._receipt, self._opening = connect, wall_ms, receipt, opening
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="commit", daemon=True)
        self._waiting_bytes = 0
        self.waiting = 0
        self.commits = 0
        self.posts = 0

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    async def take(self, device: bytes, key: Ed25519PublicKey, body: bytes) -> Taken:
        """Check a request of a device, enter it, and return once it is durable.

        Raises:
            DataError: the framing is wrong; nothing of the request can be taken.
            StorageError: too many wait, or the database refused this one.
        """
        if self.waiting >= WAITING_MAX or self._waiting_bytes + len(body) > WAITING_BYTES_MAX:
            raise StorageError(f"{self.waiting} requests wait for the database", "it is slower than what arrives")
        waiting = _Waiting(device, key, body, asyncio.get_running_loop().create_future())
        self.waiting, self._waiting_bytes = self.waiting + 1, self._waiting_bytes + len(body)
        try:
            self._queue.put(waiting)
            return await waiting.taken
        finally:
            self.waiting, self._waiting_bytes = self.waiting - 1, self._waiting_bytes - len(body)

    def _work(self) -> None:
        database = self._connect()
        try:
            last = False
            while not last:
                together, last = self._prepared()
                if together:
                    self._commit(database, together)
        finally:
            database.close()

    def _prepared(self) -> tuple[list[tuple[_Waiting, Post]], bool]:
        """The next group: the first that comes, and all that comes while those before it are checked and opened."""
        together: list[tuple[_Waiting, Post]] = []
        taken_bytes = 0
        while len(together) < TOGETHER_MAX and taken_bytes < TOGETHER_BYTES_MAX:
            try:
                waiting = self._queue.get(block=not together)
            except queue.Empty:
                break
            if waiting is None:
                return together, True
            taken_bytes += len(waiting.body)
            try:
                together.append((waiting, prepare(waiting.device, waiting.body, waiting.key, self._opening)))
            except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to who asked, and the writer goes on
                _tell([(waiting, error)])
        return together, False

    def _commit(self, database: Database, together: Sequence[tuple[_Waiting, Post]]) -> None:
        posts = [post for _, post in together]
        try:
            answers = commit(database, posts, self._wall_ms())
        except Exception as error:  # noqa: BLE001  # as above; nothing of the group was entered
            if len(together) == 1:
                _tell([(together[0][0], error)])
                return
            for alone in together:
                self._commit(database, [alone])
            return
        self.commits += 1
        self.posts += len(together)
        taken = [Taken(post, answer, write_answer(answer, self._receipt)) for post, answer in zip(posts, answers, strict=True)]
        _tell([(waiting, each) for (waiting, _), each in zip(together, taken, strict=True)])


def _tell(said: Sequence[tuple[_Waiting, Taken | Exception]]) -> None:
    """Wake the event loop, once for all."""

    def tell() -> None:
        for waiting, outcome in said:
            if waiting.taken.done():
                continue  # the device has hung up; what it posted is durable all the same
            if isinstance(outcome, Taken):
                waiting.taken.set_result(outcome)
            else:
                waiting.taken.set_exception(outcome)

    said[0][0].taken.get_loop().call_soon_threadsafe(tell)
