"""The real SQLite, as Python has it loaded, on the crash model of the spool: what of its commits does a power cut take?

SQLite lets a program put a file layer (a VFS) of its own under it. Ours passes every call on to SQLite's own layer and tells
the model folder what was written, synced and deleted, so that `crash_model` can say what a cut at that moment may leave. It
is set as the process's default, so the collector runs on it unchanged. Structures: sqlite.org/c3ref/vfs.html, io_methods.html.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p, cast, string_at
from pathlib import Path
from typing import Any

from tests.uplink.model_card import ModelFile, ModelFolder

OPEN_READS = 0x00000001 | 0x00000002
DURABLE_KINDS = 0x00000100 | 0x00000800 | 0x00080000  # main database, main journal, write-ahead log
Methods = {
    "close": CFUNCTYPE(c_int, c_void_p),
    "write": CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64),
    "truncate": CFUNCTYPE(c_int, c_void_p, c_int64),
    "sync": CFUNCTYPE(c_int, c_void_p, c_int),
    # The path as an address: SQLite keeps it, and derives the name of its shared memory from it later.
    "open": CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int)),
    "delete": CFUNCTYPE(c_int, c_void_p, c_char_p, c_int),
}


class Vfs(Structure):
    """sqlite3_vfs, version 3; functions that stay as they are are plain pointers."""

    _fields_ = [
        ("version", c_int), ("file_bytes", c_int), ("path_max", c_int), ("next", c_void_p), ("name", c_char_p), ("app", c_void_p),
        ("open", c_void_p), ("delete", c_void_p), *((f"rest_{index}", c_void_p) for index in range(13)),
    ]  # fmt: skip


class IoMethods(Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [
        ("version", c_int), ("close", c_void_p), ("read", c_void_p), ("write", c_void_p), ("truncate", c_void_p), ("sync", c_void_p),
        *((f"rest_{index}", c_void_p) for index in range(13)),
    ]  # fmt: skip


class File(Structure):
    """sqlite3_file: all that is known of it is where its methods are."""

    _fields_ = [("methods", POINTER(IoMethods))]


def library() -> Path | None:
    """The shared library that Python's sqlite3 has loaded; None where it is built in."""
    import sqlite3

    assert sqlite3.sqlite_version
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines() if Path("/proc/self/maps").exists() else []
    return next((Path(line.split()[-1]) for line in lines if "libsqlite3" in line), None)


@contextmanager
def sqlite_on(folder: ModelFolder) -> Iterator[None]:
    """While it lasts, what new connections do to durable files is also told to `folder`, by base name."""
    path = library()
    assert path is not None
    sqlite = ctypes.CDLL(str(path))
    sqlite.sqlite3_vfs_find.restype = POINTER(Vfs)
    usual = sqlite.sqlite3_vfs_find(None)
    layer = _Layer(folder, usual)
    sqlite.sqlite3_vfs_register(byref(layer.vfs), 1)
    try:
        yield
    finally:
        sqlite.sqlite3_vfs_register(usual, 1)
        sqlite.sqlite3_vfs_unregister(byref(layer.vfs))


class _Layer:
    def __init__(self, folder: ModelFolder, usual: Any) -> None:
        self._folder, self._usual = folder, usual
        self._files: dict[int, ModelFile] = {}
        self._methods: dict[int, tuple[IoMethods, int]] = {}  # ours by the usual's address; and the usual's
        self._kept: list[object] = []  # callbacks live as long as the layer
        self.vfs = Vfs.from_buffer_copy(usual.contents)
        self.vfs.name = b"power-cut"
        self.vfs.open = self._callback("open", self._open)
        self.vfs.delete = self._callback("delete", self._delete)

    def _callback(self, name: str, function: Callable[..., int]) -> Any:
        made = Methods[name](function)
        self._kept.append(made)
        return cast(made, c_void_p)

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        code = int(Methods["open"](self._usual.contents.open)(cast(self._usual, c_void_p).value, name, file, flags, out))
        if code == 0 and name is not None and flags & DURABLE_KINDS:
            self._files[file] = self._folder.open(Path(string_at(name).decode()).name)
            self._patch(file)
        return code

    def _patch(self, file: int) -> None:
        opened = cast(file, POINTER(File)).contents
        address = ctypes.addressof(opened.methods.contents)
        if address not in self._methods:
            ours = IoMethods.from_buffer_copy(opened.methods.contents)
            usual = opened.methods.contents
            ours.write = self._callback("write", self._writing(Methods["write"](usual.write)))
            ours.sync = self._callback("sync", self._syncing(Methods["sync"](usual.sync)))
            ours.truncate = self._callback("truncate", self._truncating(Methods["truncate"](usual.truncate)))
            self._methods[address] = (ours, address)
        opened.methods = ctypes.pointer(self._methods[address][0])

    def _writing(self, usual: Any) -> Callable[..., int]:
        def write(file: int, body: int, length: int, offset: int) -> int:
            self._files[file].write_at(offset, string_at(body, length))
            return int(usual(file, body, length, offset))

        return write

    def _syncing(self, usual: Any) -> Callable[..., int]:
        def sync(file: int, flags: int) -> int:
            self._files[file].sync()
            self._folder.sync()  # SQLite syncs the folder of a journal that it made; generous: of every file
            return int(usual(file, flags))

        return sync

    def _truncating(self, usual: Any) -> Callable[..., int]:
        def truncate(file: int, length: int) -> int:
            inode = self._files[file]._inode
            del inode.cached[length:], inode.durable[length:]  # generous: a shorter file is durable at once
            inode.dirty = {sector for sector in inode.dirty if sector * 512 < length}
            return int(usual(file, length))

        return truncate

    def _delete(self, _vfs: int, name: bytes, sync_folder: int) -> int:
        self._folder.remove(Path(name.decode()).name)
        if sync_folder:
            self._folder.sync()
        return int(Methods["delete"](self._usual.contents.delete)(cast(self._usual, c_void_p).value, name, sync_folder))


def write_image(folder: ModelFolder, rng: random.Random, mode: str, where: Path) -> None:
    """What a cut now may leave, as real files."""
    for old in where.iterdir():
        old.unlink()
    image = folder.after_cut(rng, mode)
    for name in image.names():
        (where / name).write_bytes(bytes(image.cached_names[name].durable))
