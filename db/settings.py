"""Settings: short texts that belong to a library, by name."""

from sqlalchemy import Connection, select

from engine.db.dialects import dialect_of
from engine.db.schema import settings
from engine.db.text import clean


def get_setting(connection: Connection, key: str) -> str | None:
    """Return a setting, or None when it was never set."""
    return connection.execute(select(settings.c.value).where(settings.c.key == clean(key))).scalar_one_or_none()


def set_setting(connection: Connection, key: str, value: str) -> None:
    """Write a setting, replacing an earlier value."""
    values = {"key": key, "value": clean(value)}
    connection.execute(dialect_of(connection).upsert(settings, [settings.c.key], values))
