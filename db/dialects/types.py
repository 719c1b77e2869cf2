"""Column types and table options."""

from collections.abc import Callable
from sqlite3 import DatabaseError as SqliteDatabaseError
from typing import Any

from sqlalchemy.types import UserDefinedType

# A removed row's id is never given out again. Other systems than SQLite ignore the option.
STABLE_IDS: dict[str, Any] = {"sqlite_autoincrement": True}


class Exact(UserDefinedType[Any]):
    """A column whose values come back as one Python type or not at all.

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
        """Return the check that each stored value passes on its way out."""
        del dialect, coltype

        def checked(value: Any) -> Any:
            if value is not None and not isinstance(value, self.python):
                raise SqliteDatabaseError(f"database disk image is malformed (a {self.declared} is no longer one)")
            return value

        return checked


BLOB = Exact("BLOB", bytes)
TEXT = Exact("TEXT", str)
