"""Files that hold secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.errors import StorageError
from firmware.private_file import make_private_folder, write_private, write_whole


def test_a_secret_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    """0600, whole, once."""
    write_private(tmp_path / "key", b"secret")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StorageError, match="never overwritten"):
        write_private(tmp_path / "key", b"another")
    assert (tmp_path / "key").read_bytes() == b"secret"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be written leaves the old one, and says which file it was."""
    write_whole(tmp_path / "card", b"old")
    write_whole(tmp_path / "card", b"new")
    assert (tmp_path / "card").read_bytes() == b"new"
    with pytest.raises(StorageError, match=r"cannot write .*nowhere"):
        write_whole(tmp_path / "nowhere" / "card", b"x")


def test_a_private_folder_is_made_private_also_where_it_was_not(tmp_path: Path) -> None:
    """0700, with its parents; a file in its place is said."""
    (tmp_path / "open").mkdir(mode=0o755)
    for folder in (tmp_path / "open", tmp_path / "a" / "b"):
        make_private_folder(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot make the folder"):
        make_private_folder(tmp_path / "file")
