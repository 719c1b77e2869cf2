"""The library file: opening or creating it, transactions, and its errors in words.

SQLAlchemy and sqlite3 each have ideas of when a transaction begins. Here sqlite3 is told to have none
(`isolation_level=None`), and the BEGIN is ours: IMMEDIATE for a writer, so that two writers queue at the start instead
of failing in the middle, and DEFERRED for a reader, who then sees one state of the library for as long as it reads.
"""

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, NullPool, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError

from engine.db.migrations import upgrade
from engine.db.places import create_file, make_private_folder
from engine.db.schema import APPLICATION_ID, OLDEST_VERSION, SCHEMA_VERSION, metadata
from engine.db.sqlite_errors import BUSY_SECONDS, DAMAGED, NOT_A_LIBRARY, explained
from engine.db.text import displayable
from engine.db.text_search import create_text_search
from engine.errors import LibraryError, UnavailableError

FIRST_TABLES = frozenset(["tracks", "skipped", "roots", "signatures", "segments", "settings", "vector_indexes"])
SMALLEST_FILE = 512  # bytes, one page; SQLite takes some shorter files of others for empty ones
KEPT_CONNECTIONS = 8  # more are opened when more threads read at once, and closed after


class Database:
    """An open library. Any number of threads may read at once; writers, of any process, take turns."""

    def __init__(self, path: Path, *, writable: bool, full: bool = False) -> None:
        self.path, self.full = path, full
        self.closed = False
        pool: dict[str, Any] = {"poolclass": NullPool}  # never holds a view of a file that its owner may rewrite
        if writable:
            pool = {"poolclass": QueuePool, "pool_size": KEPT_CONNECTIONS, "max_overflow": -1}
        connect = _connect if writable else _connect_read_only
        engine = create_engine("sqlite://", creator=lambda: connect(path), **pool)
        event.listen(engine, "begin", _begin)
        self._readers = engine.execution_options(engine_writes=False)
        self._writers = engine.execution_options(engine_writes=True)
        self._writable = writable
        self._identity = _identity(path)
        self._watch_lock = threading.Lock()
        self._watching: sqlite3.Connection | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the library and can change nothing.

        Raises:
            LibraryError: The file cannot be read, or is damaged.
        """
        with self._explaining(), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes are kept together when the block ends, or not at all when it raises.

        Raises:
            LibraryError: The file cannot be written, is damaged, was moved or replaced since it was opened, or another
                process holds it for `BUSY_SECONDS`.
        """
        with self._explaining(), self._writers.begin() as connection:
            self._refuse_another_file()
            yield connection
            self._refuse_another_file()  # else what was written would be lost with the file that is gone

    def version(self) -> tuple[int, ...]:
        """Return what differs after any process has changed the library, and costs microseconds to ask.

        Raises:
            LibraryError: The file cannot be read.
        """
        with self._explaining(), self._watch_lock:
            if not self._writable:
                return _file_version(self.path)
            if self._watching is None:
                self._watching = _connect(self.path)
            return tuple(self._watching.execute("PRAGMA data_version").fetchone())

    def close(self) -> None:
        """Close every connection; the last to leave folds the write-ahead log back into the file."""
        with self._watch_lock:
            if self._watching is not None:
                self._watching.close()
                self._watching = None
        self.closed = True
        self._readers.dispose()  # readers and writers share one pool

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_another_file(self) -> None:
        """Raise LibraryError where the file that was opened no longer lies at its path."""
        now = _identity(self.path)
        if now != self._identity:
            what = "is gone" if now is None else "is another file now"
            raise UnavailableError(
                f"library {displayable(self.path)} {what}: it was moved, deleted or replaced since it was opened",
                hint="nothing was written: put it back, or open it again",
            )

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        if self.closed:
            raise LibraryError(f"library {displayable(self.path)} is closed", hint="open it again")
        try:
            yield
        except DBAPIError as error:
            raise explained(self.path, error.orig or error, full=self.full) from error
        except sqlite3.Error as error:  # raised outside a statement: while connecting, or by a damaged value
            raise explained(self.path, error, full=self.full) from error


def open_database(path: Path, *, create: bool) -> Database:
    """Open the library at PATH.

    Only the header and the list of tables are read here: damage elsewhere is reported by the statement that meets it.

    Args:
        path: The library file.
        create: Make the file, and its folder, when there is none yet; an empty file counts as none.

    Raises:
        LibraryError: There is no library, the file is another program's or a newer Engine's or damaged, or the file or
            its folder cannot be made, read or written.
    """
    path = Path(path).absolute()
    _find_or_make(path, create)
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    try:
        return _opened(Database(path, writable=writable), create=create and writable, prepare=writable)
    except UnavailableError as error:
        if not writable or not isinstance(error.__cause__, DBAPIError | sqlite3.Error):
            raise
        # On a full disk SQLite cannot make the file through which it reads a library that is written, too.
        try:
            return _opened(Database(path, writable=False, full=True), create=False, prepare=False)
        except LibraryError:
            raise error from None


def _opened(database: Database, *, create: bool, prepare: bool) -> Database:
    """Check a database, first making its tables and bringing it up to date where wanted; close it where that fails."""
    try:
        if create and _is_blank(database):
            _create_tables(database)
        _identify(database)
        if prepare:
            _log_ahead(database)
            _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def _find_or_make(path: Path, create: bool) -> None:
    """Leave a regular file at PATH, or raise LibraryError."""
    try:
        if create and not os.path.lexists(path):
            make_private_folder(path.parent)
            with suppress(FileExistsError):  # another process was faster
                create_file(path).close()  # what SQLite keeps beside it gets the same permissions
        found = path.stat()
    except FileNotFoundError:
        expected = "expected a file made by `engine index PATH`: run that first, or name another file"
        raise UnavailableError(f"no library at {displayable(path)}", hint=expected) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else error
        step = "name a file in a folder where you can write" if create else "name a file that you can read"
        raise UnavailableError(f"library {displayable(path)} cannot be opened ({reason})", hint=step) from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise LibraryError(
            f"expected a library at {displayable(path)}, found {kind}", hint="name a file, for example library.db"
        )
    if 0 < found.st_size < SMALLEST_FILE:
        raise NOT_A_LIBRARY.error(displayable(path), f"found {found.st_size} bytes")


def _connect(path: Path, query: str = "mode=rw") -> sqlite3.Connection:
    """Open the file, which must exist: one that vanished is not silently made anew."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?{query}", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")  # a library from elsewhere may define no code that runs here
        connection.execute("PRAGMA synchronous = FULL")  # a commit survives a loss of power
        connection.execute("PRAGMA schema_version")  # reads the file: one that cannot be read is found out here
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that this process may only read.

    SQLite reads a write-ahead library through a second file beside it, which a read-only folder does not let it make.
    Without a log there is nothing to coordinate, and `immutable` reads the file alone.
    """
    try:
        return _connect(path, "mode=ro")
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        return _connect(path, "mode=ro&immutable=1")


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from every other one, under whatever name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _file_version(path: Path) -> tuple[int, ...]:
    """What a file that this process may only read looked like from outside."""
    try:
        found = path.stat()
    except OSError as error:
        raise sqlite3.OperationalError("unable to open database file") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options()["engine_writes"]
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_blank(database: Database) -> bool:
    with database.read() as connection:
        return not any(_header(connection)) and not _table_names(connection)


def _create_tables(database: Database) -> None:
    with database.write() as connection:
        if any(_header(connection)) or _table_names(connection):
            return  # another process was faster; what it made is looked at next
        metadata.create_all(connection, checkfirst=False)
        create_text_search(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _identify(database: Database) -> None:
    """Raise LibraryError unless the file is a library of this version with all its tables."""
    name = displayable(database.path)
    with database.read() as connection:
        application, version = _header(connection)
        names = _table_names(connection)
    if not (application or version or names):
        raise LibraryError(
            f"{name} is empty", hint="expected a file made by `engine index PATH`: run that, or name another file"
        )
    if application != APPLICATION_ID:
        raise LibraryError(
            f"{name} is another program's database, not a library made by Engine", hint="name another file"
        )
    if version > SCHEMA_VERSION:
        raise LibraryError(
            f"library {name} has schema version {version}, {_known_version()}",
            hint="upgrade Engine, or name another file",
        )
    if OLDEST_VERSION <= version < SCHEMA_VERSION and names >= FIRST_TABLES:
        if os.access(database.path, os.W_OK) and os.access(database.path.parent, os.W_OK):
            return
        raise UnavailableError(
            f"library {name} has schema version {version} and cannot be written, {_known_version()}",
            hint="open it once where it can be written, for example: engine --library FILE stats",
        )
    if version < SCHEMA_VERSION or not names >= set(metadata.tables):
        raise DAMAGED.error(f"library {name}")


def _known_version() -> str:
    return f"this Engine reads version {SCHEMA_VERSION}"


def _bring_up_to_date(database: Database) -> None:
    """Add the tables that an older library lacks; what it holds stays as it is."""
    with database.read() as connection:
        if _header(connection)[1] == SCHEMA_VERSION:
            return
    with database.write() as connection:
        version = _header(connection)[1]
        if version < SCHEMA_VERSION:  # else another process was faster
            upgrade(connection, version)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _log_ahead(database: Database) -> None:
    """Switch to write-ahead logging, with which readers and a writer do not wait for each other; the file remembers."""
    # Suppressed: another process is doing the same at this moment. Refused by SQLite within a transaction.
    with suppress(sqlite3.OperationalError), closing(_connect(database.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _header(connection: Connection) -> tuple[int, int]:
    """Return the application id and the schema version."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    return application, connection.exec_driver_sql("PRAGMA user_version").scalar_one()


def _table_names(connection: Connection) -> set[str]:
    return set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
