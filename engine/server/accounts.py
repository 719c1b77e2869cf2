"""Users, passwords and keys.

Passwords are hashed by argon2. Keys and sessions are 256 random bits, stored as SHA-256: nothing in the library's file
grants access, except an application password, which OpenSubsonic's tokens need and which is made only on request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

import engine.db.accounts as accounts
from engine.db import Database
from engine.db.accounts import KEY, SESSION, KeyRow, UserRow
from engine.db.user_data import LOCAL_USER
from engine.errors import InvalidError, NotFoundError

NAME = re.compile(r"[^\W_][\w.@ -]{0,63}")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1000  # characters
KEY_BYTES = 32
SESSION_SECONDS = 30 * 86_400.0
REMEMBERED_SECONDS = 300.0  # a verified password is not hashed again: players send it with every request
FAILURES, FAILURE_SECONDS = 10, 300.0  # most wrong logins from one address within this time


@dataclass(frozen=True)
class User:
    """A user account of the server."""

    name: str
    admin: bool


LOCAL = User(LOCAL_USER, admin=True)


class Accounts:
    """The users of a library's server. Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._secret = secrets.token_bytes(32)
        self._remembered: dict[bytes, float] = {}
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, password: str, admin: bool = False, *, session: str = "") -> bool:
        """Add a user, or change the password and role of a known one; return whether it is new.

        A changed password ends the user's sessions, except that with the secret `session`, which changes it; keys and
        the application password remain.

        Raises:
            InvalidError: The name or the password is not allowed.
        """
        if not NAME.fullmatch(name):
            raise InvalidError(
                f"expected a name of 1 to 64 letters, digits and . @ - _, found {name!r}", hint="choose another"
            )
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InvalidError(
                f"expected a password of {SHORTEST_PASSWORD} characters or more, found {len(password)}",
                hint="choose a longer one",
            )
        hashed = self._hasher.hash(password)
        self._remembered.clear()
        with self._database.write() as connection:
            accounts.end_sessions(connection, name, kept=_digest(session))
            return accounts.put_user(connection, name, hashed, admin)

    def remove(self, name: str) -> None:
        """Remove a user with all keys; raise NotFoundError if there is none of this name."""
        self._existing(name)
        with self._database.write() as connection:
            if not accounts.remove_user(connection, name):
                raise _unknown(name)
        self._remembered.clear()

    def all(self) -> list[User]:
        """Return all users by name."""
        with self._database.read() as connection:
            return [User(row.name, row.admin) for row in accounts.list_users(connection)]

    def find(self, name: str) -> User | None:
        """Return a user, or None."""
        row = self._row(name)
        return None if row is None else User(row.name, row.admin)

    def existing(self, name: str) -> User:
        """Return a user; raise NotFoundError if there is none of this name."""
        row = self._existing(name)
        return User(row.name, row.admin)

    def new_key(self, name: str, label: str) -> str:
        """Make a key for programs and return it; it cannot be shown again."""
        self._existing(name)
        return self._new(name, KEY, label, None)

    def keys(self, name: str) -> list[KeyRow]:
        """Return the keys of a user, without their secrets."""
        self._existing(name)
        with self._database.read() as connection:
            return accounts.list_keys(connection, name)

    def revoke(self, name: str, key: int) -> None:
        """Revoke a key of a user; raise NotFoundError if there is none."""
        with self._database.write() as connection:
            if not accounts.remove_key(connection, name, key):
                raise NotFoundError(f"expected the number of a key of {name}, found {key}", hint="list them")

    def application_password(self, name: str) -> str:
        """Return the application password of a user, made on first use."""
        known = self._existing(name).application_password
        if known:
            return known
        with self._database.write() as connection:
            row = accounts.find_user(connection, name)  # once more: another request may have made one
            if row is None:
                raise _unknown(name)
            made = row.application_password or secrets.token_urlsafe(18)
            accounts.put_application_password(connection, name, made)
        return made

    def new_session(self, user: User) -> str:
        """Make a session for a browser and return its secret."""
        with self._database.write() as connection:
            accounts.remove_expired(connection)
        return self._new(user.name, SESSION, "browser", time.time() + SESSION_SECONDS)

    def end_session(self, secret: str) -> None:
        """End a session."""
        with self._database.write() as connection:
            found = accounts.find_key(connection, _digest(secret))
            if found is not None and found.kind == SESSION:
                accounts.remove_key(connection, found.user, found.id)

    def by_password(self, name: str, password: str) -> User | None:
        """Return the user with this password, application password, key or session secret; None if it is wrong."""
        row = self._row(name)
        if not password or len(password) > LONGEST_PASSWORD:
            return None
        if row is None:
            self._matches(self._unknown_hash, password)  # takes as long as a wrong password
            return None
        user = User(row.name, row.admin)
        if row.application_password and hmac.compare_digest(row.application_password.encode(), password.encode()):
            return user
        if self._matches(row.password_hash, password):
            return user
        by_key = self.by_key(password)
        return user if by_key == user else None

    @cached_property
    def _unknown_hash(self) -> str:
        """A hash to compare with where no user has the name; only logins need it, and it takes 0.1 s."""
        return self._hasher.hash(secrets.token_hex(8))

    def by_token(self, name: str, token: str, salt: str) -> User | None:
        """Return the user whose application password, then the salt, has this MD5; None if it is wrong."""
        row = self._row(name)
        if row is None or not row.application_password:
            return None
        expected = hashlib.md5((row.application_password + salt).encode(), usedforsecurity=False).hexdigest()
        return User(row.name, row.admin) if hmac.compare_digest(expected.encode(), token.lower().encode()) else None

    def by_key(self, secret: str) -> User | None:
        """Return the user of a key or session; None if it is unknown, revoked or expired."""
        with self._database.read() as connection:
            found = accounts.find_key(connection, _digest(secret))
            row = None if found is None else accounts.find_user(connection, found.user)
        return None if row is None else User(row.name, row.admin)

    def refused(self, address: str) -> bool:
        """Whether an address has failed so often that its logins are refused."""
        with self._lock:
            return len(self._recent(address)) >= FAILURES

    def note_failure(self, address: str) -> None:
        """Count a wrong login."""
        with self._lock:
            self._recent(address).append(time.monotonic())
            if len(self._failures) > 10_000:
                self._failures.pop(next(iter(self._failures)))

    def _recent(self, address: str) -> deque[float]:
        failures = self._failures.setdefault(address, deque())
        while failures and failures[0] < time.monotonic() - FAILURE_SECONDS:
            failures.popleft()
        return failures

    def _matches(self, hashed: str, password: str) -> bool:
        key = hmac.digest(self._secret, f"{hashed}\0{password}".encode("utf-8", "replace"), "sha256")
        if self._remembered.get(key, 0.0) > time.monotonic():
            return True
        try:
            self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False
        with self._lock:
            self._remembered[key] = time.monotonic() + REMEMBERED_SECONDS
        return True

    def _new(self, name: str, kind: str, label: str, expires_at: float | None) -> str:
        secret = secrets.token_urlsafe(KEY_BYTES)
        with self._database.write() as connection:
            accounts.add_key(connection, name, kind, label[:100], _digest(secret), expires_at)
        return secret

    def _row(self, name: str) -> UserRow | None:
        if not NAME.fullmatch(name):  # no user has it, and not every text can be stored
            return None
        with self._database.read() as connection:
            return accounts.find_user(connection, name)

    def _existing(self, name: str) -> UserRow:
        row = self._row(name)
        if row is None:
            raise _unknown(name)
        return row


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"no user is called {name!r}", hint="`engine user list` shows all")
