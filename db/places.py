"""Files and folders for their owner alone, and files that can be opened without waiting.

A library, its index and what is cached of it tell what somebody listens to: they are made so that no other user may
read them, whatever the umask. What is there already keeps its permissions.
"""

import errno
import os
import stat
from io import BufferedRandom, BufferedReader
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
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


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; raises OSError for a pipe or a device, which could make the reader wait for ever."""
    handle = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return handle
