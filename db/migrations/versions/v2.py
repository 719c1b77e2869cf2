"""Version 2: fingerprints, audio features, plays."""

from alembic import op

revision = "2"
down_revision = "1"

STATEMENTS = (
    """CREATE TABLE fingerprints (
        track_id INTEGER NOT NULL, kind TEXT NOT NULL, fingerprint BLOB NOT NULL, codec TEXT, bitrate INTEGER,
        PRIMARY KEY (track_id, kind), FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE)""",
    """CREATE TABLE audio_features (
        track_id INTEGER NOT NULL, tempo FLOAT, "key" TEXT, loudness FLOAT,
        PRIMARY KEY (track_id), FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE)""",
    """CREATE TABLE plays (
        id INTEGER NOT NULL, track_id INTEGER NOT NULL, time FLOAT NOT NULL, event TEXT NOT NULL,
        PRIMARY KEY (id), CHECK (event IN ('play', 'skip', 'like')),
        FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE)""",
    "CREATE INDEX ix_plays_track_id ON plays (track_id)",
)


def upgrade() -> None:
    """Add the three tables."""
    for statement in STATEMENTS:
        op.execute(statement)
