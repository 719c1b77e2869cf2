"""Playlists as files: extended M3U in UTF-8.

Written: `#EXTM3U`, then for each track `#EXTINF:SECONDS,Artist - Title` and its path. Read: any M3U, with any line
breaks, comments, relative paths, `file://` addresses, in UTF-8, UTF-16 with a byte order mark or bytes that are
neither, in the spellings of other players (`engine.playlists.track_paths`); and PLS. Only names of local files are
opened; every other line is reported.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from engine.db.text import displayable
from engine.errors import InvalidError, NotFoundError, QueryError, reason_of
from engine.playlists.track_paths import ADDRESS, FILE_ADDRESS, Speller
from engine.search.references import PathName, absolute_path
from engine.util.atomic_files import PLAYLIST, check_output, replacing

SUFFIXES = (".m3u8", ".m3u")
LARGEST = 64 * 2**20  # bytes, half a million lines
MOST_LINES = 500_000
SHOWN = 200  # characters of a reported line
MARKED_ENCODINGS = (  # UTF-32 first: its mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
LINE_BREAK = re.compile(rb"[\r\n]")
LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
PLS_SUFFIX, PLS_HEADING = b".pls", b"[playlist]"
PLS_ENTRY = re.compile(rb"\s*file([0-9]{1,9})\s*=\s*(.*)", re.IGNORECASE | re.DOTALL)
UNKNOWN_SECONDS = -1  # EXTINF's value for an unknown length


@dataclass(frozen=True)
class Entry:
    """One track of a playlist: its absolute path, and the title and length that players display before opening it."""

    path: bytes
    seconds: float | None = None
    artist: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class ReadPlaylist:
    """The contents of a playlist: absolute paths in order, and a line about each entry without a local file."""

    paths: tuple[bytes, ...]
    problems: tuple[str, ...]


def read_playlist(file: PathName) -> ReadPlaylist:
    """Read a playlist, M3U or PLS. A name that matches no file in any spelling is returned as written.

    Relative paths start from the playlist's folder.

    Raises:
        QueryError: There is no such file, it cannot be read, or it is too large to be a playlist.
    """
    source = absolute_path(file)
    speller = Speller(os.path.dirname(source))  # noqa: PTH120 (bytes)
    paths: list[bytes] = []
    problems: list[str] = []
    for count, (number, line) in enumerate(_entries(source), start=1):
        if count > MOST_LINES:
            raise InvalidError(
                f"{displayable(source)}: expected a playlist of at most {MOST_LINES:,} lines, found more",
                hint="split it",
            )
        path = speller.path(line)
        if path is None:
            problems.append(f"line {number}: {_shortened(line)} is not a file on this computer; left out")
        else:
            paths.append(path)
    return ReadPlaylist(tuple(paths), tuple(problems))


def write_playlist(file: PathName, entries: Iterable[Entry], *, relative: bool = False) -> tuple[str, ...]:
    """Write a playlist atomically; return one line about each track that cannot be in it.

    A path with a line break cannot be written. One that is not UTF-8 is written as a `file://` address.

    Args:
        file: The name must end in .m3u8 or .m3u, so that no music file is ever overwritten.
        entries: The tracks, in play order.
        relative: Write paths relative to the playlist's folder.

    Raises:
        QueryError: The name or folder is invalid, or the file cannot be written.
        OutputError: The file exists and is not a playlist.
    """
    target = check_target(file)
    kept = [entry for entry in entries if not LINE_BREAK.search(entry.path)]
    broken = [entry for entry in entries if LINE_BREAK.search(entry.path)]
    try:
        with replacing(target, PLAYLIST) as handle:
            handle.write(formatted(kept, os.fsencode(target.parent), relative=relative))
    except OSError as error:
        raise QueryError(
            f"cannot write {displayable(target)}: {reason_of(error)}; the existing file is unchanged",
            hint="free space or choose another place",
        ) from error
    return tuple(
        f"{displayable(entry.path)}: a playlist cannot hold a path with a line break; left out" for entry in broken
    )


def formatted(entries: Iterable[Entry], folder: bytes = b"/", *, relative: bool = False) -> bytes:
    """Return a playlist as the bytes of a file in a folder; tracks with a line break in their path are left out."""
    lines = [b"#EXTM3U"]
    for entry in entries:
        if not LINE_BREAK.search(entry.path):
            lines += [_information(entry), _written(entry.path, folder, relative)]
    return b"\n".join([*lines, b""])


def check_target(file: PathName) -> Path:
    """Return the absolute path for a playlist to write.

    Raises:
        QueryError: The name or folder is invalid.
        OutputError: The file exists and is not a playlist.
    """
    target = Path(os.fsdecode(absolute_path(file)))
    if target.suffix.casefold() not in SUFFIXES:
        raise InvalidError(
            f"{displayable(target)}: expected a playlist's name that ends in .m3u8",
            hint=f"name it {displayable(target.stem)}.m3u8",
        )
    if os.path.isdir(target) or not os.path.isdir(target.parent):  # noqa: PTH112 (`Path.is_dir` fails for names that are too long)
        raise NotFoundError(
            f"cannot write {displayable(target)}: expected a file in a folder that exists", hint="make the folder"
        )
    try:
        check_output(target, PLAYLIST)
    except OSError as error:
        raise QueryError(
            f"cannot write {displayable(target)}: {reason_of(error)}", hint="choose another place"
        ) from error
    return target


def _content(source: bytes) -> bytes:
    name = displayable(source)
    if not os.path.isfile(source):  # noqa: PTH113 (bytes); opening a FIFO could block forever
        kind = InvalidError if os.path.lexists(source) else NotFoundError
        found = "something else" if os.path.lexists(source) else "no such file"
        raise kind(f"{name}: expected a playlist file, found {found}", hint="name an .m3u8, .m3u or .pls file")
    try:
        with open(source, "rb") as handle:  # noqa: PTH123 (bytes)
            content = handle.read(LARGEST + 1)
    except OSError as error:
        raise QueryError(
            f"{name}: cannot be read: {reason_of(error)}", hint="check its disk and permissions"
        ) from error
    if len(content) > LARGEST:
        raise InvalidError(f"{name}: expected a playlist of at most {LARGEST >> 20} MiB, found more", hint="split it")
    return content


def _entries(source: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that name a track, with their numbers, in play order."""
    content = _decoded(_content(source))
    if source.lower().endswith(PLS_SUFFIX) or content[:SHOWN].lstrip().lower().startswith(PLS_HEADING):
        found = ((number, PLS_ENTRY.fullmatch(line)) for number, line in _lines(content))
        listed = sorted((int(entry[1]), number, entry[2]) for number, entry in found if entry is not None)
        yield from ((number, name) for _, number, name in listed if name.strip())
    else:
        yield from ((number, line) for number, line in _lines(content) if not line.startswith(b"#"))


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, numbered from 1."""
    for number, line in enumerate(LINE.finditer(content), start=1):
        if line[1].strip():
            yield number, line[1]


def _decoded(content: bytes) -> bytes:
    """Return the content as UTF-8 if it has a byte order mark, unchanged otherwise."""
    for mark, encoding in MARKED_ENCODINGS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").encode("utf-8", "replace")
    return content.removeprefix(codecs.BOM_UTF8)


def _shortened(line: bytes) -> str:
    text = displayable(line[: 4 * SHOWN].strip())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _information(entry: Entry) -> bytes:
    seconds = UNKNOWN_SECONDS if entry.seconds is None else round(entry.seconds)
    title = entry.title or os.path.splitext(os.fsdecode(os.path.basename(entry.path)))[0]  # noqa: PTH119, PTH122 (bytes)
    name = f"{entry.artist} - {title}" if entry.artist else title
    return (
        f"#EXTINF:{seconds},{' '.join(displayable(name.replace(chr(10), ' ').replace(chr(13), ' ')).split())}".encode()
    )


def _written(path: bytes, folder: bytes, relative: bool) -> bytes:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return b"file://" + quote_from_bytes(path).encode("ascii")
    if not relative:
        return path
    below = path.startswith(folder.rstrip(b"/") + b"/")
    start = folder if below else os.path.realpath(folder)  # ".." leads up from the target of a link
    name = os.path.relpath(path, start)
    misread = name.startswith(b"#") or ADDRESS.match(name) or FILE_ADDRESS.match(name) or name != name.strip()
    return b"./" + name if misread else name
