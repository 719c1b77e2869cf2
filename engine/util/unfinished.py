"""A record of temporary files, so that those of a killed process can be removed later.

Each temporary file has an entry, a small file in the user's cache folder that holds its path and that its writer keeps
locked. The lock ends with the process in all cases: an entry that can be locked has no running writer. Without a
writable cache folder nothing is recorded. Index files beside a library have no entry: their writers lock the file
itself.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.db.places import HAS_LOCKS, create_file, lock, make_private_folder, open_regular
from engine.util.paths import default_cache

PREFIX, SUFFIX = ".engine-", ".part"
FOLDER = "unfinished"
LONGEST_ENTRY = 1 << 16  # bytes


def temporary_beside(path: Path) -> Path:
    """Return an unpredictable name for a temporary file in the folder of path; it never exceeds a system's limit."""
    return path.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")


@contextmanager
def recorded(temporary: Path) -> Iterator[None]:
    """Keep an entry for a temporary file while it is written, and longer if it cannot be removed afterwards."""
    entry, folder = None, _folder()
    try:
        if folder is None:
            raise FileNotFoundError
        make_private_folder(folder)
        entry = create_file(folder / temporary.name)
        lock(entry)
        entry.write(os.fsencode(temporary))
        entry.flush()
    except OSError:  # no cache folder, or a full one: the file is written all the same
        pass
    try:
        yield
    finally:
        if entry is not None:
            if not os.path.lexists(temporary):
                with suppress(OSError):
                    Path(entry.name).unlink()
            with suppress(OSError):
                entry.close()


def remove_unfinished(library: Path | None = None) -> tuple[Path, ...]:
    """Remove the temporary files of writers that no longer run, and those beside a library; return those removed."""
    removed = []
    for path in _beside(library):
        with suppress(OSError):
            path.unlink()
            removed.append(path)
    for entry, temporary in _abandoned():
        try:
            temporary.unlink()
            removed.append(temporary)
        except FileNotFoundError:
            pass
        except OSError:
            continue  # its disk is missing or read-only: keep the entry for later
        with suppress(OSError):
            entry.unlink()
    return tuple(removed)


def unfinished(library: Path | None = None) -> tuple[Path, ...]:
    """Return the temporary files of writers that no longer run, those beside a library among them."""
    recorded_ones = (temporary for _, temporary in _abandoned() if temporary.exists())
    return (*_beside(library), *recorded_ones)


def _beside(library: Path | None) -> tuple[Path, ...]:
    """Return the temporary index files beside a library whose writers no longer run: these hold a lock on the file."""
    if library is None or not HAS_LOCKS:
        return ()
    ours = re.compile(re.escape(library.name) + r"\.[\w.-]+\.[0-9a-f]{16}\.part")
    found = []
    for path in sorted(library.parent.iterdir()):
        if ours.fullmatch(path.name):
            with suppress(OSError), open_regular(path) as handle:
                lock(handle)  # raises BlockingIOError while its writer lives
                found.append(path)
    return tuple(found)


def _abandoned() -> Iterator[tuple[Path, Path]]:
    """Yield entries that no process holds, with their temporary files."""
    folder = _folder()
    if not HAS_LOCKS or folder is None:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        with suppress(OSError, ValueError):
            with open_regular(entry) as handle:
                lock(handle)  # raises BlockingIOError while its writer lives
                temporary = Path(os.fsdecode(handle.read(LONGEST_ENTRY)))
            if temporary.is_absolute() and temporary.name == entry.name and temporary.name.startswith(PREFIX):
                yield entry, temporary
            elif entry.name.startswith(PREFIX):
                yield entry, entry  # killed before the path was written: nothing else was made


def _folder() -> Path | None:
    cache = default_cache()
    return None if cache is None else cache / FOLDER
