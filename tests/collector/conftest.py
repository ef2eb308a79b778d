"""Both engines: SQLite always, a real PostgreSQL of the test's own where Debian's package is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.database import Database, open_database

_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []
_USER = "postgres"


def _as_postgres(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """PostgreSQL refuses to run as root; its package brings a user of its own."""
    prefix = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, *command], capture_output=True, text=True, check=check, cwd="/")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A server on a unix socket in a folder of its own; the URL without a database name."""
    if not _BIN:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        pytest.skip("no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="passerby-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _USER, _USER)
    data, log = str(folder / "data"), str(folder / "log")
    _as_postgres(str(_BIN[-1] / "initdb"), "-D", data, "-U", "passerby", "-A", "trust", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=40"
    _as_postgres(str(_BIN[-1] / "pg_ctl"), "-D", data, "-l", log, "-w", "-o", options, "start")
    yield f"postgresql://passerby@/{{}}?host={folder}"
    _as_postgres(str(_BIN[-1] / "pg_ctl"), "-D", data, "-m", "immediate", "stop", check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, on each engine."""
    if request.param == "sqlite":
        yield str(tmp_path / "collector.db")
        return
    import psycopg

    server = request.getfixturevalue("postgres_server")
    name = "t" + os.urandom(6).hex()
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield server.format(name)
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A fresh, open database, on each engine."""
    opened = open_database(url)
    yield opened
    opened.close()
