"""The data of listeners: stars, ratings, playlists, play queues.

Nothing here refers to `tracks` by a foreign key: ids of tracks are never reused, so that a star, a rating or a place
in a playlist survives the removal of its track, and applies again when the track is added again. Albums and artists are
named by the ids of `engine.catalogue`. The user is a name; servers without accounts have one, `LOCAL_USER`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from engine.db.schema import LOCAL_USER as LOCAL_USER, play_queues, playlist_tracks, playlists, ratings, stars
from engine.db.text_search import fold_for_search
from engine.errors import InvalidError, NotFoundError

RATINGS = range(1, 6)
MOST_TRACKS = 100_000  # of a playlist that grows


@dataclass(frozen=True, slots=True)
class Star:
    """A starred track, album or artist: its id, and when it was starred (seconds since 1970)."""

    item: str
    starred_at: float


@dataclass(frozen=True, slots=True)
class SavedPlaylist:
    """A playlist of a user. Times are seconds since 1970.

    Attributes:
        public: Whether other users see it.
        tracks: Ids in their order; a track may occur several times.
    """

    id: int
    owner: str
    name: str
    comment: str
    public: bool
    created_at: float
    changed_at: float
    tracks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlayQueue:
    """A user's play queue: tracks, the current one, the position in it (ms), and the client that saved it."""

    tracks: tuple[int, ...]
    current: int | None
    position_ms: int
    changed_at: float
    changed_by: str


def star(connection: Connection, user: str, items: Iterable[str]) -> None:
    """Star tracks, albums and artists; existing stars keep their time."""
    known = {each.item for each in starred(connection, user)}
    now = time.time()
    new = [{"user": user, "item": item, "starred_at": now} for item in dict.fromkeys(items) if item not in known]
    if new:
        connection.execute(insert(stars), new)


def unstar(connection: Connection, user: str, items: Iterable[str]) -> None:
    """Remove stars; items without one are ignored."""
    for item in items:
        connection.execute(delete(stars).where(stars.c.user == user, stars.c.item == item))


def starred(connection: Connection, user: str) -> list[Star]:
    """Return a user's stars, the newest first."""
    columns = select(stars.c.item, stars.c.starred_at).where(stars.c.user == user)
    return [Star(*row) for row in connection.execute(columns.order_by(stars.c.starred_at.desc(), stars.c.item))]


def rate(connection: Connection, user: str, item: str, rating: int) -> None:
    """Set a rating of 1 to 5; 0 removes it."""
    connection.execute(delete(ratings).where(ratings.c.user == user, ratings.c.item == item))
    if rating:
        connection.execute(insert(ratings).values(user=user, item=item, rating=rating))


def ratings_of(connection: Connection, user: str) -> dict[str, int]:
    """Return a user's ratings by item."""
    found = select(ratings.c.item, ratings.c.rating).where(ratings.c.user == user)
    return {row.item: row.rating for row in connection.execute(found)}


def create_playlist(connection: Connection, user: str, name: str, tracks: Sequence[int]) -> int:
    """Store a playlist and return its id."""
    now = time.time()
    values = {"owner": user, "name": name, "comment": "", "public": False, "created_at": now, "changed_at": now}
    made = connection.execute(insert(playlists).values(values)).inserted_primary_key
    assert made is not None
    identifier = int(made[0])
    _put_tracks(connection, identifier, tracks)
    return identifier


def change_playlist(
    connection: Connection,
    identifier: int,
    *,
    name: str | None = None,
    comment: str | None = None,
    public: bool | None = None,
    tracks: Sequence[int] | None = None,
) -> None:
    """Change the given fields of a playlist.

    Raises:
        NotFoundError: There is no such playlist.
    """
    given = {"name": name, "comment": comment, "public": public}
    changes = {key: value for key, value in given.items() if value is not None}
    statement = update(playlists).where(playlists.c.id == identifier).values(changed_at=time.time(), **changes)
    if not connection.execute(statement).rowcount:
        raise NotFoundError(f"no playlist with id {identifier}")
    if tracks is not None:
        connection.execute(delete(playlist_tracks).where(playlist_tracks.c.playlist_id == identifier))
        _put_tracks(connection, identifier, tracks)


def edit_tracks(
    connection: Connection, identifier: int, added: Sequence[int] = (), removed: Collection[int] = ()
) -> None:
    """Remove the tracks at some places of a playlist, then append others, up to `MOST_TRACKS`.

    The tracks are read and written in the caller's transaction, so that edits at the same time all count.

    Raises:
        NotFoundError: There is no such playlist.
        InvalidError: It has no track at one of the places.
    """
    found = saved_playlist(connection, identifier)
    if found is None:
        raise NotFoundError(f"no playlist with id {identifier}")
    beyond = [place for place in removed if not 0 <= place < len(found.tracks)]
    if beyond:
        raise InvalidError(f"expected places below {len(found.tracks)} in the playlist, found {beyond[0]}")
    gone = frozenset(removed)
    kept = [track for place, track in enumerate(found.tracks) if place not in gone]
    change_playlist(connection, identifier, tracks=[*kept, *added][:MOST_TRACKS])


def delete_playlist(connection: Connection, identifier: int) -> None:
    """Delete a playlist; a missing one is ignored."""
    connection.execute(delete(playlists).where(playlists.c.id == identifier))


def saved_playlists(connection: Connection, user: str) -> list[SavedPlaylist]:
    """Return the playlists that a user sees, owned and public ones, by name."""
    visible = (playlists.c.owner == user) | playlists.c.public
    return _saved(connection, visible)


def saved_playlist(connection: Connection, identifier: int) -> SavedPlaylist | None:
    """Return a playlist, of any owner, or None."""
    return next(iter(_saved(connection, playlists.c.id == identifier)), None)


def save_queue(connection: Connection, user: str, queue: PlayQueue) -> None:
    """Store the play queue of a user, replacing the previous one."""
    connection.execute(delete(play_queues).where(play_queues.c.user == user))
    listed = " ".join(map(str, queue.tracks))
    connection.execute(
        insert(play_queues).values(
            user=user,
            tracks=listed,
            current=queue.current,
            position_ms=queue.position_ms,
            changed_at=queue.changed_at,
            changed_by=queue.changed_by,
        )
    )


def play_queue(connection: Connection, user: str) -> PlayQueue | None:
    """Return the play queue of a user, or None."""
    row = connection.execute(select(play_queues).where(play_queues.c.user == user)).one_or_none()
    if row is None:
        return None
    tracks = tuple(map(int, row.tracks.split()))
    return PlayQueue(tracks, row.current, row.position_ms, row.changed_at, row.changed_by)


def _saved(connection: Connection, condition: ColumnElement[bool]) -> list[SavedPlaylist]:
    """Return the playlists that meet a condition, by name: case and accents do not count."""
    rows = connection.execute(select(playlists).where(condition)).all()
    held: dict[int, list[int]] = defaultdict(list)
    found = select(playlist_tracks.c.playlist_id, playlist_tracks.c.track_id).join(playlists).where(condition)
    for playlist, track in connection.execute(found.order_by(playlist_tracks.c.playlist_id, playlist_tracks.c.place)):
        held[playlist].append(track)
    return [
        SavedPlaylist(
            row.id, row.owner, row.name, row.comment, row.public, row.created_at, row.changed_at, tuple(held[row.id])
        )
        for row in sorted(rows, key=lambda row: (fold_for_search(row.name), row.id))
    ]


def _put_tracks(connection: Connection, identifier: int, tracks: Sequence[int]) -> None:
    rows = [{"playlist_id": identifier, "place": place, "track_id": track} for place, track in enumerate(tracks)]
    if rows:
        connection.execute(insert(playlist_tracks), rows)
