"""One SQL text, two engines: SQLite (the default, one file) and PostgreSQL (a URL).

Statements are written once, with `?` for values and BYTES for byte columns; a driver adapts the spelling and nothing
else. Every write happens inside `transaction()`, which is durable when it returns: SQLite in WAL with synchronous FULL,
PostgreSQL with synchronous_commit on. The schema is a row of numbered files in `collector/sql/`, applied in order.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol

from firmware.errors import StorageError

Row = tuple[Any, ...]
SCHEMA_VERSION: Final = 2
BUSY_S: Final = 30.0  # another process holds SQLite's single write lock for one group commit at most
KNOWN_MAX: Final = 200_000  # rows of names that one connection remembers: 20 MB
PAGE_CACHE_KIB: Final = 65_536  # the inner pages of ten million windows


class Database(Protocol):
    """An open database. Errors of the engine come out as StorageError."""

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        ...

    def run(self, sql: str, values: Sequence[object] = ()) -> None:
        """Execute one statement; PostgreSQL may learn of it, and of its troubles, only with the next `rows` or the commit."""
        ...

    def changed(self, sql: str, values: Sequence[object] = ()) -> int:
        """Execute one statement; how many rows it changed."""
        ...

    def run_once(self, sql: str, values: Sequence[object]) -> None:
        """An insert that changes nothing the second time: left out when this connection has committed it before."""
        ...

    def run_many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        """Execute one statement for each tuple of values, all of a column of one type: int, bytes or str.

        PostgreSQL takes `VALUES (?, ...)` as a table of them all: an INSERT that updates may meet no row twice.
        """
        ...

    def rows_many(self, sql: str, values: Sequence[Sequence[object]]) -> list[Row]:
        """The rows of one statement for each tuple of values, in no order; else as `run_many`."""
        ...

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """All or nothing; durable when it ends well. Not nested."""
        ...

    def close(self) -> None:
        """Release the connection; may be called twice."""
        ...


def open_database(url: str) -> Database:
    """Open `postgresql://...` or a SQLite path, and bring its schema up to date.

    Raises:
        StorageError: it cannot be opened, or was written by a newer collector.
    """
    database: Database = PostgresDatabase(url) if url.startswith(("postgresql://", "postgres://")) else SqliteDatabase(Path(url))
    try:
        upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def upgrade(database: Database) -> None:
    """Apply the schema files that this database has not seen, each in a transaction of its own.

    Raises:
        StorageError: the database is newer than this program.
    """
    version = _version(database)
    if version > SCHEMA_VERSION:
        raise StorageError(f"the database has schema {version}, this collector knows {SCHEMA_VERSION}", "install the newer collector")
    for number in range(version + 1, SCHEMA_VERSION + 1):
        text = resources.files("collector").joinpath("sql", f"{number}.sql").read_text(encoding="utf-8")
        with database.transaction():
            if _version(database) >= number:
                continue  # another process was faster
            for statement in statements(text):
                database.run(statement)


def statements(text: str) -> Iterator[str]:
    """The statements of a schema file, without comments."""
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    for statement in code.split(";"):
        if statement.strip():
            yield statement.strip()


def _version(database: Database) -> int:
    if not database.rows(_TABLE_EXISTS[type(database).__name__], ("schema_version",)):
        return 0
    return int(database.rows("SELECT max(version) FROM schema_version")[0][0] or 0)


_TABLE_EXISTS: Final = {
    "SqliteDatabase": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    "PostgresDatabase": "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?",
}


class Once:
    """What a connection has inserted for good: keys of the open transaction become known when it commits."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._known: set[tuple[object, ...]] = set()
        self._new: set[tuple[object, ...]] = set()

    def is_new(self, key: tuple[object, ...]) -> bool:
        """Whether the key was not inserted yet; it is now."""
        if key in self._known or key in self._new:
            return False
        self._new.add(key)
        return True

    def committed(self) -> None:
        """The transaction's keys are durable."""
        if len(self._known) > KNOWN_MAX:
            self._known.clear()
        self._known |= self._new
        self._new.clear()

    def undone(self) -> None:
        """They are not."""
        self._new.clear()


class SqliteDatabase:
    """One file; one writer at a time, any number of readers."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises StorageError."""
        self._once = Once()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{PAGE_CACHE_KIB}"):
                self._connection.execute(f"PRAGMA {pragma}")
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"cannot open the database {path}: {error}") from error

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with _converted(sqlite3.Error):
            return self._connection.execute(_sqlite(sql), values).fetchall()

    def run(self, sql: str, values: Sequence[object] = ()) -> None:
        with _converted(sqlite3.Error):
            self._connection.execute(_sqlite(sql), values)

    def changed(self, sql: str, values: Sequence[object] = ()) -> int:
        with _converted(sqlite3.Error):
            return self._connection.execute(_sqlite(sql), values).rowcount

    def run_once(self, sql: str, values: Sequence[object]) -> None:
        if self._once.is_new((sql, *values)):
            self.run(sql, values)

    def run_many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        with _converted((sqlite3.Error, OverflowError)):
            self._connection.executemany(_sqlite(sql), values)

    def rows_many(self, sql: str, values: Sequence[Sequence[object]]) -> list[Row]:
        with _converted(sqlite3.Error):
            return [row for each in values for row in self._connection.execute(_sqlite(sql), each)]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._once.undone()
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self.run("COMMIT")
        self._once.committed()

    def close(self) -> None:
        self._connection.close()


class PostgresDatabase:
    """A server; any number of stateless processes over it. Within a transaction statements are sent without waiting for each."""

    def __init__(self, url: str) -> None:
        """Connect. Raises StorageError; the password never stands in the message."""
        import psycopg
        from psycopg.types.numeric import Int8Dumper

        self._error = psycopg.Error
        self._once = Once()
        try:
            self._connection = psycopg.connect(url, autocommit=True, application_name="passerby-collector", connect_timeout=10)
            self._connection.adapters.register_dumper(int, Int8Dumper)  # by default a type by size: a plan for each mixture
            self._connection.execute("SET synchronous_commit = on")
        except psycopg.Error as error:
            raise StorageError(
                f"cannot reach the PostgreSQL server: {type(error).__name__}", "check the URL and that the server runs"
            ) from error

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with _converted(self._error):
            return self._connection.execute(_postgres(sql), values).fetchall()

    def run(self, sql: str, values: Sequence[object] = ()) -> None:
        with _converted(self._error):
            self._connection.execute(_postgres(sql), values)

    def changed(self, sql: str, values: Sequence[object] = ()) -> int:
        with _converted(self._error):
            counted = f"WITH changed AS ({_postgres(sql)} RETURNING 1) SELECT count(*) FROM changed"  # noqa: S608  # our own statements
            return int(self._connection.execute(counted.encode(), values).fetchall()[0][0])

    def run_once(self, sql: str, values: Sequence[object]) -> None:
        if self._once.is_new((sql, *values)):
            self.run(sql, values)

    def run_many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        if values:
            with _converted(self._error):
                self._connection.execute(_table(sql, values[0]), _columns(values), prepare=True)

    def rows_many(self, sql: str, values: Sequence[Sequence[object]]) -> list[Row]:
        if not values:
            return []
        with _converted(self._error):
            return self._connection.execute(_table(sql, values[0]), _columns(values), prepare=True).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with _converted(self._error), self._connection.transaction(), self._connection.pipeline():
                yield
        except BaseException:
            self._once.undone()
            raise
        self._once.committed()

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def _converted(kind: type[Exception] | tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except kind as error:
        raise StorageError(f"the database refused: {str(error).strip()}") from error


def _sqlite(sql: str) -> str:
    return sql.replace("BYTES", "BLOB") if "BYTES" in sql else sql


def _postgres(sql: str) -> Any:
    """`?` becomes `%s`; a literal percent sign does not occur in our statements."""
    return sql.replace("BYTES", "BYTEA").replace("?", "%s")


_VALUES: Final = re.compile(r"VALUES \(\?(?:, \?)*\)")
_ARRAYS: Final = {int: "bigint[]", bytes: "bytea[]", str: "text[]"}


def _table(sql: str, first: Sequence[object]) -> Any:
    """The statement over a table of values, one parameter a column: its text, its types and so its plan stay the same."""
    columns = ", ".join(f"%s::{_ARRAYS[type(value)]}" for value in first)
    return _VALUES.sub(f"SELECT * FROM unnest({columns})", sql, count=1)  # noqa: S608  # types of our own list


def _columns(values: Sequence[Sequence[Any]]) -> list[str]:
    """The columns of rows as array literals."""
    return [f"{{{','.join(map(_LITERALS[type(column[0])], column))}}}" for column in zip(*values, strict=True)]


def _text_literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bytes_literal(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


_LITERALS: Final[dict[type, Callable[[Any], str]]] = {int: str, bytes: _bytes_literal, str: _text_literal}
