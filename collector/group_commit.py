"""One writer, many requests: whatever arrives while a commit is under way goes into the next one.

A commit costs one fsync whether it holds one request or a hundred, so a busy collector commits less often per request,
not more. The writer is one thread that owns its database connection; waiting requests are bounded, and above the bound
the caller says busy. When a transaction fails as a whole, each of its requests is tried alone, so that one bad request
does not take the others with it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

from collector.database import Database
from collector.receive import Post, commit
from firmware.errors import StorageError
from firmware.uplink.exchange import Answer

WAITING_MAX: Final = 2048  # requests; at 4 KB each that is 8 MB
TOGETHER_MAX: Final = 128  # requests in one transaction: the wait of the first stays under a fifth of a second

_Waiting = tuple[Post, "asyncio.Future[Answer]", asyncio.AbstractEventLoop]


class GroupCommit:
    """Commits posts on a thread of its own."""

    def __init__(self, connect: Callable[[], Database], wall_ms: Callable[[], int]) -> None:
        """`connect` is called on the writer's thread."""
        self._connect, self._wall_ms = connect, wall_ms
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._work, name="commit", daemon=True)
        self.commits = 0
        self.posts = 0

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Requests not yet committed."""
        return self._queue.qsize()

    async def commit(self, post: Post) -> Answer:
        """The answer, once it is durable.

        Raises:
            StorageError: too many wait, or the database refused this one.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        try:
            self._queue.put_nowait((post, answer, loop))
        except queue.Full as error:
            raise StorageError(f"{WAITING_MAX} requests wait for the database", "it is slower than what arrives") from error
        return await answer

    def _work(self) -> None:
        database = self._connect()
        try:
            while (first := self._queue.get()) is not None:
                together, last = self._more(first)
                self._commit(database, together)
                if last:
                    return
        finally:
            database.close()

    def _more(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        together = [first]
        while len(together) < TOGETHER_MAX:
            try:
                another = self._queue.get_nowait()
            except queue.Empty:
                break
            if another is None:
                return together, True
            together.append(another)
        return together, False

    def _commit(self, database: Database, together: Sequence[_Waiting]) -> None:
        try:
            answers = commit(database, [post for post, _, _ in together], self._wall_ms())
        except StorageError as error:
            if len(together) == 1:
                _tell(together[0], error)
                return
            for waiting in together:
                self._commit(database, [waiting])
            return
        self.commits += 1
        self.posts += len(together)
        for waiting, answer in zip(together, answers, strict=True):
            _tell(waiting, answer)


def _tell(waiting: _Waiting, said: Answer | StorageError) -> None:
    _, future, loop = waiting

    def tell() -> None:
        if future.done():
            return  # the device has hung up; what it posted is durable all the same
        if isinstance(said, StorageError):
            future.set_exception(said)
        else:
            future.set_result(said)

    loop.call_soon_threadsafe(tell)
