"""Find files: walk folders in a fixed order, follow links without cycles, open nothing.

Links are followed only to places inside the given folder unless the user wants more: a folder from elsewhere could
otherwise link to everything that its user may read. The given folder itself may be a link.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from engine.db.file_times import modified_ns
from engine.errors import reason_of

SPECIAL = (b"/proc", b"/sys", b"/dev")  # file systems without regular files
SHARED_MEMORY = b"/dev/shm"
BINS = frozenset(
    [
        *(b"$recycle.bin", b"recycled", b"recycler", b"recycle.bin", b"system volume information"),  # Windows
        *(
            b"#recycle",
            b"@recycle",
            b"@recycle bin",
            b"@recently-snapshot",
            b"@eadir",
            b"#snapshot",
            b"~snapshot",
        ),  # NAS
        *(b"network trash folder", b"temporary items", b"__macosx", b"lost+found", b"trashbox"),
    ]
)
"""Casefolded names of folders of deleted files, snapshots and thumbnails."""
UNFINISHED = (
    *(b".part", b".partial", b".crdownload", b".download", b".opdownload", b".dtapart", b".filepart", b".aria2"),
    *(b".!qb", b".!ut", b".!bt", b".bc!", b".fdmdownload", b".unfinished", b".incomplete", b".tmp", b".temp", b".ytdl"),
)
"""Casefolded endings of downloads and copies in progress."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file: its absolute path (links kept), its size in bytes, its modification time in nanoseconds.

    `named`: the file itself was given, not a folder above it. `inode`: its device and inode, which are the same under
    every name that a file has.
    """

    path: bytes
    size: int
    mtime_ns: int
    named: bool = False
    inode: tuple[int, int] | None = None


@dataclass(frozen=True)
class Unreadable:
    """A path that could not be examined, and the reason in one line."""

    path: bytes
    reason: str


@dataclass(frozen=True)
class OutsideLink:
    """A link out of the given folder, not followed."""

    path: bytes


def scan(
    paths: Iterable[str | bytes | os.PathLike[str] | os.PathLike[bytes]], follow_links: bool = False
) -> Iterator[FoundFile | Unreadable | OutsideLink]:
    """Yield each regular file at or below `paths` once, folders in sorted order.

    FIFOs, sockets and devices inside folders are skipped, because opening one could wait forever. So are hidden names
    (".x": trash, thumbnails, macOS' "._x.mp3" resource forks), `BINS` and `UNFINISHED` files. A path that is given
    itself is always yielded, as a file or as Unreadable. A folder reached a second time, by a link or by another path,
    is not walked again.

    Args:
        paths: Files and folders.
        follow_links: Also follow links that lead out of the given folder; never into `SPECIAL`.
    """
    walked: set[tuple[int, int]] = set()
    yielded: set[bytes] = set()
    tops = [os.path.abspath(os.fsencode(path)) for path in paths]  # noqa: PTH100 (`resolve` would lose the links)
    given = frozenset(tops)
    for top in tops:
        for found in _walk(top, walked, follow_links):
            if found.path not in yielded:
                yielded.add(found.path)
                yield replace(found, named=found.path in given) if isinstance(found, FoundFile) else found


def _walk(
    top: bytes, walked: set[tuple[int, int]], follow_links: bool
) -> Iterator[FoundFile | Unreadable | OutsideLink]:
    """Walk with an explicit stack: folders may be nested deeper than Python's recursion limit."""
    try:
        root = os.path.realpath(top)
    except ValueError as error:  # a NUL in the name
        yield Unreadable(top, reason_of(error))
        return
    if _is_special(root):
        yield Unreadable(top, "a place of the system's own, which holds no music")
        return
    stack = [(top, root)]  # each path as the user sees it, and its real path
    while stack:
        path, real = stack.pop()
        if _is_special(real) or not (follow_links or _is_inside(real, root)):
            if os.path.islink(path):  # noqa: PTH114 (paths are bytes, which Path does not take)
                yield OutsideLink(path)
            continue
        found = _examine(path)
        if found is None:
            if path == top:
                yield Unreadable(top, "a device, pipe or socket, not a file of sound")
        elif not isinstance(found, os.stat_result):
            yield found
        elif (found.st_dev, found.st_ino) not in walked:
            walked.add((found.st_dev, found.st_ino))
            try:
                stack.extend(_children(path, real))
            except OSError as error:
                yield Unreadable(path, reason_of(error))


def _examine(path: bytes) -> FoundFile | Unreadable | os.stat_result | None:
    """Return a file, an error, the status of a folder, or None for a device, pipe or socket."""
    try:
        status = os.stat(path)  # noqa: PTH116 (bytes)
    except (OSError, ValueError) as error:
        return Unreadable(path, reason_of(error))
    if stat.S_ISREG(status.st_mode):
        return FoundFile(path, status.st_size, modified_ns(status), inode=(status.st_dev, status.st_ino))
    return status if stat.S_ISDIR(status.st_mode) else None


def _children(folder: bytes, real: bytes) -> list[tuple[bytes, bytes]]:
    """List a folder, last name first as a stack needs it: paths, and their real paths."""
    with os.scandir(folder) as entries:
        listed = [(entry.path, entry.name, entry.is_symlink()) for entry in entries if not _is_skipped(entry.name)]
    places = ((path, os.path.realpath(path) if link else os.path.join(real, name)) for path, name, link in listed)  # noqa: PTH118
    return sorted(places, reverse=True)


def _is_skipped(name: bytes) -> bool:
    folded = name.lower()
    return name.startswith(b".") or folded in BINS or folded.endswith(UNFINISHED)


def _is_inside(real: bytes, root: bytes) -> bool:
    return real == root or real.startswith(root.rstrip(b"/") + b"/")


def _is_special(real: bytes) -> bool:
    return any(_is_inside(real, place) for place in SPECIAL) and not _is_inside(real, SHARED_MEMORY)
