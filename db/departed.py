"""Plays of tracks that were removed, kept until a file with the same content, or at the same path, is a track again.

What a user did with a track must not hang on whether its file is there today. The table is made when the first such
play is kept: a library without it is complete, and an older Engine ignores it.
"""

from collections.abc import Iterable

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    Table,
    delete,
    insert,
    inspect,
    literal,
    select,
    update,
)

from engine.db.schema import BLOB, TEXT, plays, tracks
from engine.db.text import Folder, portions

departed_plays = Table(
    "departed_plays",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("content_hash", BLOB, nullable=False, index=True),
    Column("path", BLOB, nullable=False, index=True),
    Column("time", Float, nullable=False),  # seconds since 1970
    Column("event", TEXT, nullable=False),
    CheckConstraint("event IN ('play', 'skip', 'like')"),
)


def keep_plays(connection: Connection, ids: Iterable[int]) -> None:
    """Set the plays of these tracks aside, before the tracks are removed."""
    for portion in portions(ids):
        columns = select(tracks.c.content_hash, tracks.c.path, plays.c.time, plays.c.event)
        found = columns.join_from(tracks, plays).where(tracks.c.id.in_(portion)).order_by(plays.c.id)
        if connection.execute(found.limit(1)).first() is not None:
            departed_plays.create(connection, checkfirst=True)
            connection.execute(insert(departed_plays).from_select(["content_hash", "path", "time", "event"], found))


def return_plays(connection: Connection, track_id: int, content_hash: bytes, path: bytes) -> None:
    """Give a new track the plays of a removed one: that with the same content, else the last one at the same path."""
    if not _any_kept(connection):
        return
    mine = departed_plays.c.content_hash == content_hash
    if connection.execute(select(departed_plays.c.id).where(mine).limit(1)).first() is None:
        here = departed_plays.c.path == path
        last = select(departed_plays.c.content_hash).where(here).order_by(departed_plays.c.id.desc()).limit(1)
        mine = here & (departed_plays.c.content_hash == last.scalar_subquery())
    events = select(literal(track_id), departed_plays.c.time, departed_plays.c.event).where(mine).distinct()
    connection.execute(insert(plays).from_select(["track_id", "time", "event"], events))
    connection.execute(delete(departed_plays).where(mine))


def relocate_departed(connection: Connection, source: Folder, target: Folder) -> None:
    """Rewrite the paths of removed tracks in a folder that moved."""
    if not _any_kept(connection):
        return
    inside = select(departed_plays.c.path).where(source.condition(departed_plays.c.path)).distinct()
    moves = [(path, source.rebased(path, target)) for path in connection.execute(inside).scalars().all()]
    ids = {path: select(departed_plays.c.id).where(departed_plays.c.path == path) for path, _ in moves}
    rows = [(connection.execute(ids[path]).scalars().all(), new) for path, new in moves]  # before any path changes
    for numbers, new in rows:
        for portion in portions(numbers):
            connection.execute(update(departed_plays).where(departed_plays.c.id.in_(portion)).values(path=new))


def _any_kept(connection: Connection) -> bool:
    return inspect(connection).has_table(departed_plays.name)
