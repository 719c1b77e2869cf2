"""Back up a library into one file, also while an indexer runs, and restore it.

A backup contains everything that cannot be computed again (plays, ids, tags as read) and the signatures, but neither
weights nor index files.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.backup.results import Backup, Restored
from engine.db import Database
from engine.db.dialects.sqlite_copies import copy_database, is_copy, put_in_place, verify_copy
from engine.db.places import create_file, make_private_folder, open_regular
from engine.db.text import displayable
from engine.errors import LibraryError, reason_of
from engine.util.atomic_files import Kind, replacing
from engine.util.unfinished import recorded, temporary_beside

CHUNK = 1 << 20  # bytes
BACKUP = Kind("backup", is_copy)


def back_up(database: Database, file: str | os.PathLike[str]) -> Backup:
    """Copy a library into a file and verify the copy; see `Engine.backup`."""
    target = Path(file)
    if not target.name or os.path.isdir(target):  # noqa: PTH112 (`Path.is_dir` fails for names that are too long)
        raise LibraryError(
            f"expected a file to write to, found {displayable(target)!r}", hint="name one, for example music.bak"
        )
    try:
        with replacing(target, BACKUP) as handle:
            facts = copy_database(database.path, Path(os.fsdecode(handle.name)))
            size = Path(os.fsdecode(handle.name)).stat().st_size
    except OSError as error:
        reason = reason_of(error)
        raise LibraryError(
            f"cannot write {displayable(target)}: {reason}", hint="free space or choose another place"
        ) from error
    return Backup(str(target.absolute()), facts.tracks, size)


def restore(file: str | os.PathLike[str], library: Path) -> Restored:
    """Verify a backup and put it in a library's place; see `Engine.restore`."""
    source, library = Path(file), library.absolute()
    if not os.path.isfile(source):  # noqa: PTH113 (`Path.is_file` fails for names that are too long)
        raise LibraryError(f"expected a backup made by `engine backup FILE`, found no file at {displayable(source)}")
    if os.path.exists(library) and source.samefile(library):  # noqa: PTH110
        raise LibraryError(f"{displayable(source)} is the library itself", hint="name a backup")
    temporary = temporary_beside(library)
    try:
        make_private_folder(library.parent)
        with recorded(temporary):
            try:
                _copy(source, temporary)
                facts = verify_copy(temporary, displayable(source))
                kept = put_in_place(temporary, library)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = reason_of(error)
        raise LibraryError(
            f"cannot restore to {displayable(library)}: {reason}",
            hint="nothing was lost: free space or choose another place",
        ) from error
    return Restored(str(library), facts.tracks, source.stat().st_mtime, None if kept is None else str(kept))


def _copy(source: Path, target: Path) -> None:
    with open_regular(source) as reader, create_file(target) as writer:
        while chunk := reader.read(CHUNK):
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
