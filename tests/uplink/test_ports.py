"""Whoever stands in for the card has all of its methods, and says what went wrong in its words."""

from __future__ import annotations

import pytest

from firmware.errors import StorageError
from firmware.uplink import ports
from firmware.uplink.filesystem import NoFolder, RealFile, RealFolder
from tests.uplink.model_card import ModelFile, ModelFolder

FILE = {name for name in vars(ports.File) if not name.startswith("_")}
FOLDER = {name for base in (ports.FolderReading, ports.FolderChanging) for name in vars(base) if not name.startswith("_")}


@pytest.mark.parametrize("stand_in", [RealFolder, NoFolder, ModelFolder])
def test_a_folder_has_all_its_methods(stand_in: type) -> None:
    """The real one, the missing one, the model's."""
    assert len(FOLDER) == 7
    assert {name for name in FOLDER if callable(getattr(stand_in, name, None))} == FOLDER


@pytest.mark.parametrize("stand_in", [RealFile, ModelFile])
def test_a_file_has_all_its_methods(stand_in: type) -> None:
    """Four of them."""
    assert sorted(FILE) == ["close", "forget", "sync", "write_at"]
    assert {name for name in FILE if callable(getattr(stand_in, name, None))} == FILE


def test_the_errors_tell_apart_what_may_be_on_the_card() -> None:
    """Both are the card's refusal; only one promises that nothing was written."""
    assert issubclass(ports.NothingWrittenError, StorageError)
    assert issubclass(ports.NoRoomError, StorageError)
    assert not issubclass(ports.NoRoomError, ports.NothingWrittenError)
