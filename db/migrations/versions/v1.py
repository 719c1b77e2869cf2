"""Version 1: tracks, skipped, roots, signatures, segments, settings, vector_indexes."""

revision = "1"
down_revision = None


def upgrade() -> None:
    """Do nothing: no library is older."""
