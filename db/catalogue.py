"""The data behind a catalogue of albums and artists: a few columns of every track, and play counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from sqlalchemy import Connection, func, select

from engine.db.schema import plays, tracks


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """The columns of one track that determine albums, artists and genres."""

    id: int
    path: bytes
    artist: str | None
    title: str | None
    album: str | None
    album_artist: str | None
    genre: str | None
    year: int | None
    duration_seconds: float
    added_at: int  # seconds since 1970


@dataclass(frozen=True, slots=True)
class PlayCount:
    """The number of a track's plays, and the time of the last one (seconds since 1970)."""

    track_id: int
    plays: int
    last_played: float


COLUMNS = [tracks.c[field.name] for field in fields(CatalogueRow)]


def catalogue_rows(connection: Connection) -> Iterator[CatalogueRow]:
    """Yield every track, by path: the files of an album are usually numbered."""
    for row in connection.execute(select(*COLUMNS).order_by(tracks.c.path)):
        yield CatalogueRow(*row)


def added_times(connection: Connection) -> dict[int, int]:
    """Return when each track was first indexed, seconds since 1970."""
    return {row.id: row.added_at for row in connection.execute(select(tracks.c.id, tracks.c.added_at))}


def play_counts(connection: Connection, user: str | None = None) -> dict[int, PlayCount]:
    """Return the counts of all tracks played at least once by a user, or by any user for None."""
    counted = select(plays.c.track_id, func.count(), func.max(plays.c.time)).where(plays.c.event == "play")
    if user is not None:
        counted = counted.where(plays.c.user == user)
    return {row[0]: PlayCount(*row) for row in connection.execute(counted.group_by(plays.c.track_id))}
