"""Both engines: SQLite always, a real PostgreSQL of the test's own where Debian's package is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.postgres import drop_database, missing, new_database, private_server
from collector.database import Database, open_database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A server on a unix socket in a folder of its own; the URL with {} for a database name."""
    if missing():
        pytest.skip(missing())
    with private_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, on each engine."""
    if request.param == "sqlite":
        yield str(tmp_path / "collector.db")
        return
    server = request.getfixturevalue("postgres_server")
    name = "t" + os.urandom(6).hex()
    yield new_database(server, name)
    drop_database(server, name)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A fresh, open database, on each engine."""
    opened = open_database(url)
    yield opened
    opened.close()
