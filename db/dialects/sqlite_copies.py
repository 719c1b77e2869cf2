"""Make a consistent copy of a library, even while other processes write to it; put a copy in a library's place."""

import itertools
import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.db.places import PRIVATE_FILE, sync_folder
from engine.db.schema import APPLICATION_ID, OLDEST_VERSION, SCHEMA_VERSION
from engine.db.text import displayable
from engine.errors import LibraryError, brief

BACKUP_ID = 0x456E6742  # "EngB", the application id of copies: a library is never taken for one
LOGGING_OFFSET, ID_OFFSET = 18, 68  # bytes, in the header of a SQLite file: versions to write and read, application id
WITHOUT_LOG = b"\1\1"  # no write-ahead log: one file
LOCK_SECONDS = 1.0
LOGS = ("-wal", "-shm")


@dataclass(frozen=True)
class CopyFacts:
    """A verified copy: its schema version and its number of tracks."""

    version: int
    tracks: int


def copy_database(library: Path, target: Path) -> CopyFacts:
    """Copy a library into `target`, an empty file, in one read transaction; verify the copy.

    Raises:
        LibraryError: The library cannot be read or is damaged.
        OSError: The copy cannot be written.
    """
    try:
        source_name = f"{library.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(source_name, uri=True)) as source, closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")  # a journal would remain if this process is killed
            source.backup(copy)
        _stamp(target, BACKUP_ID)
    except sqlite3.Error as error:
        if "full" in str(error) or "I/O" in str(error):
            raise OSError(str(error)) from error
        raise LibraryError(
            f"library {displayable(library)} cannot be copied ({error})", hint="check it: engine doctor"
        ) from error
    return verify_copy(target)


def verify_copy(path: Path, name: str | None = None) -> CopyFacts:
    """Check a copy page by page.

    Args:
        path: The copy.
        name: For messages; by default the path.

    Raises:
        LibraryError: It is not a library, is damaged, or was made by a newer Engine.
    """
    name = name or displayable(path)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            application, version = (
                copy.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version")
            )
            if application not in (APPLICATION_ID, BACKUP_ID):
                raise LibraryError(f"expected a backup made by `engine backup FILE`, found another file at {name}")
            if not OLDEST_VERSION <= version <= SCHEMA_VERSION:
                raise LibraryError(
                    f"backup {name} has schema version {version}, this Engine reads version {SCHEMA_VERSION}",
                    hint="upgrade Engine",
                )
            problems = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
            if problems != ["ok"]:
                raise LibraryError(f"backup {name} is damaged ({brief(problems[0])})", hint="use another one")
            tracks = copy.execute("SELECT count(*) FROM tracks").fetchone()[0]
    except sqlite3.Error as error:
        raise LibraryError(f"expected a backup made by `engine backup FILE`, found at {name}: {error}") from error
    return CopyFacts(version, tracks)


def is_copy(file: BinaryIO) -> bool:
    """Return whether an open file is a copy, as opposed to a library in use."""
    header = file.read(ID_OFFSET + 4)
    return header.startswith(b"SQLite format 3\0") and header[ID_OFFSET:] == BACKUP_ID.to_bytes(4, "big")


def put_in_place(copy: Path, library: Path) -> Path | None:
    """Move a verified copy, in the library's folder, to the library's path; return the path of the old library.

    The old library, if there is one, remains beside the new one.

    Raises:
        LibraryError: Another process has the old library open.
        OSError: A file cannot be moved.
    """
    _stamp(copy, APPLICATION_ID)
    copy.chmod(PRIVATE_FILE)
    kept = None
    if os.path.lexists(library):
        _fold_log(library)
        kept = _second_name(library)
    try:
        copy.replace(library)
    except OSError:
        if kept is not None:
            kept.replace(library)  # undo; if both names are one file, this only removes a name
            kept.unlink(missing_ok=True)
        raise
    sync_folder(library.parent)
    return kept


def _second_name(library: Path) -> Path:
    """Give the old library a second name and return it, so that there is always a library at its path."""
    wanted = f"{library.name}.before-{time.strftime('%Y%m%d-%H%M%S')}"
    for number in itertools.count(1):
        kept = library.with_name(wanted if number == 1 else f"{wanted}-{number}")
        try:
            os.link(library, kept)
            break
        except FileExistsError:  # two restores within a second
            continue
        except OSError:  # a file system without hard links
            if not os.path.lexists(kept):
                library.rename(kept)
                break
    return kept


def _stamp(copy: Path, application: int) -> None:
    """Make a closed copy one file of this application id, without SQLite, which would write a journal beside it."""
    with copy.open("r+b") as file:
        file.seek(LOGGING_OFFSET)
        file.write(WITHOUT_LOG)
        file.seek(ID_OFFSET)
        file.write(application.to_bytes(4, "big"))
        file.flush()
        os.fsync(file.fileno())


def _fold_log(library: Path) -> None:
    """Fold a library's write-ahead log into its file; its log must not be read beside another library."""
    try:
        with closing(sqlite3.connect(library, timeout=LOCK_SECONDS, isolation_level=None)) as old:
            old.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise LibraryError(
                f"library {displayable(library)} is open in another process",
                hint="close it and restore again: nothing was changed",
            ) from error
    except sqlite3.DatabaseError:
        pass  # a damaged library is replaced anyway
    for part in LOGS:
        with suppress(FileNotFoundError):
            Path(f"{library}{part}").unlink()
