"""Removed tracks: ids, plays and sound, stored until the same recording becomes a track again.

A user's plays must survive while a track's file is absent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    cast,
    delete,
    insert,
    inspect,
    literal,
    not_,
    select,
    tuple_,
    update,
)

from engine.db.departed_tables import (
    departed_metadata,
    departed_plays,
    departed_sounds,
    departed_tracks,
    orphaned_plays,
)
from engine.db.schema import (
    TEXT,
    playlist_tracks,
    plays,
    ratings,
    segments,
    signatures,
    stars,
    tracks,
)
from engine.db.text import Folder, portions
from engine.embedding import RECORDING_SECONDS, SAME_SECONDS, SAME_SIGNATURE, TrackEmbedding

KEPT_SECONDS = 90 * 86_400  # after which untouched removed tracks are deleted, and the sound of all others
SAME_ATTENTION = 0.01  # largest difference in a segment's weight caused by rounding


class FileIdentity(Protocol):
    """The fields of a new track that identify its recording; see `engine.db.NewTrack`."""

    @property
    def path(self) -> bytes:
        """The absolute path."""

    @property
    def content_hash(self) -> bytes:
        """Of its bytes."""

    @property
    def duration_seconds(self) -> float:
        """Its length."""

    @property
    def recording_id(self) -> str | None:
        """MusicBrainz' id of the recording."""


@dataclass(frozen=True, eq=False)
class Sound:
    """The embedding of a file that becomes a track, by an encoder with a coverage."""

    encoder: str
    coverage: str
    embedding: TrackEmbedding


@dataclass(frozen=True)
class Departed:
    """A removed track whose recording was added again."""

    track_id: int
    content_hash: bytes
    path: bytes
    added_at: int


def keep_departed(connection: Connection, ids: Iterable[int]) -> None:
    """Save tracks with their plays and sound in the tables of removed tracks, before their removal."""
    departed_metadata.create_all(connection)
    now = int(time.time())
    for portion in portions(ids):
        going = tracks.c.id.in_(portion)
        names = [column.name for column in departed_tracks.columns if column.name not in ("track_id", "removed_at")]
        rows = select(tracks.c.id, *(tracks.c[name] for name in names), literal(now)).where(going)
        connection.execute(delete(departed_tracks).where(departed_tracks.c.track_id.in_(portion)))
        connection.execute(insert(departed_tracks).from_select(["track_id", *names, "removed_at"], rows))
        _keep_sounds(connection, portion)
        events = select(tracks.c.content_hash, tracks.c.path, plays.c.time, plays.c.event, plays.c.user)
        found = events.join_from(tracks, plays).where(going).order_by(plays.c.id)
        connection.execute(insert(departed_plays).from_select(["content_hash", "path", "time", "event", "user"], found))


def forget_departed(connection: Connection) -> None:
    """Delete the sound of tracks removed 90 days ago, and those of these tracks that no user has touched.

    A track that was played, starred, rated or added to a playlist retains its id forever.
    """
    if not _is_kept(connection, departed_tracks):
        return
    before = departed_tracks.c.removed_at < int(time.time()) - KEPT_SECONDS
    old = select(departed_tracks.c.track_id).where(before)
    connection.execute(delete(departed_sounds).where(departed_sounds.c.track_id.in_(old)))
    played = select(departed_plays.c.content_hash, departed_plays.c.path)
    never = tuple_(departed_tracks.c.content_hash, departed_tracks.c.path).not_in(played)
    listed = departed_tracks.c.track_id.in_(select(playlist_tracks.c.track_id))
    item = cast(departed_tracks.c.track_id, TEXT)
    judged = item.in_(select(stars.c.item)) | item.in_(select(ratings.c.item))
    connection.execute(delete(departed_tracks).where(before, never, not_(listed | judged)))


def find_departed(connection: Connection, new: FileIdentity, sound: Sound | None = None) -> Departed | None:
    """Return the removed track with the recording of a new one, or None.

    In this order: the same bytes, the same MusicBrainz recording of about the same length, the same sound (length,
    signature and attention are equal up to rounding), or another file of about the same length at the same path.
    """
    if not _is_kept(connection, departed_tracks):
        return None
    about_as_long = _length_within(new.duration_seconds, RECORDING_SECONDS)
    conditions = [departed_tracks.c.content_hash == new.content_hash]
    if new.recording_id is not None:
        conditions.append(and_(departed_tracks.c.recording_id == new.recording_id, about_as_long))
    for condition in conditions:
        if found := _first(connection, condition, new.path):
            return found
    if sound is not None and (found := _find_by_sound(connection, new, sound)):
        return found
    return _first(connection, and_(departed_tracks.c.path == new.path, about_as_long), new.path)


def return_plays(connection: Connection, track_id: int, new: FileIdentity, departed: Departed | None) -> None:
    """Move the plays of a removed track to the new one that continues it, and delete the removed one's record.

    Plays saved by an earlier version of Engine are restored by content, else by path.
    """
    if departed is not None:
        mine = (departed_plays.c.content_hash == departed.content_hash) & (departed_plays.c.path == departed.path)
        _move(connection, departed_plays, mine, track_id)
        _move(connection, orphaned_plays, orphaned_plays.c.track_id == track_id, track_id)
        for table in (departed_tracks, departed_sounds):
            connection.execute(delete(table).where(table.c.track_id == departed.track_id))
    elif _is_kept(connection, departed_plays):
        _return_by_name(connection, track_id, new)


def set_orphans_aside(connection: Connection) -> int:
    """Move plays without a track from the history to a separate table; return how many."""
    lost = plays.c.track_id.not_in(select(tracks.c.id))
    if connection.execute(select(plays.c.id).where(lost).limit(1)).first() is None:
        return 0
    departed_metadata.create_all(connection)
    columns = select(plays.c.track_id, plays.c.time, plays.c.event, plays.c.user).where(lost).order_by(plays.c.id)
    connection.execute(insert(orphaned_plays).from_select(["track_id", "time", "event", "user"], columns))
    return connection.execute(delete(plays).where(lost)).rowcount


def relocate_departed(connection: Connection, source: Folder, target: Folder) -> None:
    """Rewrite the paths of removed tracks in a folder that moved."""
    for table, key in ((departed_plays, departed_plays.c.id), (departed_tracks, departed_tracks.c.track_id)):
        if not _is_kept(connection, table):
            continue
        inside = select(table.c.path).where(source.condition(table.c.path)).distinct()
        moves = [(path, source.rebased(path, target)) for path in connection.execute(inside).scalars().all()]
        ids = {path: select(key).where(table.c.path == path) for path, _ in moves}
        rows = [(connection.execute(ids[path]).scalars().all(), new) for path, new in moves]  # before any changes
        for numbers, new in rows:
            for portion in portions(numbers):
                connection.execute(update(table).where(key.in_(portion)).values(path=new))


def _keep_sounds(connection: Connection, ids: list[int]) -> None:
    connection.execute(delete(departed_sounds).where(departed_sounds.c.track_id.in_(ids)))
    names = ["track_id", "encoder", "coverage", "vector"]
    columns = select(*(signatures.c[name] for name in names), segments.c.attention)
    rows = columns.join_from(signatures, segments).where(signatures.c.track_id.in_(ids))
    connection.execute(insert(departed_sounds).from_select([*names, "attention"], rows))


def _first(connection: Connection, condition: ColumnElement[bool], path: bytes) -> Departed | None:
    """Return a removed track that meets a condition: preferably the one at a path, else the oldest."""
    table = departed_tracks.c
    columns = select(table.track_id, table.content_hash, table.path, table.added_at)
    free = columns.where(condition, table.track_id.not_in(select(tracks.c.id)))
    row = connection.execute(free.order_by((table.path == path).desc(), table.track_id).limit(1)).first()
    return None if row is None else Departed(*row)


def _find_by_sound(connection: Connection, new: FileIdentity, sound: Sound) -> Departed | None:
    table, kept = departed_tracks.c, departed_sounds.c
    columns = select(table.track_id, kept.vector, kept.attention).where(
        _length_within(new.duration_seconds, SAME_SECONDS),
        kept.track_id == table.track_id,
        kept.encoder == sound.encoder,
        kept.coverage == sound.coverage,
    )
    for row in connection.execute(columns.order_by(table.track_id)).all():
        if _sounds_the_same(row, sound.embedding) and (
            found := _first(connection, table.track_id == row.track_id, new.path)
        ):
            return found
    return None


def _sounds_the_same(row: Any, new: TrackEmbedding) -> bool:
    if (len(row.vector), len(row.attention)) != (4 * len(new.signature), 4 * len(new.attention)):
        return False
    vector, attention = np.frombuffer(row.vector, "<f4"), np.frombuffer(row.attention, "<f4")
    close = float(vector @ new.signature) >= SAME_SIGNATURE
    return close and bool(np.abs(attention - new.attention).max(initial=0) <= SAME_ATTENTION)


def _return_by_name(connection: Connection, track_id: int, new: FileIdentity) -> None:
    """Restore to a new track the plays saved without its id: of its content, else the last at its path."""
    nameless = tuple_(departed_plays.c.content_hash, departed_plays.c.path).not_in(
        select(departed_tracks.c.content_hash, departed_tracks.c.path)
    )
    departed_metadata.create_all(connection)
    mine = nameless & (departed_plays.c.content_hash == new.content_hash)
    if connection.execute(select(departed_plays.c.id).where(mine).limit(1)).first() is None:
        here = nameless & (departed_plays.c.path == new.path)
        last = select(departed_plays.c.content_hash).where(here).order_by(departed_plays.c.id.desc()).limit(1)
        mine = here & (departed_plays.c.content_hash == last.scalar_subquery())
    _move(connection, departed_plays, mine, track_id)


def _move(connection: Connection, kept: Table, mine: ColumnElement[bool], track_id: int) -> None:
    """Move stored plays back into the history."""
    events = select(literal(track_id), kept.c.time, kept.c.event, kept.c.user).where(mine).distinct()
    connection.execute(insert(plays).from_select(["track_id", "time", "event", "user"], events))
    connection.execute(delete(kept).where(mine))


def _length_within(seconds: float, tolerance: float) -> ColumnElement[bool]:
    return departed_tracks.c.duration_seconds.between(seconds - tolerance, seconds + tolerance)


def _is_kept(connection: Connection, table: Table) -> bool:
    return inspect(connection).has_table(table.name)
