"""Version 4: text search by FTS5, in tables of its own instead of a column of `tracks`."""

from alembic import op

from engine.db.text_search import SearchableTrack, create_text_search, put_search_texts

revision = "4"
down_revision = "3"

TABLE = """CREATE TABLE search_texts (
    track_id INTEGER NOT NULL, title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT NOT NULL, genre TEXT NOT NULL,
    year TEXT NOT NULL, path TEXT NOT NULL, words TEXT NOT NULL,
    PRIMARY KEY (track_id), FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE)"""
ROWS_AT_ONCE = 4096


def upgrade() -> None:
    """Add the tables, fill them from the tags, and drop the column."""
    connection = op.get_bind()
    op.execute(TABLE)
    create_text_search(connection)
    last = 0
    while rows := connection.exec_driver_sql(
        "SELECT id, title, artist, album, genre, year, path FROM tracks WHERE id > ? ORDER BY id LIMIT ?",
        (last, ROWS_AT_ONCE),
    ).all():
        put_search_texts(connection, {row[0]: SearchableTrack(*row[1:]) for row in rows})
        last = rows[-1][0]
    op.execute("ALTER TABLE tracks DROP COLUMN search_text")
