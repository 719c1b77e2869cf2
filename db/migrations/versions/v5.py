"""Version 5: aspects."""

from alembic import op

revision = "5"
down_revision = "4"

STATEMENT = """CREATE TABLE aspects (
    track_id INTEGER NOT NULL, kind TEXT NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (track_id, kind), FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE) WITHOUT ROWID"""


def upgrade() -> None:
    """Add the table."""
    op.execute(STATEMENT)
