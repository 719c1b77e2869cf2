"""Playlists of other programs: match the entries of an M3U file with the tracks of a library.

Paths may come from another machine. An entry matches the track at its path; else the track with the same file name,
with or without its ending, and the most trailing folders in common; else the only track with the artist and title of
its EXTINF line. Case is ignored.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from engine.catalogue.grouping import fold
from engine.db import CatalogueRow
from engine.db.text import displayable
from engine.errors import InvalidError

MOST_ENTRIES = 100_000
INFORMATION = re.compile(r"#EXTINF:[^,]*,(.*)")
FILE_ADDRESS = re.compile(r"file://[^/]*(/.*)", re.IGNORECASE)
DRIVE = re.compile(r"[A-Za-z]:(?=[/\\])")
BETWEEN = " - "  # artist and title of an EXTINF line
SHOWN = 200  # characters of a name


@dataclass(frozen=True)
class FileEntry:
    """An entry of a playlist file: its path as written, and the name in its EXTINF line (or "")."""

    path: str
    name: str


@dataclass(frozen=True)
class Matched:
    """Ids of the matched tracks, in order, and a name for each entry without a match."""

    tracks: tuple[int, ...]
    missing: tuple[str, ...]


def read_entries(content: bytes) -> list[FileEntry]:
    """Return the entries of an M3U file in UTF-8 or, if it is not, Windows-1252.

    Raises:
        InvalidError: It has no entry, or too many.
    """
    found, name = [], ""
    for line in _text(content).splitlines():
        information = INFORMATION.match(line)
        if information:
            name = information[1].strip()
        elif line.strip() and not line.startswith("#"):
            found.append(FileEntry(line.strip(), name))
            name = ""
    if not found:
        raise InvalidError("expected an M3U playlist, found no entry", hint="choose an .m3u8 or .m3u file")
    if len(found) > MOST_ENTRIES:
        raise InvalidError(f"expected at most {MOST_ENTRIES:,} entries, found more", hint="split the playlist")
    return found


def match_entries(entries: Sequence[FileEntry], rows: Iterable[CatalogueRow]) -> Matched:
    """Find the track of each entry."""
    index = _Index(rows)
    tracks, missing = [], []
    for entry in entries:
        track = index.find(entry)
        if track is None:
            missing.append(displayable((entry.name or entry.path)[:SHOWN]))
        else:
            tracks.append(track)
    return Matched(tuple(tracks), tuple(missing))


class _Index:
    """Tracks by file name, and by artist and title."""

    def __init__(self, rows: Iterable[CatalogueRow]) -> None:
        self._files: dict[str, list[tuple[list[str], int]]] = defaultdict(list)
        self._names: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            parts = _parts(os.fsdecode(row.path))
            self._files[_stem(parts[0])].append((parts, row.id))
            if row.artist and row.title:
                self._names[fold(row.artist + BETWEEN + row.title)].append(row.id)

    def find(self, entry: FileEntry) -> int | None:
        wanted = _parts(_local(entry.path))
        named = self._names.get(fold(entry.name), [])
        rated = [
            (_shared(wanted, parts), track in named, -track) for parts, track in self._files.get(_stem(wanted[0]), [])
        ]
        if rated:
            best = max(rated)
            same = [each for each in rated if each[:2] == best[:2]]
            if len(same) == 1 or best[0] > 1:  # many albums have a "01.flac": a file name alone must be unique
                return -best[2]
        return named[0] if len(named) == 1 else None


def _shared(one: list[str], other: list[str]) -> int:
    """Return a score of two paths that grows with the number of trailing names in common."""
    count = 1  # the file names agree except perhaps in their endings; equal endings add to the score
    for mine, its in zip(one[1:], other[1:], strict=False):
        if mine != its:
            break
        count += 1
    return 2 * count - 1 + (one[0] == other[0]) if count > 1 else 1


def _parts(path: str) -> list[str]:
    """Return the folded names of a path, the file first."""
    return [fold(part) for part in reversed(path.replace("\\", "/").split("/")) if part not in ("", ".", "..")] or [""]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _local(path: str) -> str:
    address = FILE_ADDRESS.fullmatch(path)
    return os.fsdecode(unquote_to_bytes(address[1])) if address else DRIVE.sub("", path)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
