"""Files that hold secrets: written whole or not at all, readable by their owner alone, never over an existing one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from firmware.errors import StorageError


def make_private_folder(folder: Path) -> None:
    """Create `folder` (and its parents) with mode 0700.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error.strerror}") from error


def write_private(path: Path, content: bytes) -> None:
    """Write `content` durably with mode 0600, under a temporary name first.

    Raises:
        StorageError: the file exists already, or cannot be written.
    """
    if path.exists():
        raise StorageError(f"{path} exists already", "keys are never overwritten; move it away or choose another folder")
    write_whole(path, content, mode=0o600)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `content` atomically and durably.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        replace_file(path, content, mode)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def replace_file(path: Path, content: bytes, mode: int, *, owned_as_folder: bool = False) -> None:
    """As `write_whole`, for callers that have their own words for what went wrong.

    Under another name first, durable before it is renamed, and the rename durable before we return.

    Args:
        path: what is replaced.
        content: all of it.
        mode: of the file.
        owned_as_folder: root gives the file to the owner of its folder, so that a service can read what an operator made.

    Raises:
        OSError: the old file, if there was one, is as it was.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            if owned_as_folder and os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
