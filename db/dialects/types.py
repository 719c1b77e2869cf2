"""Column types and table options."""

from collections.abc import Callable
from sqlite3 import DatabaseError as SqliteDatabaseError
from typing import Any

from sqlalchemy import Column, Float, Integer, type_coerce
from sqlalchemy.sql.elements import Label
from sqlalchemy.types import NULLTYPE, UserDefinedType

# A removed row's id is never reused. Systems other than SQLite ignore the option.
STABLE_IDS: dict[str, Any] = {"sqlite_autoincrement": True}
# Rows are stored in the order of their primary key, without a rowid. Other systems ignore this option as well.
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}


class Exact(UserDefinedType[Any]):
    """A column whose values are returned as one Python type, or raise an error.

    SQLite stores the type beside each value, so one damaged bit turns bytes into text. Such a value is reported as
    damage where it is read, instead of as a TypeError elsewhere.
    """

    cache_ok = True

    def __init__(self, declared: str, python: type) -> None:
        self.declared = declared
        self.python = python

    def get_col_spec(self, **_: Any) -> str:
        """Return the type's name in CREATE TABLE."""
        return self.declared

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any]:
        """Return the check applied to each stored value when it is read."""
        del dialect, coltype

        def checked(value: Any) -> Any:
            if value is not None and not isinstance(value, self.python):
                raise malformed(f"a {self.declared} is no longer one")
            return value

        return checked


BLOB = Exact("BLOB", bytes)
TEXT = Exact("TEXT", str)


def unchecked(column: Column[Any], name: str | None = None) -> Label[Any]:
    """Return a column, perhaps renamed, whose values are returned as stored; the caller checks their types."""
    return type_coerce(column, NULLTYPE).label(name or column.name)


def python_types(column: Column[Any]) -> tuple[type, ...]:
    """Return the types that a column's values have in Python."""
    kind = column.type
    own: tuple[type, ...]
    if isinstance(kind, Exact):
        own = (kind.python,)
    else:
        own = {Integer: (int,), Float: (float,)}[type(kind)]
    return (*own, type(None)) if column.nullable else own


def malformed(found: str) -> SqliteDatabaseError:
    """Return the error for a value of another type than its column."""
    return SqliteDatabaseError(f"database disk image is malformed ({found})")
