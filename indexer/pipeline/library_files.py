"""The files of the library itself, which may lie among the music, or be linked to from there."""

from __future__ import annotations

import os
from contextlib import suppress

LIBRARY_PARTS = (b"", b"-wal", b"-shm", b"-journal")


def library_inodes(library: bytes) -> set[tuple[int, int]]:
    """Return devices and inodes of the library, links resolved, and of SQLite's files beside it.

    To open and close one of them, under whatever name a link gives it, would drop SQLite's locks in this process.
    """
    real, inodes = os.path.realpath(library), set()
    for part in LIBRARY_PARTS:
        with suppress(OSError):
            status = os.stat(real + part)  # noqa: PTH116 (bytes)
            inodes.add((status.st_dev, status.st_ino))
    return inodes
