"""Atomic writes: after a crash or on a full disk, either the old file or the complete new one exists.

A file that a user names is created, or replaces an earlier file of the same kind, recognised by content: a mistyped
name must not destroy a song, a library, or another program's document.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.db.places import PRIVATE_FILE, create_file, open_regular, sync_folder
from engine.db.text import displayable
from engine.errors import OutputError
from engine.util.unfinished import recorded, temporary_beside

PUBLIC_FILE = 0o666  # before the umask: output files follow the user's own policy
DATABASE_MAGIC = b"SQLite format 3\0"
DATABASE_PARTS = ("-wal", "-shm", "-journal")
BEGINNING = 512  # bytes of a file that identify its kind
LARGEST_HEADER = 2**24  # bytes, of a safetensors file
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EXPORT_ARRAYS = frozenset(["ids.npy", "paths.npy", "signatures.npy", "encoder.npy"])


@dataclass(frozen=True)
class Kind:
    """A kind of file that Engine writes: its name in messages, and a test of an open file."""

    name: str
    is_one: Callable[[BinaryIO], bool]


def beginning_with(name: str, *starts: bytes) -> Kind:
    """Return the kind of files that begin with one of these bytes, ignoring case."""

    def is_one(file: BinaryIO) -> bool:
        text = file.read(BEGINNING).removeprefix(BYTE_ORDER_MARK).lstrip().lower()
        return text.startswith(tuple(start.lower() for start in starts))

    return Kind(name, is_one)


def safetensors_kind(name: str, is_ours: Callable[[dict[str, object]], bool]) -> Kind:
    """Return the kind of safetensors files with Engine's metadata."""

    def is_one(file: BinaryIO) -> bool:
        size = int.from_bytes(file.read(8), "little")
        if size > LARGEST_HEADER:
            return False
        try:
            metadata = json.loads(file.read(size))["__metadata__"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        return isinstance(metadata, dict) and is_ours(metadata)

    return Kind(name, is_one)


def _is_export(file: BinaryIO) -> bool:
    if file.read(4) != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return set(archive.namelist()) == EXPORT_ARRAYS
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


PICTURE = beginning_with("PNG picture", b"\x89PNG\r\n\x1a\n")
PAGE = beginning_with("HTML page", b"<!doctype html", b"<html")
PLAYLIST = beginning_with("playlist with #EXTM3U", b"#EXTM3U")
EXPORT = Kind("export of signatures", _is_export)
ANYTHING = Kind("file", lambda _: True)  # only in Engine's own folders, and for deliberate rewrites


def check_output(target: Path, kind: Kind) -> Path:
    """Return the real path of a file to write, links followed; a missing folder is not checked.

    Raises:
        OutputError: The path holds a file of another kind, a folder, a device, or a part of a database.
        OSError: The path cannot be examined.
    """
    try:
        real = Path(os.path.realpath(target))
        found = _status(real)
    except ValueError as error:  # NUL in the name
        raise OutputError(
            f"expected a file to write to, found the name {displayable(target)!r}", hint="choose another"
        ) from error
    _refuse_database_part(target, real)
    if found is None:
        return real
    if not stat.S_ISREG(found.st_mode):
        raise _refusal(target, kind, "a folder" if stat.S_ISDIR(found.st_mode) else "a device, pipe or socket")
    if found.st_size and kind is not ANYTHING:
        with open_regular(real) as file:
            if not kind.is_one(file):
                raise _refusal(target, kind, _what(file))
    return real


@contextmanager
def replacing(target: Path, kind: Kind) -> Iterator[BinaryIO]:
    """Yield a file to write (and read), which replaces `target` if the block succeeds.

    Links are followed: the target of a link is replaced.

    Args:
        target: The final path; its folder exists.
        kind: The kind of the new file, and the only kind to be replaced.

    Raises:
        OutputError: A file of another kind exists before or after the block; it is unchanged.
        OSError: The file cannot be written; the old one is unchanged, and no temporary file remains.
    """
    real = check_output(target, kind)
    partial = temporary_beside(real)
    with recorded(partial):
        try:
            with create_file(partial, PRIVATE_FILE if kind is ANYTHING else PUBLIC_FILE) as handle:
                if real.exists():
                    shutil.copymode(real, partial)
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            check_output(real, kind)  # another program may have created it meanwhile
            partial.replace(real)
            sync_folder(real.parent)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def _status(real: Path) -> os.stat_result | None:
    try:
        return real.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _refuse_database_part(target: Path, real: Path) -> None:
    """Raise OutputError for the names of SQLite's companion files of a database, existing or not."""
    for path in (target, real):
        for part in DATABASE_PARTS:
            database = path.with_name(path.name.removesuffix(part)) if path.name != part else path
            if path.name.endswith(part) and _is_database(database):
                raise OutputError(
                    f"{displayable(target)} belongs to the database {displayable(database)}, which would be damaged",
                    hint="choose another name",
                )


def _is_database(path: Path) -> bool:
    with suppress(OSError):
        if path.is_file():
            with open_regular(path) as file:
                return file.read(len(DATABASE_MAGIC)) == DATABASE_MAGIC
    return False


def _what(file: BinaryIO) -> str:
    file.seek(0)
    return "a library or another database" if file.read(16) == DATABASE_MAGIC else "another file"


def _refusal(target: Path, kind: Kind, found: str) -> OutputError:
    step = "nothing was written: choose another name, or move it away"
    return OutputError(f"{displayable(target)}: expected nothing or an earlier {kind.name}, found {found}", hint=step)
