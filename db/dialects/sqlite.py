"""SQLite: connections, transactions, and its SQL.

SQLAlchemy and sqlite3 each have rules for when a transaction begins. Here sqlite3's are switched off
(`isolation_level=None`), and `begin` is explicit: IMMEDIATE for a writer, so that two writers queue at the start
instead of failing in the middle, and DEFERRED for a reader, which then sees one state of the library for the whole
transaction.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    NullPool,
    QueuePool,
    Table,
    cast,
    create_engine,
    func,
    literal,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from engine.db.dialects.base import WRITES, Header, Watch
from engine.db.dialects.sqlite_errors import BUSY_SECONDS, explained
from engine.db.dialects.types import BLOB
from engine.errors import LibraryError

INDEX_BYTES = 32_768  # least size of the index of a write-ahead log that is in use
POOL_SIZE = 8  # connections that stay open; more are opened when more threads read at once, and closed after


class SQLite:
    """SQLite, one file per library; implements `base.Dialect`."""

    name = "sqlite"
    # The latter: sqlite3 decodes messages as UTF-8 that quote a damaged schema.
    errors: tuple[type[Exception], ...] = (sqlite3.Error, UnicodeDecodeError)

    def engine(self, path: Path, *, writable: bool) -> Engine:
        """Return an engine; without write permission, connections are not pooled: the owner may replace the file."""
        pool: dict[str, Any] = {"poolclass": NullPool}
        if writable:
            pool = {"poolclass": QueuePool, "pool_size": POOL_SIZE, "max_overflow": -1}
        connect = _connect if writable else _connect_read_only
        return create_engine("sqlite://", creator=lambda: connect(path), **pool)

    def begin(self, connection: Connection) -> None:
        """Begin a transaction; a reader's connection refuses changes."""
        writes = connection.get_execution_options()[WRITES]
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def watch(self, path: Path, *, writable: bool) -> Watch:
        """Poll SQLite's own counter, or the file's status where it cannot be written."""
        return ConnectionWatch(path) if writable else FileWatch(path)

    def prepare(self, path: Path) -> None:
        """Switch to write-ahead logging; the file remembers."""
        # Suppressed: another process is doing the same at this moment. Refused by SQLite within a transaction.
        with suppress(sqlite3.OperationalError), closing(_connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")

    def header(self, connection: Connection) -> Header:
        """Read both ids from the header of the file."""
        application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        return Header(application, connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def put_header(self, connection: Connection, header: Header) -> None:
        """Write both ids; they are rolled back with the transaction."""
        connection.exec_driver_sql(f"PRAGMA application_id = {header.application}")
        connection.exec_driver_sql(f"PRAGMA user_version = {header.version}")

    def tables(self, connection: Connection) -> set[str]:
        """Read the table of contents."""
        return set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())

    def explained(self, path: Path, error: BaseException, *, full: bool) -> LibraryError:
        """Translate SQLite's message for the user."""
        return explained(path, error, full=full)

    def upsert(self, table: Table, key: Sequence[Column[Any]], values: dict[str, Any]) -> Executable:
        """Return INSERT ... ON CONFLICT (key) DO UPDATE."""
        names = {column.name for column in key}
        changed = {name: value for name, value in values.items() if name not in names}
        return insert(table).values(**values).on_conflict_do_update(index_elements=list(key), set_=changed)

    def insert_missing(self, table: Table, values: dict[str, Any]) -> Executable:
        """Return INSERT ... ON CONFLICT DO NOTHING."""
        return insert(table).values(**values).on_conflict_do_nothing()

    def indexes_text(self) -> bool:
        """Return whether this SQLite has FTS5 and its trigrams (3.34, unless it was built without)."""
        return _has_trigrams()

    def joined(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """Return group_concat(column)."""
        return func.group_concat(column, ",")

    def prefixed(self, prefix: bytes, column: ColumnElement[bytes]) -> ColumnElement[bytes]:
        """Return CAST(prefix || column AS BLOB): the operator alone gives text."""
        return cast(literal(prefix, BLOB).op("||")(column), BLOB)

    def problems(self, connection: Connection, most: int) -> list[str]:
        """Run PRAGMA integrity_check."""
        try:
            found = connection.exec_driver_sql(f"PRAGMA integrity_check({most})").scalars().all()
        except DBAPIError as error:  # too damaged to be checked
            return [str(error.orig)]
        return [] if found == ["ok"] else [" ".join(str(line).split()) for line in found]

    def dangling(self, connection: Connection) -> dict[str, int]:
        """Run PRAGMA foreign_key_check."""
        counts: dict[str, int] = {}
        for table, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            counts[table] = counts.get(table, 0) + 1
        return counts


SQLITE = SQLite()


class ConnectionWatch:
    """SQLite's change counter, as seen by a connection that itself changes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection: sqlite3.Connection | None = None

    def token(self) -> tuple[int, ...]:
        """Return PRAGMA data_version: microseconds, no table is read."""
        if self.connection is None:
            self.connection = _connect(self.path)
        return tuple(self.connection.execute("PRAGMA data_version").fetchone())

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class FileWatch:
    """The status of a file that this process may only read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def token(self) -> tuple[int, ...]:
        """Return inode, size and time of change."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise sqlite3.OperationalError("unable to open database file") from error
        return found.st_ino, found.st_size, found.st_mtime_ns

    def close(self) -> None:
        """Do nothing: no connection is open."""


@lru_cache
def _has_trigrams() -> bool:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='trigram')")
        except sqlite3.Error:
            return False
    return True


def _connect(path: Path, query: str = "mode=rw", *first: str) -> sqlite3.Connection:
    """Open an existing file, without creating a missing one; run the statements `first` at once."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?{query}", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        for statement in first:
            connection.execute(statement)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")  # a library from elsewhere may define no code that runs here
        connection.execute("PRAGMA synchronous = FULL")  # a commit survives a loss of power
        connection.execute("PRAGMA schema_version")  # reads the file, so that errors occur here
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that this process may only read, or that is on a full disk.

    SQLite reads a write-ahead library through an index of the log in a second file beside it, which cannot be made in
    a read-only folder or on a full disk. Without a log `immutable` reads the file alone. With the log of a run that was
    killed, the index is built in this process's memory, as SQLite does in exclusive mode.
    """
    try:
        return _connect(path, "mode=ro")
    except sqlite3.OperationalError:
        log, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
        if not log.exists() or not log.stat().st_size:
            return _connect(path, "mode=ro&immutable=1")
        if index.exists() and index.stat().st_size >= INDEX_BYTES:  # other processes have the library open
            raise
        return _connect(path, "mode=ro&vfs=unix-none", "PRAGMA locking_mode = EXCLUSIVE")
