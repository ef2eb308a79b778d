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


def test_many_rows_at_once_are_the_same_as_one_by_one(url: str) -> None:
    """Every text and every byte arrives as it is, and is found again; no rows are no statement."""
    texts = [
        "",
        "plain",
        'quoted "text"',
        "back\\slash",
        "{a,b}",
        "NULL",
        " spaces ",
        "comma, brace }",
        "line\nbreak",
        "naïve ü 人 🛒",
        "'",
    ]
    numbers = [2**63 - 1, -(2**63), *range(len(texts) - 2)]
    rows = [(bytes([at]) * 3, bytes(range(256)), text, b"", number) for at, (text, number) in enumerate(zip(texts, numbers, strict=True))]
    insert = "INSERT INTO quarantine (digest, device, reason, envelope, received_ms) VALUES (?, ?, ?, ?, ?)"
    asked = "SELECT digest, device, reason, envelope, received_ms FROM quarantine WHERE (digest, reason) IN (VALUES (?, ?))"
    database = open_database(url)
    with database.transaction():
        database.run_many(insert, rows)
        database.run_many(insert, [])
    found = database.rows_many(asked, [(row[0], row[2]) for row in rows])
    assert sorted((bytes(a), bytes(b), c, bytes(d), e) for a, b, c, d, e in found) == sorted(rows)
    assert database.rows_many(asked, []) == database.rows_many(asked, [(b"no", "such")]) == []
    returned = database.rows_many(
        "INSERT INTO boot (boot, device, tag) VALUES (?, ?, ?) RETURNING boot", [(n, b"d", bytes([n])) for n in (3, 1)]
    )
    assert sorted(row[0] for row in returned) == [1, 3]
    with pytest.raises(StorageError):
        database.run_many(insert, rows[:1])
    database.close()
