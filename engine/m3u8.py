"""Playlists as files: extended M3U in UTF-8.

Written: `#EXTM3U`, then for each track `#EXTINF:SECONDS,Artist - Title` and its path. Read: any M3U, also with a byte
order mark, CRLF, comments, relative paths, `file://` addresses and bytes that are not UTF-8. Only names of local files
are followed; every other line is reported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from engine.db.values import named, shown
from engine.errors import QueryError
from engine.files import PLAYLIST, check_output, replacing
from engine.query import PathName, absolute_path

SUFFIXES = (".m3u8", ".m3u")
LARGEST = 64 * 2**20  # bytes: half a million lines; what is larger is no playlist
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FILE_ADDRESS = b"file://"
LOCAL_HOSTS = (b"", b"localhost")
ADDRESS = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
LINE_BREAK = re.compile(rb"[\r\n]")
UNKNOWN_SECONDS = -1  # what EXTINF says of a length that nobody knows
OLD_ENCODING = "cp1252"  # of .m3u files from Windows


@dataclass(frozen=True)
class Entry:
    """One track of a playlist: the absolute path, and what a player shows before it opens the file."""

    path: bytes
    seconds: float | None = None
    artist: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class ReadPlaylist:
    """What a playlist names: absolute paths in its order, and one line about each line that names no local file."""

    paths: tuple[bytes, ...]
    problems: tuple[str, ...]


def read_playlist(file: PathName) -> ReadPlaylist:
    """Read a playlist; whether the files that it names exist is not looked at.

    Relative paths start from the playlist's folder.

    Raises:
        QueryError: There is no such file, it cannot be read, or it is too large to be a playlist.
    """
    source = absolute_path(file)
    folder = os.path.dirname(source)  # noqa: PTH120 (bytes)
    paths: list[bytes] = []
    problems: list[str] = []
    for number, line in enumerate(_content(source).removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
        text = line.rstrip(b"\r")
        if not text.strip() or text.startswith(b"#"):
            continue
        path = _local(text)
        if path is None:
            problems.append(f"line {number}: {shown(text)} is no file on this computer; left out")
        else:
            paths.append(_spelled(folder, path))
    return ReadPlaylist(tuple(paths), tuple(problems))


def write_playlist(file: PathName, entries: Iterable[Entry], *, relative: bool = False) -> tuple[str, ...]:
    """Write a playlist, whole or not at all; returns one line about each track that cannot be in it.

    A path that holds a line break cannot be written. One that is not UTF-8 is written as a `file://` address.

    Args:
        file: Where to; the name ends in .m3u8 or .m3u, so that no file of music is ever written over.
        entries: In play order.
        relative: Paths from the playlist's folder instead of absolute ones.

    Raises:
        QueryError: The name or the folder will not do, or the disk refuses.
        OutputError: Something else than a playlist lies there.
    """
    target = check_target(file)
    kept = [entry for entry in entries if not LINE_BREAK.search(entry.path)]
    broken = [entry for entry in entries if LINE_BREAK.search(entry.path)]
    lines = [b"#EXTM3U"]
    for entry in kept:
        lines += [_information(entry), _written(entry.path, os.fsencode(target.parent), relative)]
    try:
        with replacing(target, PLAYLIST) as handle:
            handle.write(b"\n".join([*lines, b""]))
    except OSError as error:
        raise QueryError(
            f"cannot write {shown(target)}: {error.strerror or error}; what lay there is as it was"
        ) from error
    return tuple(f"{shown(entry.path)}: a playlist cannot hold a path with a line break; left out" for entry in broken)


def check_target(file: PathName) -> Path:
    """Where a playlist would be written, absolute; raises QueryError, or OutputError, where none can be."""
    target = Path(named(absolute_path(file)))
    if target.suffix.casefold() not in SUFFIXES:
        raise QueryError(f"{shown(target)}: expected a playlist's name that ends in .m3u8; name it {target.stem}.m3u8")
    if target.is_dir() or not target.parent.is_dir():
        raise QueryError(f"cannot write {shown(target)}: expected a file in a folder that exists; make the folder")
    try:
        check_output(target, PLAYLIST)
    except OSError as error:
        raise QueryError(f"cannot write {shown(target)}: {error.strerror or error}; choose another place") from error
    return target


def _content(source: bytes) -> bytes:
    name = shown(source)
    if not os.path.isfile(source):  # noqa: PTH113 (bytes); to open a FIFO could wait for ever
        raise QueryError(f"{name}: expected a playlist file, found {_kind(source)}")
    try:
        with open(source, "rb") as handle:  # noqa: PTH123 (bytes)
            content = handle.read(LARGEST + 1)
    except OSError as error:
        raise QueryError(f"{name}: cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise QueryError(f"{name}: expected a playlist of at most {LARGEST >> 20} MiB, found more")
    return content


def _kind(source: bytes) -> str:
    return "something else" if os.path.lexists(source) else "no such file"


def _local(line: bytes) -> bytes | None:
    """The path that a line names; None for another computer's, or where no file can be called that."""
    path = line
    if line.lower().startswith(FILE_ADDRESS):
        host, slash, rest = line[len(FILE_ADDRESS) :].strip().partition(b"/")
        if host.lower() not in LOCAL_HOSTS or not slash:
            return None
        path = b"/" + unquote_to_bytes(rest)
    elif ADDRESS.match(line):
        return None
    return None if b"\0" in path else path


def _spelled(folder: bytes, path: bytes) -> bytes:
    """The path made absolute; as an old Windows program meant it where only that names a file."""
    exact = os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 (bytes)
    if not os.path.lexists(exact):
        try:
            path.decode("utf-8")
        except UnicodeDecodeError:
            meant = os.path.join(folder, path.decode(OLD_ENCODING, "replace").encode("utf-8"))  # noqa: PTH118
            return os.path.normpath(meant) if os.path.lexists(meant) else exact
    return exact


def _information(entry: Entry) -> bytes:
    seconds = UNKNOWN_SECONDS if entry.seconds is None else round(entry.seconds)
    title = entry.title or os.path.splitext(named(os.path.basename(entry.path)))[0]  # noqa: PTH119, PTH122 (bytes)
    name = f"{entry.artist} - {title}" if entry.artist else title
    return f"#EXTINF:{seconds},{' '.join(shown(name.replace(chr(10), ' ').replace(chr(13), ' ')).split())}".encode()


def _written(path: bytes, folder: bytes, relative: bool) -> bytes:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return FILE_ADDRESS + quote_from_bytes(path).encode("ascii")
    if not relative:
        return path
    below = path.startswith(folder.rstrip(b"/") + b"/")
    start = folder if below else os.path.realpath(folder)  # ".." leads up from where a link points to
    name = os.path.relpath(path, start)
    return b"./" + name if name.startswith(b"#") or ADDRESS.match(name) or name != name.strip() else name
