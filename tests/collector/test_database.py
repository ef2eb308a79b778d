"""Schemas: new, upgraded, and of a future that this program does not know."""

from __future__ import annotations

from importlib import resources

import pytest

from collector.database import SCHEMA_VERSION, open_database, statements
from firmware.errors import StorageError


def tables(url: str) -> set[str]:
    database = open_database(url)
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if "://" not in url
        else ("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
    )
    names = {str(row[0]) for row in database.rows(sql)}
    database.close()
    return names


def test_a_database_of_the_first_schema_is_upgraded_with_all_it_holds(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by version 1, opened by this one: the new tables are there, the old rows, too; opening again changes nothing."""
    with monkeypatch.context() as patch:
        patch.setattr("collector.database.SCHEMA_VERSION", 1)
        old = open_database(url)
        assert "claim" not in tables(url)
        old.run("INSERT INTO device (device, name, public) VALUES (?, ?, ?)", (b"d" * 16, "door", b"p" * 32))
        old.close()
    for _ in range(2):
        database = open_database(url)
        assert database.rows("SELECT name FROM device") == [("door",)]
        assert database.rows("SELECT max(version) FROM schema_version") == [(SCHEMA_VERSION,)]
        database.close()
    assert "claim" in tables(url)


def test_a_newer_database_is_not_touched(url: str) -> None:
    """A program that does not know the schema says so and stays out."""
    database = open_database(url)
    database.run("INSERT INTO schema_version (version) VALUES (?)", (SCHEMA_VERSION + 1,))
    database.close()
    with pytest.raises(StorageError, match="install the newer collector"):
        open_database(url)


def test_every_version_has_its_file() -> None:
    """1.sql to the newest, each with statements."""
    folder = resources.files("collector").joinpath("sql")
    for number in range(1, SCHEMA_VERSION + 1):
        assert list(statements(folder.joinpath(f"{number}.sql").read_text(encoding="utf-8")))
