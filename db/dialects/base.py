"""The protocol of a database system: connections, transactions, errors, and the SQL that differs between systems."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Connection, Engine, Executable, Table

from engine.errors import LibraryError


@dataclass(frozen=True)
class Header:
    """The identity of a library: its application id and its schema version. Both are 0 in an empty file."""

    application: int
    version: int


@dataclass(frozen=True)
class Meaning:
    """An error in the user's terms: its kind, the problem, and the next step."""

    kind: type[LibraryError]
    problem: str
    hint: str

    def error(self, name: str, found: str = "") -> LibraryError:
        """Make the error about the library of this name; `found` quotes the cause."""
        return self.kind(f"{name} {self.problem}{f' ({found})' if found else ''}", hint=self.hint)


NOT_A_LIBRARY = Meaning(
    LibraryError, "is not a library: expected a file made by `engine index PATH`", "name another file"
)
WRITES = "engine_writes"  # execution option of a connection: whether it may change the library
DAMAGED = Meaning(LibraryError, "is damaged", "restore a backup, or move it away and index again")


class Watch(Protocol):
    """A cheap poll for changes to a library by any process."""

    def token(self) -> tuple[int, ...]:
        """Return a value that differs after the library changed."""

    def close(self) -> None:
        """Release the connection."""


class Dialect(Protocol):
    """A database system."""

    name: str  # SQLAlchemy's
    errors: tuple[type[Exception], ...]  # raised by the driver itself, outside SQLAlchemy

    def engine(self, path: Path, *, writable: bool) -> Engine:
        """Return an engine whose connections begin no transaction of their own; see `begin`."""

    def begin(self, connection: Connection) -> None:
        """Begin a transaction; writers queue here, readers see one state and can change nothing.

        Called by SQLAlchemy's event "begin"; the execution option WRITES distinguishes the two.
        """

    def watch(self, path: Path, *, writable: bool) -> Watch:
        """Return a poll for changes."""

    def prepare(self, path: Path) -> None:
        """Allow concurrent readers and a writer, for all later connections."""

    def header(self, connection: Connection) -> Header:
        """Return the identity of the library."""

    def put_header(self, connection: Connection, header: Header) -> None:
        """Write the identity of the library, in the running transaction."""

    def tables(self, connection: Connection) -> set[str]:
        """Return the names of all tables."""

    def explained(self, path: Path, error: BaseException, *, full: bool) -> LibraryError:
        """Return the error to raise for one of the driver's; `full`: the disk was full when the library was opened."""

    def upsert(self, table: Table, key: Sequence[Column[Any]], values: dict[str, Any]) -> Executable:
        """Insert a row; where its key exists, update the row. `values` that are not part of the key replace the old."""

    def insert_missing(self, table: Table, values: dict[str, Any]) -> Executable:
        """Insert a row; where its key exists, do nothing."""

    def indexes_text(self) -> bool:
        """Return whether text can be indexed by sequences of three characters."""

    def joined(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """Aggregate the values of a group into one text, separated by commas, in any order."""

    def prefixed(self, prefix: bytes, column: ColumnElement[bytes]) -> ColumnElement[bytes]:
        """Return bytes with a prefix before them."""

    def problems(self, connection: Connection, most: int) -> list[str]:
        """Return the damage found by the system's own check, at most `most` lines; empty if sound."""

    def dangling(self, connection: Connection) -> dict[str, int]:
        """Return the number of rows by table that refer to a row that does not exist."""
