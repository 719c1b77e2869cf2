"""The tables of removed tracks; see `engine.db.departed`.

They are created when the first track is removed: a library without them is complete, and an older Engine ignores them.
"""

from sqlalchemy import CheckConstraint, Column, Float, Integer, MetaData, PrimaryKeyConstraint, Table

from engine.db.schema import BLOB, LOCAL_USER, TEXT

EVENT = "event IN ('play', 'skip', 'like')"
departed_metadata = MetaData()

departed_tracks = Table(
    "departed_tracks",
    departed_metadata,
    Column("track_id", Integer, primary_key=True),
    Column("content_hash", BLOB, nullable=False, index=True),
    Column("path", BLOB, nullable=False, index=True),
    Column("duration_seconds", Float, nullable=False, index=True),
    Column("recording_id", TEXT, index=True),
    Column("added_at", Integer, nullable=False),  # seconds since 1970
    Column("removed_at", Integer, nullable=False),
)
departed_sounds = Table(
    "departed_sounds",
    departed_metadata,
    Column("track_id", Integer, nullable=False),
    Column("encoder", TEXT, nullable=False),
    Column("coverage", TEXT, nullable=False),
    Column("vector", BLOB, nullable=False),  # float32 (D,)
    Column("attention", BLOB, nullable=False),  # float32 (S,)
    PrimaryKeyConstraint("track_id", "encoder", "coverage"),
)
departed_plays = Table(
    "departed_plays",
    departed_metadata,
    Column("id", Integer, primary_key=True),
    Column("content_hash", BLOB, nullable=False, index=True),
    Column("path", BLOB, nullable=False, index=True),
    Column("time", Float, nullable=False),  # seconds since 1970
    Column("event", TEXT, nullable=False),
    Column("user", TEXT, nullable=False, server_default=LOCAL_USER),
    CheckConstraint(EVENT),
)
orphaned_plays = Table(  # of tracks known only by their id
    "orphaned_plays",
    departed_metadata,
    Column("id", Integer, primary_key=True),
    Column("track_id", Integer, nullable=False, index=True),
    Column("time", Float, nullable=False),
    Column("event", TEXT, nullable=False),
    Column("user", TEXT, nullable=False, server_default=LOCAL_USER),
    CheckConstraint(EVENT),
)
