"""Files and folders for their owner alone, and files that can be opened without waiting.

A library, its index and what is cached of it tell what somebody listens to: they are made so that no other user may
read them, whatever the umask. What is there already keeps its permissions.
"""

import errno
import os
import stat
from contextlib import suppress
from io import BufferedRandom, BufferedReader
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
HAS_LOCKS = fcntl is not None
BINARY = getattr(os, "O_BINARY", 0)


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those around it, for its owner alone; raises OSError where that cannot be."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(PRIVATE_FOLDER, exist_ok=True)
        if stat.S_IMODE(place.stat().st_mode) != PRIVATE_FOLDER:  # the umask took more
            place.chmod(PRIVATE_FOLDER)
    if not missing and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def create_file(path: Path, mode: int = PRIVATE_FILE) -> BufferedRandom:
    """Make a new file, to write and read; with the mode of a private one the umask does not count.

    Raises:
        FileExistsError: There is something; a link counts, it is not followed.
        OSError: It cannot be made.
    """
    handle = open(path, "x+b", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
    if mode == PRIVATE_FILE and hasattr(os, "fchmod"):
        os.fchmod(handle.fileno(), mode)
    return handle


def lock(handle: BufferedRandom | BufferedReader) -> None:
    """Lock an open file until it is closed or the process ends.

    Raises:
        BlockingIOError: Another process holds it. Without `HAS_LOCKS` nothing is locked.
    """
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename in it survives a loss of power; ignore systems without."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; raises OSError for a pipe or a device, which could make the reader wait for ever."""
    handle = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return handle
