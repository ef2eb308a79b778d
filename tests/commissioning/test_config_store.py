"""The configuration on the card."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firmware.commissioning.config_store import ConfigStore
from firmware.errors import ConfigError, StorageError

GOOD = 'site = "Shop 12"\n[[camera]]\nname = "door"\nsource = "sim:"\n'
OTHER = GOOD.replace("Shop 12", "Shop 13")
BAD = 'site = "Shop 12"\nwindow_s = 7\n'


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    return ConfigStore(tmp_path / "passerby.toml")


def test_what_is_saved_is_what_is_loaded(store: ConfigStore) -> None:
    """And its faults are none."""
    assert store.save(GOOD).site == "Shop 12"
    loaded = store.load()
    assert (loaded.text, loaded.faults, loaded.safe_mode) == (GOOD, (), False)


def test_a_faulty_text_is_refused_and_nothing_is_written(store: ConfigStore) -> None:
    """Every fault is told with its line; the file keeps every byte."""
    store.save(GOOD)
    with pytest.raises(ConfigError) as refused:
        store.save(BAD)
    assert "passerby.toml:2: window_s = 7 does not divide an hour" in refused.value.faults[0]
    assert store.text() == GOOD


def test_a_faulty_file_starts_the_last_good_one(store: ConfigStore) -> None:
    """Safe mode: what ran before runs on, and what is wrong is said with file and line."""
    store.save(GOOD)
    store.keep_as_good(GOOD)
    store.path.write_text(BAD, encoding="utf-8")
    loaded = store.load()
    assert (loaded.text, loaded.filename, loaded.safe_mode) == (GOOD, str(store.good_path), True)
    assert loaded.faults[0].startswith(f"{store.path}:2: ")


@pytest.mark.parametrize("spoilt", [b"\xff\xfe", b"", b"site =", None])
def test_whatever_is_on_the_card_something_starts(store: ConfigStore, spoilt: bytes | None) -> None:
    """No file, no text, half a text: with no last good one, a device without cameras whose page says why."""
    if spoilt is not None:
        store.path.write_bytes(spoilt)
    with pytest.raises(ConfigError):
        store.load()
    loaded = store.load_or_empty()
    assert (loaded.config.camera, loaded.safe_mode) == ((), True)
    assert all(str(store.path) in fault for fault in loaded.faults)


def test_rolling_back_brings_the_last_good_one(store: ConfigStore) -> None:
    """A configuration that parsed and then saw nothing never became good."""
    store.save(GOOD)
    store.keep_as_good(GOOD)
    store.save(OTHER)
    assert store.load().config.site == "Shop 13"
    assert store.rollback().config.site == "Shop 12"
    assert store.text() == GOOD


def test_without_a_good_one_rolling_back_says_so(store: ConfigStore) -> None:
    """And changes nothing."""
    store.save(GOOD)
    with pytest.raises(ConfigError, match="good"):
        store.rollback()
    assert store.text() == GOOD


def test_only_a_change_is_written(store: ConfigStore) -> None:
    """Each start says the same is good: the card is not worn by it."""
    store.keep_as_good(GOOD)
    before = store.good_path.stat().st_ino
    store.keep_as_good(GOOD)
    assert store.good_path.stat().st_ino == before
    store.keep_as_good(OTHER)
    assert store.good_path.read_text(encoding="utf-8") == OTHER


def test_file_then_folder_are_synced_around_the_rename(store: ConfigStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves the old text or the new one: the content is durable before it gets its name."""
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(fd: int) -> None:
        done.append("fsync folder" if Path(f"/proc/self/fd/{fd}").is_dir() else "fsync")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", lambda self, target: (done.append("rename"), replace(self, target))[1])
    store.save(GOOD)
    assert done == ["fsync", "rename", "fsync folder"]


def test_a_card_that_refuses_keeps_the_old_text(store: ConfigStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file; no temporary file stays behind."""
    store.save(GOOD)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"passerby.toml: No space left"):
        store.save(OTHER)
    assert store.text() == GOOD
    assert [path.name for path in store.path.parent.iterdir()] == ["passerby.toml"]


def test_a_password_in_it_is_not_for_everybody(store: ConfigStore) -> None:
    """An RTSP address may hold one: others cannot read the file."""
    store.save(GOOD)
    assert store.path.stat().st_mode & 0o007 == 0
