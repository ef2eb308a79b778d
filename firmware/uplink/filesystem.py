"""The real card: a folder of files, one writer at a time by flock, OSError turned into StorageError.

What each call promises is in `firmware.uplink.ports`. Nothing here retries. `open_folder` succeeds where the folder
cannot be had for any reason but one: another process has it. Then the folder refuses everything, and the spool lives
in memory.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

from firmware.errors import StorageError
from firmware.uplink.ports import File, Folder, NoRoomError, NothingWrittenError

_LOCK: Final = "LOCK"
_PRIVATE: Final = 0o700  # envelopes are sealed, but nobody else has business here
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_WRITES: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


def open_folder(path: Path) -> Folder:
    """The folder at `path`, made where it is missing, locked for this process.

    Raises:
        StorageError: another process has it.
    """
    try:
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return _reading(path) or NoFolder(f"{path}: {error.strerror}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StorageError(f"{path}: another process has this spool", "one passerby at a time; `fuser` names it") from error
    return RealFolder(path, descriptor)


class RealFolder:
    """A folder of the card, held by its lock until `close`."""

    def __init__(self, path: Path, lock: int | None) -> None:
        self._path = path
        self._lock = lock

    def names(self) -> list[str]:
        with _converted(self._path):
            return [entry.name for entry in self._path.iterdir()]

    def read(self, name: str, offset: int, length: int) -> bytes:
        with _converted(self._path / name), (self._path / name).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, offset)

    def bytes_free(self) -> int:
        with _converted(self._path):
            status = os.statvfs(self._path)
        return status.f_bavail * status.f_frsize

    def open(self, name: str) -> File:
        with _converted(self._path / name):
            return RealFile(self._path / name, os.open(self._path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def rename(self, old: str, new: str) -> None:
        with _converted(self._path / old):
            (self._path / old).rename(self._path / new)

    def remove(self, name: str) -> None:
        with _converted(self._path / name):
            (self._path / name).unlink(missing_ok=True)

    def sync(self) -> None:
        with _converted(self._path):
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class RealFile:
    """An open file of it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def write_at(self, offset: int, body: bytes) -> None:
        rest = memoryview(body)
        with _converted(self._path, nothing_written=False):
            while rest:
                written = os.pwrite(self._descriptor, rest, offset)
                rest, offset = rest[written:], offset + written

    def sync(self) -> None:
        with _converted(self._path, nothing_written=False):
            os.fdatasync(self._descriptor)

    def forget(self) -> None:
        with _converted(self._path):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)


class NoFolder:
    """The folder of a card that is not there: every call is refused with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def _refuse(self) -> NoReturn:
        raise NothingWrittenError(self._reason, "the spool lives in memory")

    def names(self) -> list[str]:
        self._refuse()

    def read(self, name: str, offset: int, length: int) -> bytes:  # noqa: ARG002
        self._refuse()

    def bytes_free(self) -> int:
        self._refuse()

    def open(self, name: str) -> File:  # noqa: ARG002
        self._refuse()

    def rename(self, old: str, new: str) -> None:  # noqa: ARG002
        self._refuse()

    def remove(self, name: str) -> None:  # noqa: ARG002
        self._refuse()

    def sync(self) -> None:
        self._refuse()


def _reading(path: Path) -> Folder | None:
    """A read-only card can still be read and its envelopes sent; there is no lock to take on it."""
    return RealFolder(path, None) if path.is_dir() else None


@contextmanager
def _converted(path: Path, *, nothing_written: bool = True) -> Iterator[None]:
    """OSError as StorageError, of the kind that says what may be on the card."""
    try:
        yield
    except OSError as error:
        what = f"{path}: {error.strerror}"
        if error.errno in _FULL:
            raise NoRoomError(what, "the card is full") from error
        if error.errno in _NO_WRITES or nothing_written:
            raise NothingWrittenError(what) from error
        raise StorageError(what) from error
