"""Settings: short texts that belong to a library, by name."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from engine.db.schema import settings
from engine.db.text import clean


def get_setting(connection: Connection, key: str) -> str | None:
    """Return a setting, or None when it was never set."""
    return connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar_one_or_none()


def set_setting(connection: Connection, key: str, value: str) -> None:
    """Write a setting over whatever it was."""
    statement = insert(settings).values(key=key, value=clean(value))
    connection.execute(statement.on_conflict_do_update(index_elements=[settings.c.key], set_={"value": clean(value)}))
