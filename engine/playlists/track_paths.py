"""The local file that a line of a playlist names, in the spellings of different players.

The exact name comes first. If there is no such file, other spellings are tried in turn: without surrounding space, with
slashes for backslashes, percent-decoded (VLC), in Windows' legacy encoding, and finally with each part of the path
compared ignoring case and the composition of accents (NFC, NFD). Only the local file system is consulted.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote_to_bytes

from engine.db.text import fold

LONGEST = 16_384  # bytes of a line: the longest path of any system, percent-encoded
LARGEST_FOLDER = 100_000  # entries compared with a name
FOLDERS_KEPT = 64
DEEPEST = 64  # folders above a file whose names are compared
OLD_ENCODING = "cp1252"  # of .m3u files from Windows
FILE_ADDRESS = re.compile(rb"file:(//(?P<host>[^/\\]*))?(?P<path>[/\\].*)", re.IGNORECASE | re.DOTALL)
LOCAL_HOSTS = (b"", b"localhost", b"127.0.0.1")
ADDRESS = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
NETWORK_SHARE = b"\\\\"


class Speller:
    """Finds the files that the lines of one playlist name.

    Args:
        folder: Base of relative paths, absolute.
    """

    def __init__(self, folder: bytes) -> None:
        self._folder = folder
        self._entries = lru_cache(FOLDERS_KEPT)(_entries)
        self._existing = lru_cache(FOLDERS_KEPT)(self._find_folder)

    def path(self, line: bytes) -> bytes | None:
        """Return the absolute path of the spelling that exists, else of the exact name; None elsewhere."""
        spelled = _addressed(line)
        if not spelled or len(line) > LONGEST:
            return None
        exact = self._absolute(spelled[0])
        if os.path.lexists(exact):
            return exact
        if line.startswith(NETWORK_SHARE):
            return None
        others = list(dict.fromkeys(self._absolute(each) for name in spelled for each in _spellings(name)))
        found = next((path for path in others if os.path.isfile(path)), None)  # noqa: PTH113 (bytes)
        return found or next(filter(None, map(self._alike, others)), exact)

    def _absolute(self, path: bytes) -> bytes:
        return os.path.normpath(os.path.join(self._folder, path))  # noqa: PTH118 (bytes)

    def _alike(self, path: bytes) -> bytes | None:
        """Return the file whose path differs only in case or in the composition of accents."""
        if path.count(b"/") > DEEPEST:
            return None
        folder, name = os.path.split(path)
        existing = self._existing(folder)
        found = self._sibling(existing, name) if existing is not None else None
        return found if found is not None and os.path.isfile(found) else None  # noqa: PTH113 (bytes)

    def _find_folder(self, folder: bytes) -> bytes | None:
        if os.path.isdir(folder):  # noqa: PTH112 (bytes)
            return folder
        above, name = os.path.split(folder)
        if not name:
            return None
        existing = self._existing(above)
        return self._sibling(existing, name) if existing is not None else None

    def _sibling(self, folder: bytes, name: bytes) -> bytes | None:
        """Return the one entry of a folder whose name is spelled alike, if it is unique."""
        found = self._entries(folder).get(fold(os.fsdecode(name)), [])
        composed = unicodedata.normalize("NFC", os.fsdecode(name))
        same_case = [each for each in found if unicodedata.normalize("NFC", os.fsdecode(each)) == composed]
        chosen = same_case or found
        return os.path.join(folder, chosen[0]) if len(chosen) == 1 else None  # noqa: PTH118 (bytes)


def _addressed(line: bytes) -> list[bytes]:
    """Return the paths that a line may name, likeliest first; none for another computer or an invalid name."""
    address = FILE_ADDRESS.fullmatch(line.strip())
    if address is not None:
        if (address["host"] or b"").lower() not in LOCAL_HOSTS:
            return []
        names = [unquote_to_bytes(address["path"]), address["path"]]
    else:
        names = [] if ADDRESS.match(line.strip()) else [line]
    return names if not any(b"\0" in name for name in names) else []


def _spellings(name: bytes) -> Iterator[bytes]:
    """Return other spellings of a name."""
    for trimmed in dict.fromkeys((name, name.strip())):
        for slashed in dict.fromkeys((trimmed, trimmed.replace(b"\\", b"/"))):
            for plain in dict.fromkeys((slashed, unquote_to_bytes(slashed))):
                if plain and b"\0" not in plain:
                    yield plain
                    yield from _from_old_encoding(plain)


def _from_old_encoding(name: bytes) -> Iterator[bytes]:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        yield name.decode(OLD_ENCODING, "replace").encode("utf-8")


def _entries(folder: bytes) -> dict[str, list[bytes]]:
    """Return a folder's entries by case-folded name with composed accents; empty if it cannot be read."""
    entries: dict[str, list[bytes]] = {}
    try:
        with os.scandir(folder) as listed:
            for entry in islice(listed, LARGEST_FOLDER):
                entries.setdefault(fold(os.fsdecode(entry.name)), []).append(entry.name)
    except OSError:
        return {}
    return entries
