"""Remove tracks from the library, and update the paths of folders that moved."""

from __future__ import annotations

import os
from collections.abc import Iterable

from sqlalchemy import Connection

from engine.db import Database, Track, relocate, remove_tracks, tracks_below
from engine.db.text import Folder, displayable
from engine.errors import LibraryError, NotFoundError
from engine.search.references import ID_PATTERN, TrackName, absolute_path, resolve


def remove(database: Database, tracks: Iterable[TrackName] | TrackName) -> int:
    """Remove tracks from the library and return how many; see `Engine.remove`."""
    listed = [tracks] if isinstance(tracks, int | str | bytes | os.PathLike) else list(tracks)
    with database.write() as connection:
        ids: set[int] = set()
        for name in listed:
            ids |= _tracks_named(connection, name)
        return remove_tracks(connection, ids)


def follow_move(database: Database, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> int:
    """Change the paths of tracks below `old` to `new` and return how many; see `Engine.relocate`."""
    before, after = absolute_path(old), absolute_path(new)
    with database.write() as connection:
        moving = [track.path for track in tracks_below(connection, before)]
        if not moving:
            raise LibraryError(
                f"expected tracks of the library below {displayable(before)}, found none; nothing changed",
                hint="name the folder as it was when its music was indexed",
            )
        source, target = Folder.of(before), Folder.of(after)
        if not any(os.path.lexists(source.rebased(path, target)) for path in moving):
            raise LibraryError(
                f"expected the moved files below {displayable(after)}, found none of them", hint="move them there first"
            )
        return relocate(connection, before, after)


def _tracks_named(connection: Connection, name: TrackName) -> set[int]:
    below: list[Track] = []
    if not isinstance(name, int) and (os.path.lexists(name) or not ID_PATTERN.fullmatch(str(name))):
        below = tracks_below(connection, absolute_path(name))
    if below:
        return {track.id for track in below}
    resolved = resolve(connection, name)
    if resolved.track is None:
        raise NotFoundError(
            f"{displayable(resolved.path)} is not in the library; nothing was removed",
            hint="`engine search WORDS` lists its tracks",
        )
    return {resolved.track.id}
