"""Version 6: users and their keys; stars, ratings, playlists and play queues."""

from alembic import op

revision = "6"
down_revision = "5"

TABLES = (
    """CREATE TABLE users (
    name TEXT NOT NULL, password_hash TEXT NOT NULL, admin BOOLEAN NOT NULL, application_password TEXT,
    created_at FLOAT NOT NULL, PRIMARY KEY (name))""",
    """CREATE TABLE access_keys (
    id INTEGER NOT NULL, user TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL, digest BLOB NOT NULL,
    created_at FLOAT NOT NULL, expires_at FLOAT, used_at FLOAT,
    PRIMARY KEY (id), CHECK (kind IN ('key', 'session')), UNIQUE (digest),
    FOREIGN KEY(user) REFERENCES users (name) ON DELETE CASCADE)""",
    "CREATE INDEX ix_access_keys_user ON access_keys (user)",
    """CREATE TABLE stars (
    user TEXT NOT NULL, item TEXT NOT NULL, starred_at FLOAT NOT NULL, PRIMARY KEY (user, item))""",
    """CREATE TABLE ratings (
    user TEXT NOT NULL, item TEXT NOT NULL, rating INTEGER NOT NULL,
    PRIMARY KEY (user, item), CHECK (rating BETWEEN 1 AND 5))""",
    """CREATE TABLE playlists (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, name TEXT NOT NULL, comment TEXT NOT NULL,
    public BOOLEAN NOT NULL, created_at FLOAT NOT NULL, changed_at FLOAT NOT NULL)""",
    "CREATE INDEX ix_playlists_owner ON playlists (owner)",
    """CREATE TABLE playlist_tracks (
    playlist_id INTEGER NOT NULL, place INTEGER NOT NULL, track_id INTEGER NOT NULL,
    PRIMARY KEY (playlist_id, place), FOREIGN KEY(playlist_id) REFERENCES playlists (id) ON DELETE CASCADE)""",
    """CREATE TABLE play_queues (
    user TEXT NOT NULL, tracks TEXT NOT NULL, current INTEGER, position_ms INTEGER NOT NULL,
    changed_at FLOAT NOT NULL, changed_by TEXT NOT NULL, PRIMARY KEY (user))""",
)


def upgrade() -> None:
    """Add the tables."""
    for table in TABLES:
        op.execute(table)
