"""Database systems: all their differences, behind one protocol (`base.Dialect`).

The queries in `engine.db` are SQLAlchemy expressions. Where the SQL differs between systems, a query gets it from
`dialect_of(connection)`.
"""

from sqlalchemy import Connection

from engine.db.dialects.base import Dialect
from engine.db.dialects.sqlite import SQLITE

__all__ = ["SQLITE", "Dialect", "dialect_of"]

DIALECTS: dict[str, Dialect] = {SQLITE.name: SQLITE}


def dialect_of(connection: Connection) -> Dialect:
    """Return the dialect of a connection."""
    return DIALECTS[connection.dialect.name]
