"""A real PostgreSQL server of our own, on a unix socket in a private folder, for tests and measurements.

Debian's package brings the programs and the user; nothing of an installed cluster is touched. The server is told not to
wait for its own start-up files to reach the disk, but commits durably as any other.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

USER = "postgres"


def missing() -> str:
    """Why there can be no server here, or an empty string."""
    if not _bin():
        return "PostgreSQL is not installed (apt-get install postgresql)"
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return f"there is no user {USER}"
    return ""


@contextlib.contextmanager
def private_server() -> Iterator[str]:
    """Start a server; the URL with {} for the database's name."""
    folder = Path(tempfile.mkdtemp(prefix="passerby-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    data, log = str(folder / "data"), str(folder / "log")
    programs = _bin()
    assert programs is not None, missing()
    _as_user(str(programs / "initdb"), "-D", data, "-U", "passerby", "-A", "trust", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=40"
    _as_user(str(programs / "pg_ctl"), "-D", data, "-l", log, "-w", "-o", options, "start")
    try:
        yield f"postgresql://passerby@/{{}}?host={folder}"
    finally:
        _as_user(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str, name: str) -> str:
    """Create a database; its URL."""
    import psycopg

    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.format(name)


def drop_database(server: str, name: str) -> None:
    """Remove it, whoever is connected."""
    import psycopg

    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _bin() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_user(*command: str, check: bool = True) -> None:
    """PostgreSQL refuses to run as root."""
    prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], capture_output=True, text=True, check=check, cwd="/")
