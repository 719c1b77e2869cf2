"""Finds files: walks folders in a fixed order, follows links without going round in circles, opens nothing.

A link is followed where it leads to a place inside the folder that was asked for, or anywhere if wanted: a folder from
elsewhere could otherwise lead into all that its user may read. That folder itself may be a link.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MEDIA_EXTENSIONS = frozenset(
    (
        b".3g2 .3gp .aa .aac .ac3 .adts .aif .aifc .aiff .alac .amr .ape .asf .au .avi .awb .caf .dff .dsf "
        b".dts .dtshd .eac3 .f4a .f4v .flac .flv .m2ts .m4a .m4b .m4r .m4v .mka .mkv .mlp .mov .mp+ .mp1 .mp2 "
        b".mp3 .mp4 .mpa .mpc .mpeg .mpg .mpp .mts .mxf .oga .ogg .ogm .ogv .ogx .oma .opus .qcp .qoa .ra "
        b".rf64 .rm .rmvb .shn .snd .sox .spx .tak .thd .ts .tta .vob .voc .vqf .w64 .wav .wave .weba .webm "
        b".wma .wmv .wtv .wv .xwma"
    ).split()
)
"""Lower-case extensions of audio and video files."""
SPECIAL = (b"/proc", b"/sys", b"/dev")  # file systems whose files are no files
SHARED_MEMORY = b"/dev/shm"


@dataclass(frozen=True)
class FoundFile:
    """A regular file: its absolute path (links kept), its size in bytes, its time of change in nanoseconds."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Unreadable:
    """A path that could not be looked at, and the system's reason in one line."""

    path: bytes
    reason: str


@dataclass(frozen=True)
class OutsideLink:
    """A link that leads out of the folder that is walked, and was not followed."""

    path: bytes


def scan(
    paths: Iterable[str | bytes | os.PathLike[str] | os.PathLike[bytes]], follow_links: bool = False
) -> Iterator[FoundFile | Unreadable | OutsideLink]:
    """Yield each regular file at or below `paths` once, folders in sorted order.

    FIFOs, sockets and devices are passed over: to open one could wait for ever. Hidden names (".x") are passed over
    inside folders: they are trash, thumbnails and macOS' "._x.mp3" resource forks, which hold no sound; a hidden path
    that is given by name is taken. A folder reached a second time, by a link or by another path, is not walked again.

    Args:
        paths: Files and folders.
        follow_links: Also follow links that lead out of the folder in which they lie; never into `SPECIAL`.
    """
    walked: set[tuple[int, int]] = set()
    yielded: set[bytes] = set()
    for path in paths:
        for found in _walk(os.path.abspath(os.fsencode(path)), walked, follow_links):  # noqa: PTH100 (`resolve` would lose the links)
            if found.path not in yielded:
                yielded.add(found.path)
                yield found


def has_media_extension(path: bytes) -> bool:
    """Say whether a name ends like that of an audio or video file, in whichever case."""
    return os.path.splitext(path)[1].lower() in MEDIA_EXTENSIONS  # noqa: PTH122 (the path is bytes)


def _walk(
    top: bytes, walked: set[tuple[int, int]], follow_links: bool
) -> Iterator[FoundFile | Unreadable | OutsideLink]:
    """Walk with a stack of our own: folders may lie deeper than Python's calls may."""
    try:
        root = os.path.realpath(top)
    except ValueError as error:  # a NUL in the name
        yield Unreadable(top, _reason(error))
        return
    if _is_special(root):
        yield Unreadable(top, "a place of the system's own, which holds no music")
        return
    stack = [(top, root)]  # each path as the user sees it, and where it really lies
    while stack:
        path, real = stack.pop()
        if _is_special(real) or not (follow_links or _is_inside(real, root)):
            if os.path.islink(path):  # noqa: PTH114 (paths are bytes, which Path does not take)
                yield OutsideLink(path)
            continue
        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            yield Unreadable(path, _reason(error))
            continue
        if stat.S_ISREG(status.st_mode):
            yield FoundFile(path, status.st_size, status.st_mtime_ns)
        elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in walked:
            walked.add((status.st_dev, status.st_ino))
            try:
                stack.extend(_children(path, real))
            except OSError as error:
                yield Unreadable(path, _reason(error))


def _children(folder: bytes, real: bytes) -> list[tuple[bytes, bytes]]:
    """List a folder, last name first, as a stack wants it: paths, and where they really lie."""
    with os.scandir(folder) as entries:
        listed = [(e.path, e.name, e.is_symlink()) for e in entries if not e.name.startswith(b".")]
    places = ((path, os.path.realpath(path) if link else os.path.join(real, name)) for path, name, link in listed)  # noqa: PTH118
    return sorted(places, reverse=True)


def _is_inside(real: bytes, root: bytes) -> bool:
    return real == root or real.startswith(root.rstrip(b"/") + b"/")


def _is_special(real: bytes) -> bool:
    return any(_is_inside(real, place) for place in SPECIAL) and not _is_inside(real, SHARED_MEMORY)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
