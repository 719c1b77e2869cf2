"""Conversions for columns: paths as bytes, valid text, ids in batches."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LibraryError, visible

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

VARIABLES = 900  # values bound in one statement: older SQLite allows 999
ROWS_AT_ONCE = 4096  # fetched at a time while an array is filled
SEPARATOR = os.fsencode(os.sep)
ARTIST_SEPARATOR = "; "  # between the artists of a track


def displayable(path: bytes | str | os.PathLike[str]) -> str:
    """Return a path for a message or a page: one line, valid Unicode, bytes that are not UTF-8 as U+FFFD."""
    return visible(path.decode("utf-8", "replace") if isinstance(path, bytes) else clean(os.fspath(path)))


def absolute(path: bytes) -> bytes:
    """Return the path unchanged.

    Raises:
        LibraryError: It is relative, or contains a NUL byte.
    """
    if not Path(os.fsdecode(path)).is_absolute() or b"\0" in path:
        raise LibraryError(
            f"expected an absolute path without NUL bytes, found {displayable(path)!r}", hint="give the full path"
        )
    return path


def clean(text: str) -> str:
    """Return text with lone surrogates, which SQLite cannot store, as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fold(text: str) -> str:
    """Return text case-folded and in NFC, since some systems decompose accents in file names."""
    return unicodedata.normalize("NFC", clean(text).casefold())


def artist_names(text: str | None) -> list[str]:
    """Return the artists of a tag, in order. Only ";" separates them: "/", "&" and "," belong to names."""
    return [name for part in (text or "").split(ARTIST_SEPARATOR.strip()) if (name := part.strip())]


def portions(ids: Iterable[int], size: int = VARIABLES) -> list[list[int]]:
    """Return ids in lists of at most `size` plain ints: sqlite3 takes no NumPy integers."""
    plain = list(map(int, ids))
    return [plain[start : start + size] for start in range(0, len(plain), size)]


@dataclass(frozen=True)
class Folder:
    """A file or folder and everything below it, in whole path components: `/music` does not hold `/music2`."""

    path: bytes  # without a separator at its end; empty for the root of the file system

    @classmethod
    def of(cls, path: bytes) -> Folder:
        """Return the folder at an absolute path; raise LibraryError if it is relative."""
        return cls(absolute(path).rstrip(SEPARATOR))

    def holds(self, path: bytes) -> bool:
        """Return whether a path is this one or below it."""
        return path == self.path or path.startswith(self.path + SEPARATOR)

    def condition(self, column: ColumnElement[bytes]) -> ColumnElement[bool]:
        """Return `holds` as a SQL condition that uses an index on the column."""
        after = bytes([SEPARATOR[0] + 1])  # the byte after the separator: every longer path sorts between the two
        return (column == self.path) | ((column >= self.path + SEPARATOR) & (column < self.path + after))

    def rebased(self, path: bytes, onto: Folder) -> bytes:
        """Return the path, in this folder, after the folder was moved to `onto`."""
        return (onto.path + path[len(self.path) :]) or SEPARATOR
