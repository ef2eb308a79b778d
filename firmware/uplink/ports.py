"""What the uplink needs of the card: a folder, and files that are written in place. A fake is in `tests/uplink/model_card.py`.

Every method raises `StorageError` when the card refuses; `NothingWrittenError` promises that not a byte was.
After a failed `write_at` or `sync` nothing is known of what was written since the last `sync`, and a further `sync`
of that file proves nothing.
"""

from __future__ import annotations

from typing import Protocol

from firmware.errors import StorageError


class NothingWrittenError(StorageError):
    """The card takes no writes at all: not a byte of this one is on it."""


class NoRoomError(StorageError):
    """The card is full; a part may have been written."""


class File(Protocol):
    """An open file of the folder."""

    def write_at(self, offset: int, body: bytes) -> None:
        """Write all of `body` at `offset`; durable after `sync`."""
        ...

    def sync(self) -> None:
        """All that was written is durable when this returns (fdatasync)."""
        ...

    def forget(self) -> None:
        """Drop what is cached of it and synced: from now on it reads as the card has it."""
        ...

    def close(self) -> None:
        """Let go of it; says nothing about durability and never fails."""
        ...


class FolderReading(Protocol):
    """What is there."""

    def names(self) -> list[str]:
        """The names of the folder's files, in any order."""
        ...

    def read(self, name: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; shorter where the file ends."""
        ...

    def bytes_free(self) -> int:
        """What the card still takes."""
        ...


class FolderChanging(Protocol):
    """What is changed; durable after `sync`."""

    def open(self, name: str) -> File:
        """The file for writing, made empty where it is missing."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Atomic: after a power cut one of the two names is there."""
        ...

    def remove(self, name: str) -> None:
        """Gone, with its space."""
        ...

    def sync(self) -> None:
        """All names are durable when this returns."""
        ...


class Folder(FolderReading, FolderChanging, Protocol):
    """The spool's folder. Whoever has it is its only writer."""
