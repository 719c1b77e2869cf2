"""Open or create a library, begin transactions, and translate errors of the database."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from engine.db.dialects import SQLITE
from engine.db.dialects.base import DAMAGED, NOT_A_LIBRARY, WRITES, Header
from engine.db.migrations import upgrade
from engine.db.places import create_file, make_private_folder
from engine.db.schema import APPLICATION_ID, OLDEST_VERSION, SCHEMA_VERSION, metadata
from engine.db.text import displayable
from engine.db.text_search import create_text_search
from engine.errors import LibraryError, UnavailableError, reason_of

FIRST_TABLES = frozenset(["tracks", "skipped", "roots", "signatures", "segments", "settings", "vector_indexes"])
SMALLEST_FILE = 512  # bytes, one page; SQLite takes some shorter foreign files for empty databases


class Database:
    """An open library. Any number of threads may read at once; writers, of any process, take turns."""

    def __init__(self, path: Path, *, writable: bool, full: bool = False) -> None:
        self.path, self.full = path, full
        self.closed = False
        self.dialect = SQLITE
        engine = self.dialect.engine(path, writable=writable)
        event.listen(engine, "begin", self.dialect.begin)
        self._readers = engine.execution_options(**{WRITES: False})
        self._writers = engine.execution_options(**{WRITES: True})
        self._causes: tuple[type[Exception], ...] = (DBAPIError, *self.dialect.errors)
        self._identity = _identity(path)
        self._watch_lock = threading.Lock()
        self._watch = self.dialect.watch(path, writable=writable)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a read-only connection that sees one state of the library.

        Raises:
            LibraryError: The file cannot be read, or is damaged.
        """
        if self.closed:
            raise self._closed()
        try:
            with self._readers.connect() as connection:
                yield connection
        except self._causes as error:
            raise self._explained(error) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed at the end of the block, or rolled back if it raises.

        Raises:
            LibraryError: The file cannot be written, is damaged, was moved or replaced since it was opened, or another
                process holds it for `BUSY_SECONDS`.
        """
        if self.closed:
            raise self._closed()
        try:
            with self._writers.begin() as connection:
                self._refuse_another_file()
                yield connection
                self._refuse_another_file()  # else the changes would be lost with the removed file
        except self._causes as error:
            raise self._explained(error) from error

    def version(self) -> tuple[int, ...]:
        """Return a token that differs after any process has changed the library; takes microseconds.

        Raises:
            LibraryError: The file cannot be read.
        """
        if self.closed:
            raise self._closed()
        try:
            with self._watch_lock:
                return self._watch.token()
        except self._causes as error:
            raise self._explained(error) from error

    def close(self) -> None:
        """Close every connection; the last one to close folds the write-ahead log back into the file."""
        with self._watch_lock:
            self._watch.close()
        self.closed = True
        self._readers.dispose()  # readers and writers share one pool

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_another_file(self) -> None:
        """Raise LibraryError unless the opened file is still at its path."""
        now = _identity(self.path)
        if now != self._identity:
            what = "is gone" if now is None else "is another file now"
            raise UnavailableError(
                f"library {displayable(self.path)} {what}: it was moved, deleted or replaced since it was opened",
                hint="nothing was written: put it back, or open it again",
            )

    def _closed(self) -> LibraryError:
        return LibraryError(f"library {displayable(self.path)} is closed", hint="open it again")

    def _explained(self, error: Exception) -> LibraryError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        return self.dialect.explained(self.path, cause or error, full=self.full)


def open_database(path: Path, *, create: bool) -> Database:
    """Open the library at a path.

    Reads only the header and the list of tables; damage elsewhere is reported by the statement that finds it.

    Args:
        path: The library file.
        create: Create the file and its folder if missing; an empty file counts as missing.

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
        if not writable or not isinstance(error.__cause__, (DBAPIError, *SQLITE.errors)):
            raise
        # On a full disk SQLite cannot create the index through which it reads a write-ahead log.
        try:
            return _opened(Database(path, writable=False, full=True), create=False, prepare=False)
        except LibraryError:
            raise error from None


def _opened(database: Database, *, create: bool, prepare: bool) -> Database:
    """Check a database; first create or migrate its tables if requested. Close it on failure."""
    try:
        if create and _is_blank(database):
            _create_tables(database)
        _identify(database)
        if prepare:
            database.dialect.prepare(database.path)
            _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def _find_or_make(path: Path, create: bool) -> None:
    """Ensure that a regular file is at the path, or raise LibraryError."""
    try:
        if create and not os.path.lexists(path):
            make_private_folder(path.parent)
            with suppress(FileExistsError):  # another process was faster
                create_file(path).close()  # SQLite's files beside it get the same permissions
        found = path.stat()
    except FileNotFoundError:
        expected = "expected a file made by `engine index PATH`: run that first, or name another file"
        raise UnavailableError(f"no library at {displayable(path)}", hint=expected) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = reason_of(error)
        step = "name a file in a folder where you can write" if create else "name a file that you can read"
        raise UnavailableError(f"library {displayable(path)} cannot be opened ({reason})", hint=step) from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise LibraryError(
            f"expected a library at {displayable(path)}, found {kind}", hint="name a file, for example library.db"
        )
    if 0 < found.st_size < SMALLEST_FILE:
        raise NOT_A_LIBRARY.error(displayable(path), f"found {found.st_size} bytes")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which identify a file under any name; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_blank(database: Database) -> bool:
    with database.read() as connection:
        return _nothing_in(database, connection)


def _create_tables(database: Database) -> None:
    with database.write() as connection:
        if not _nothing_in(database, connection):
            return  # another process was faster; `_identify` checks its tables
        metadata.create_all(connection, checkfirst=False)
        create_text_search(connection)
        database.dialect.put_header(connection, Header(APPLICATION_ID, SCHEMA_VERSION))


def _nothing_in(database: Database, connection: Connection) -> bool:
    return database.dialect.header(connection) == Header(0, 0) and not database.dialect.tables(connection)


def _identify(database: Database) -> None:
    """Raise LibraryError unless the file is a library of this version with all its tables."""
    name = displayable(database.path)
    with database.read() as connection:
        header = database.dialect.header(connection)
        names = database.dialect.tables(connection)
    application, version = header.application, header.version
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
    """Migrate an older library to SCHEMA_VERSION, preserving its data."""
    with database.read() as connection:
        if database.dialect.header(connection).version == SCHEMA_VERSION:
            return
    with database.write() as connection:
        version = database.dialect.header(connection).version
        if version < SCHEMA_VERSION:  # else another process was faster
            upgrade(connection, version)
            database.dialect.put_header(connection, Header(APPLICATION_ID, SCHEMA_VERSION))
