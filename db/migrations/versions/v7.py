"""Version 7: plays belong to a user; earlier plays belong to the local user, like the stars of the command line."""

import sqlalchemy
from alembic import op

revision = "7"
down_revision = "6"

TABLES = ("plays", "departed_plays", "orphaned_plays")  # the last two are in libraries from which tracks were removed


def upgrade() -> None:
    """Add the column."""
    there = sqlalchemy.inspect(op.get_bind()).get_table_names()
    for table in TABLES:
        if table in there:
            op.execute(f"ALTER TABLE {table} ADD COLUMN user TEXT NOT NULL DEFAULT 'local'")
