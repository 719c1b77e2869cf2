"""Users of a server and their credentials: password hashes, keys, sessions."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from engine.db.schema import access_keys, users

KEY, SESSION = "key", "session"


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as stored.

    Attributes:
        password_hash: By argon2.
        admin: Whether the user may index and see other users.
        application_password: Random, readable: the tokens of OpenSubsonic need one. None until the user requests it.
        created_at: Seconds since 1970.
    """

    name: str
    password_hash: str
    admin: bool
    application_password: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key of a user, without its secret. Times are seconds since 1970."""

    id: int
    user: str
    kind: str
    label: str
    created_at: float
    expires_at: float | None


USER_COLUMNS = [users.c[name] for name in UserRow.__dataclass_fields__]
KEY_COLUMNS = [access_keys.c[name] for name in KeyRow.__dataclass_fields__]


def put_user(connection: Connection, name: str, password_hash: str, admin: bool) -> bool:
    """Add a user, or change the password and role of a known one; return whether it is new."""
    values = {"password_hash": password_hash, "admin": admin}
    if connection.execute(update(users).where(users.c.name == name).values(values)).rowcount:
        return False
    connection.execute(insert(users).values(name=name, created_at=time.time(), **values))
    return True


def remove_user(connection: Connection, name: str) -> bool:
    """Remove a user with all keys; stars and playlists remain for a user of this name. Return whether there was one."""
    return bool(connection.execute(delete(users).where(users.c.name == name)).rowcount)


def find_user(connection: Connection, name: str) -> UserRow | None:
    """Return a user, or None."""
    row = connection.execute(select(*USER_COLUMNS).where(users.c.name == name)).one_or_none()
    return None if row is None else UserRow(*row)


def list_users(connection: Connection) -> list[UserRow]:
    """Return all users by name."""
    return [UserRow(*row) for row in connection.execute(select(*USER_COLUMNS).order_by(users.c.name))]


def put_application_password(connection: Connection, name: str, secret: str | None) -> None:
    """Store the application password of a user, or remove it."""
    connection.execute(update(users).where(users.c.name == name).values(application_password=secret))


def add_key(
    connection: Connection, user: str, kind: str, label: str, digest: bytes, expires_at: float | None = None
) -> int:
    """Store a key by its hash and return its id."""
    values = {"user": user, "kind": kind, "label": label, "digest": digest, "expires_at": expires_at}
    made = connection.execute(insert(access_keys).values(created_at=time.time(), **values)).inserted_primary_key
    assert made is not None
    return int(made[0])


def find_key(connection: Connection, digest: bytes) -> KeyRow | None:
    """Return the key with this hash, if it has not expired."""
    row = connection.execute(select(*KEY_COLUMNS).where(access_keys.c.digest == digest)).one_or_none()
    found = None if row is None else KeyRow(*row)
    expired = found is not None and found.expires_at is not None and found.expires_at <= time.time()
    return None if expired else found


def list_keys(connection: Connection, user: str) -> list[KeyRow]:
    """Return the keys of a user, sessions excluded."""
    found = select(*KEY_COLUMNS).where(access_keys.c.user == user, access_keys.c.kind == KEY)
    return [KeyRow(*row) for row in connection.execute(found.order_by(access_keys.c.id))]


def remove_key(connection: Connection, user: str, identifier: int) -> bool:
    """Revoke a key of a user; return whether there was one."""
    found = delete(access_keys).where(access_keys.c.user == user, access_keys.c.id == identifier)
    return bool(connection.execute(found).rowcount)


def end_sessions(connection: Connection, user: str, kept: bytes) -> None:
    """Delete the sessions of a user but one, given by its hash; keys remain."""
    sessions = delete(access_keys).where(access_keys.c.user == user, access_keys.c.kind == SESSION)
    connection.execute(sessions.where(access_keys.c.digest != kept))


def remove_expired(connection: Connection) -> None:
    """Delete the sessions and keys that have expired; those without `expires_at` remain."""
    connection.execute(delete(access_keys).where(access_keys.c.expires_at <= time.time()))
