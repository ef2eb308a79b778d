"""A card in memory that knows what is durable, and every state in which a power cut, or the end of a process, can leave it.

What a cut may do (docs/spool-v1.md, section 5): each 512-byte sector that was written and not synced is old, new or garbage;
folder changes that were not synced are lost as a tail, or as any subset. A process may also die without a cut, its unsynced
pages alive. Age turns bits also of what was durable. What the spool makes of it is asked in `crash_model`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware.errors import StorageError
from firmware.uplink.ports import NoRoomError

SECTOR = 512
EVERYTHING = 1 << 30


@dataclass(slots=True)
class Inode:
    """A file's bytes: on the card, as the process sees them, and the sectors in which these differ."""

    durable: bytearray = field(default_factory=bytearray)
    cached: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)

    def copy(self) -> Inode:
        return Inode(bytearray(self.durable), bytearray(self.cached), set(self.dirty))


class ModelFile:
    """An open file."""

    def __init__(self, folder: ModelFolder, inode: Inode) -> None:
        self._folder = folder
        self._inode = inode

    def write_at(self, offset: int, body: bytes) -> None:
        inode, end = self._inode, offset + len(body)
        self._folder.operation("write", grows=end > len(inode.cached))
        if len(inode.cached) < end:
            inode.cached.extend(bytes(end - len(inode.cached)))
        inode.cached[offset:end] = body
        inode.dirty.update(range(offset // SECTOR, -(-end // SECTOR)))

    def sync(self) -> None:
        inode = self._inode
        try:
            self._folder.operation("sync")
        except StorageError:
            inode.dirty.clear()  # the kernel calls the pages clean: a second sync would succeed and prove nothing
            raise
        if not self._folder.lies:
            inode.durable[len(inode.cached) :] = bytes(max(0, len(inode.cached) - len(inode.durable)))
            for sector in inode.dirty:
                inode.durable[sector * SECTOR : (sector + 1) * SECTOR] = inode.cached[sector * SECTOR : (sector + 1) * SECTOR]
        inode.dirty.clear()

    def forget(self) -> None:
        inode = self._inode
        kept = {sector: bytes(inode.cached[sector * SECTOR : (sector + 1) * SECTOR]) for sector in inode.dirty}
        inode.cached[:] = inode.durable
        for sector, content in kept.items():
            inode.cached[sector * SECTOR : sector * SECTOR + len(content)] = content

    def close(self) -> None:
        pass


class ModelFolder:
    """The port `Folder`, in memory. `before` is called before every operation that changes something."""

    def __init__(self) -> None:
        self.durable_names: dict[str, Inode] = {}
        self.cached_names: dict[str, Inode] = {}
        self.changes: list[tuple[str, str, Inode | None]] = []  # a name that goes, a name that comes, what it names
        self.before: Callable[[], None] | None = None
        self.faults: dict[int, StorageError] = {}  # by number of operation
        self.broken: StorageError | None = None  # every operation, from now on
        self.free = EVERYTHING
        self.lies = False  # sync promises and does nothing
        self.operations = 0

    def operation(self, what: str, *, grows: bool = False) -> None:
        """One operation that changes something is about to happen, or to fail."""
        if self.before is not None:
            self.before()
        self.operations += 1
        fault = self.broken or self.faults.get(self.operations)
        if fault is not None:
            raise fault
        if grows and self.free <= 0:
            raise NoRoomError(f"{what}: no room")

    def names(self) -> list[str]:
        return list(self.cached_names)

    def read(self, name: str, offset: int, length: int) -> bytes:
        if name not in self.cached_names:
            raise StorageError(f"{name}: no such file")
        return bytes(memoryview(self.cached_names[name].cached)[offset : offset + length])

    def bytes_free(self) -> int:
        return self.free

    def open(self, name: str) -> ModelFile:
        if name not in self.cached_names:
            self.operation("create")
            self.cached_names[name] = Inode()
            self.changes.append(("", name, self.cached_names[name]))
        return ModelFile(self, self.cached_names[name])

    def rename(self, old: str, new: str) -> None:
        if old not in self.cached_names:
            raise StorageError(f"{old}: no such file")
        self.operation("rename")
        self.cached_names[new] = self.cached_names.pop(old)
        self.changes.append((old, new, self.cached_names[new]))

    def remove(self, name: str) -> None:
        self.operation("remove")
        if self.cached_names.pop(name, None) is not None:
            self.changes.append((name, "", None))

    def sync(self) -> None:
        self.operation("sync folder")
        if not self.lies:
            self.durable_names = dict(self.cached_names)
            self.changes.clear()

    # What a power cut, or the death of the process alone, leaves

    def after_cut(self, rng: random.Random, mode: str) -> ModelFolder:
        """One folder that a power cut now may leave; `mode` is none, all, subset, garbage, reordered or rot."""
        image = ModelFolder()
        kept = self.changes
        if mode == "none":
            kept = []
        elif mode == "reordered":
            kept = [change for change in self.changes if rng.random() < 0.5]
        elif mode != "all":
            kept = self.changes[: rng.randrange(len(self.changes) + 1)]
        names = dict(self.durable_names)
        for goes, comes, inode in kept:
            names.pop(goes, None)
            if inode is not None:
                names[comes] = inode
        strangers = list(names.values())
        for name, inode in names.items():
            content = _content_after_cut(inode, rng, mode, strangers)
            image.durable_names[name] = Inode(content, bytearray(content))
        image.cached_names = dict(image.durable_names)
        return image

    def after_kill(self) -> ModelFolder:
        """The folder as the next process finds it when only the process died: nothing lost, nothing more durable."""
        image, copies = ModelFolder(), {}
        for inode in (*self.durable_names.values(), *self.cached_names.values(), *(inode for _, _, inode in self.changes)):
            if inode is not None:
                copies.setdefault(id(inode), inode.copy())
        image.durable_names = {name: copies[id(inode)] for name, inode in self.durable_names.items()}
        image.cached_names = {name: copies[id(inode)] for name, inode in self.cached_names.items()}
        image.changes = [(goes, comes, copies.get(id(inode))) for goes, comes, inode in self.changes]
        return image


def _content_after_cut(inode: Inode, rng: random.Random, mode: str, strangers: list[Inode]) -> bytearray:
    if not inode.dirty or mode == "none":
        content = bytearray(inode.durable)
    elif mode == "all":
        content = bytearray(inode.cached)
    else:
        content = bytearray(inode.durable)
        if len(inode.cached) > len(content) and rng.random() < 0.5:
            content.extend(bytes(len(inode.cached) - len(content)))
        for sector in inode.dirty:
            start, end = sector * SECTOR, min((sector + 1) * SECTOR, len(content))
            lot = rng.random()
            if start < end and lot < 0.5:
                content[start:end] = inode.cached[start:end]
            elif start < end and mode == "garbage" and lot < 0.8:
                content[start:end] = (_stale(inode, strangers, rng) or rng.randbytes(SECTOR))[: end - start].ljust(end - start, b"\0")
    return content


def _stale(inode: Inode, strangers: list[Inode], rng: random.Random) -> bytes:
    """Most garbage was a sector once: of this file in another place, or of another in this one."""
    source = rng.choice((None, inode, inode, *strangers))
    if source is None or len(source.cached) < 2 * SECTOR:
        return b""
    sector = rng.randrange(len(source.cached.rstrip(b"\0")) // SECTOR + 1)
    return bytes(source.cached[sector * SECTOR : (sector + 1) * SECTOR])


def rot(folder: ModelFolder, rng: random.Random) -> str:
    """What age does to a file, also to what was durable: a bit turns, a sector is garbage, the file is cut short or wiped."""
    name = rng.choice(sorted(folder.cached_names))
    inode = folder.cached_names[name]
    if not inode.cached:
        return "nothing"
    used = max(1, len(inode.cached[:-SECTOR].rstrip(b"\0")))
    at = rng.randrange(min(used + 8, len(inode.cached))) if rng.random() < 0.9 else rng.randrange(len(inode.cached))
    start = at // SECTOR * SECTOR
    lot = rng.random()
    if lot < 0.55:
        inode.cached[at] ^= 1 << rng.randrange(8)
    elif lot < 0.75:
        inode.cached[start : start + SECTOR] = rng.randbytes(min(SECTOR, len(inode.cached) - start))
    elif lot < 0.8:
        del inode.cached[max(start, SECTOR) :]
    else:  # the newest of its lane: the others say where numbering stood
        inode = folder.cached_names[max(each for each in folder.cached_names if each[:4] == name[:4])]
        inode.cached[:] = bytes(len(inode.cached)) if rng.random() < 0.5 else b""
    inode.durable[:] = inode.cached
    inode.dirty.clear()
    return "rotten" if lot < 0.8 else "wiped"
