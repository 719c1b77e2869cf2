"""The track that a reference names: an id, a search, or a file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from engine.db import Track, search, track_by_id, track_by_path
from engine.db.text import displayable
from engine.errors import InvalidError, NotFoundError

PathName: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
TrackName: TypeAlias = "int | PathName"

SEARCH = "search:"
ID_PATTERN = re.compile(r"(id:)?([0-9]{1,18})")


class GroupReference(str):
    """A reference `artist:NAME` or `album:NAME` that never means a file: for names from a network."""


@dataclass(frozen=True, eq=False)
class ResolvedTrack:
    """A track named by a query: in the library, in a file, or both.

    Attributes:
        path: Absolute, as given.
        track: Its row in the library, or None.
        stale: Whether the file changed since the library read it.
    """

    path: bytes
    track: Track | None
    stale: bool

    @property
    def track_id(self) -> int | None:
        """Its id in the library, or None."""
        return self.track.id if self.track else None

    @property
    def identity(self) -> int | bytes:
        """Its id, or its path outside the library: equal for two references to one track."""
        return self.track.id if self.track else self.path


def absolute_path(name: PathName) -> bytes:
    """Return an absolute path: relative names are resolved in the current folder, links are not followed.

    Raises:
        InvalidError: The name is empty or cannot name a file, or it is relative and the current folder is gone.
    """
    try:
        path = os.fsencode(name)
    except UnicodeEncodeError as error:
        raise InvalidError(f"expected a file's name, found {name!r}", hint="name an existing file") from error
    if not path:  # else it would mean the current folder
        raise InvalidError("expected a file or folder, found an empty name", hint="name one")
    try:
        return os.path.abspath(path)  # noqa: PTH100 (links are kept)
    except FileNotFoundError as error:
        raise InvalidError(
            "a relative path needs the current folder, which no longer exists", hint="change to another folder"
        ) from error


def resolve(connection: Connection, name: TrackName) -> ResolvedTrack:
    """Resolve a track's name to an id, a search, or a file.

    An id is `id:12`, or a bare number unless a file of that name exists; `search:WORDS` is the first track that
    `engine search WORDS` lists, unless a file has that name.

    Raises:
        QueryError: There is no such id, file or track.
    """
    if isinstance(name, str) and name.startswith(SEARCH) and not names_file(name):
        return _first_found(connection, name[len(SEARCH) :])
    wanted = ID_PATTERN.fullmatch(str(name)) if isinstance(name, int | str) else None
    if wanted and (wanted[1] or isinstance(name, int) or not names_file(str(name))):
        track = track_by_id(connection, int(wanted[2]))
        if track is None:
            raise NotFoundError(f"no track with id {wanted[2]}", hint="`engine search WORDS` lists ids")
        return ResolvedTrack(track.path, track, _differs(track))
    if isinstance(name, int):
        raise InvalidError(f"expected a track id of 1 or more, found {name}", hint="`engine search WORDS` lists ids")
    path = absolute_path(name)
    track = track_by_path(connection, path) if b"\0" not in path else None
    exists = b"\0" not in path and os.path.exists(path)  # noqa: PTH110 (bytes)
    if track is None and not exists:
        raise NotFoundError(
            f"{displayable(path)}: no such file, and no track of the library", hint="`engine search WORDS` lists tracks"
        )
    if os.path.isdir(path):  # noqa: PTH112 (bytes)
        raise InvalidError(f"{displayable(path)}: expected a file, found a folder", hint="name one track of it")
    if exists and not os.path.isfile(path):  # noqa: PTH113 (bytes); opening a FIFO could block forever
        raise InvalidError(
            f"{displayable(path)}: expected a file of sound, found a device, pipe or socket", hint="name a file"
        )
    return ResolvedTrack(path, track, track is not None and _differs(track))


def names_file(name: str) -> bool:
    """Return whether a file has a name; unlike `Path.exists`, also for names that are too long or forbidden."""
    return os.path.exists(name)  # noqa: PTH110


def _first_found(connection: Connection, words: str) -> ResolvedTrack:
    found = search(connection, words.split(), 1) if words.split() else []
    if not found:
        raise NotFoundError(
            f"no track has all of the words {words.strip()!r}", hint="`engine search WORDS` lists tracks"
        )
    return ResolvedTrack(found[0].path, found[0], _differs(found[0]))


def _differs(track: Track) -> bool:
    """Return whether the file changed since it was indexed; False for a missing or unreachable file."""
    try:
        status = os.stat(track.path)  # noqa: PTH116 (bytes)
    except OSError:
        return False
    return track.differs(status)
