"""Version 3: words."""

from alembic import op

revision = "3"
down_revision = "2"

STATEMENT = """CREATE TABLE words (
    signature_id INTEGER NOT NULL, probabilities BLOB NOT NULL,
    PRIMARY KEY (signature_id), FOREIGN KEY(signature_id) REFERENCES signatures (id) ON DELETE CASCADE)"""


def upgrade() -> None:
    """Add the table."""
    op.execute(STATEMENT)
