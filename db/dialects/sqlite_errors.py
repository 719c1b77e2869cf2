"""Translate SQLite's errors for the user: the problem and the next step."""

from __future__ import annotations

from pathlib import Path

from engine.db.dialects.base import DAMAGED, NOT_A_LIBRARY, Meaning
from engine.db.text import displayable
from engine.errors import BusyError, LibraryError, UnavailableError

BUSY_SECONDS = 30.0  # how long to wait for another process's write


MEANINGS = {  # by a part of SQLite's message; the first match is used
    "not a database": NOT_A_LIBRARY,
    "malformed": DAMAGED,
    "decode to utf-8": DAMAGED,
    "codec can't decode": DAMAGED,
    "no such table": DAMAGED,
    "no such column": DAMAGED,
    "is full": Meaning(
        UnavailableError,
        "cannot grow, the disk is full",
        "this step was undone: free some space and run again",
    ),
    "readonly": Meaning(
        UnavailableError,
        "cannot be written",
        "make the file and its folder writable, or copy it to where you can write",
    ),
    "locked": Meaning(
        BusyError,
        f"is being written by another process, for more than {BUSY_SECONDS:.0f} s",
        "run again when that is done",
    ),
    "unable to open": Meaning(
        UnavailableError,
        "cannot be opened",
        "check that the file and its folder exist and that you may read and write them",
    ),
    "i/o error": Meaning(
        UnavailableError,
        "cannot be read or written",
        "if the disk is full, free some space and run again; else check the disk",
    ),
    "constraint": Meaning(
        LibraryError, "refused a row", "another process may have removed its track meanwhile: run again"
    ),
}
OTHERWISE = Meaning(
    LibraryError,
    "could not answer",
    "run again; if this persists, restore a backup, or move the library away and index again",
)


def explained(path: Path, error: BaseException, *, full: bool = False) -> LibraryError:
    """Return the error to raise for one of SQLite's about the library at a path.

    Args:
        path: The library.
        error: SQLite's.
        full: Whether the library is read-only because its disk was full when it was opened.
    """
    found = " ".join(str(error).split())
    if full and "readonly" in found.lower():
        return MEANINGS["is full"].error(f"library {displayable(path)}")
    meaning = next((each for part, each in MEANINGS.items() if part in found.lower()), OTHERWISE)
    return meaning.error(f"library {displayable(path)}", f"SQLite: {found}")
