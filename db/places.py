"""Create files and folders private to their owner, and open files without blocking.

A library, its index and its caches reveal the owner's listening habits, so other users may not read them, regardless of
the umask. Existing files keep their permissions.
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
    """Create a folder and its missing parents, private to the owner; raise OSError on failure."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(PRIVATE_FOLDER, exist_ok=True)
        if stat.S_IMODE(place.stat().st_mode) != PRIVATE_FOLDER:  # the umask removed more
            place.chmod(PRIVATE_FOLDER)
    if not missing and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def create_file(path: Path, mode: int = PRIVATE_FILE) -> BufferedRandom:
    """Create a file for writing and reading; PRIVATE_FILE applies regardless of the umask.

    Raises:
        FileExistsError: The path exists, if only as a link, which is not followed.
        OSError: It cannot be created.
    """
    handle = open(path, "x+b", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
    if mode == PRIVATE_FILE and hasattr(os, "fchmod"):
        os.fchmod(handle.fileno(), mode)
    return handle


def lock(handle: BufferedRandom | BufferedReader) -> None:
    """Lock an open file until it is closed or the process ends.

    Raises:
        BlockingIOError: Another process holds the lock. Without `HAS_LOCKS` nothing is locked.
    """
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename in it survives a power failure; ignore systems that cannot."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; raise OSError for a pipe or device, which could block the reader."""
    handle = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return handle
