"""Users: passwords, keys, sessions, roles, wrong logins, and pages of other sites.

Covers engine.server.accounts, login, security and engine.db.accounts.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from engine import Engine
from engine.db.accounts import SESSION, add_key, find_key
from engine.db.schema import access_keys
from engine.errors import InvalidError, NotFoundError
from engine.server.accounts import FAILURES, Accounts, User
from engine.server.app import API


def test_only_the_right_password(accounts: Accounts) -> None:
    """A password belongs to its user; empty ones and unknown names never pass."""
    assert accounts.by_password("ann", "correct horse") == User("ann", admin=True)
    assert accounts.by_password("bob", "battery staple") == User("bob", admin=False)
    for name, password in (("ann", "battery staple"), ("ann", ""), ("nobody", ""), ("", ""), ("%", "correct horse")):
        assert accounts.by_password(name, password) is None


def test_changed_passwords_replace_old_ones(accounts: Accounts) -> None:
    """A new password is valid at once, and the old one no longer, although it was right a moment ago."""
    assert accounts.by_password("bob", "battery staple")
    assert not accounts.add("bob", "another one")
    assert accounts.by_password("bob", "battery staple") is None
    assert accounts.by_password("bob", "another one")


def test_a_changed_password_ends_sessions(accounts: Accounts) -> None:
    """Of a user's sessions only that which changed the password remains; keys and other users' sessions remain."""
    ann, bob = User("ann", admin=True), User("bob", admin=False)
    own, stolen, other, key = *(accounts.new_session(user) for user in (bob, bob, ann)), accounts.new_key("bob", "")
    accounts.add("bob", "another one", session=own)
    assert [accounts.by_key(secret) for secret in (own, stolen, other, key)] == [bob, None, ann, bob]


def test_expired_keys_are_removed(engine: Engine, accounts: Accounts) -> None:
    """An expired key opens nothing and is deleted at the next login; keys without an end remain."""
    with engine.database.write() as connection:
        for number, expires_at in enumerate((time.time() - 1, time.time() + 60, None)):
            add_key(connection, "bob", SESSION, "", bytes([number]) * 32, expires_at)
        assert find_key(connection, bytes([0]) * 32) is None
        assert find_key(connection, bytes([1]) * 32) is not None
    accounts.new_session(User("ann", admin=True))
    with engine.database.read() as connection:
        digests = connection.execute(select(access_keys.c.digest).where(access_keys.c.user == "bob")).scalars().all()
    assert sorted(digests) == [bytes([1]) * 32, bytes([2]) * 32]


def test_keys(accounts: Accounts, engine: Engine) -> None:
    """A key works as such and as a password, only for its user, until it is revoked; only its hash is stored."""
    secret = accounts.new_key("bob", "phone")
    assert accounts.by_key(secret) == accounts.by_password("bob", secret) == User("bob", admin=False)
    assert accounts.by_password("ann", secret) is None
    assert secret.encode() not in engine.database.path.read_bytes()
    (key,) = accounts.keys("bob")
    assert key.label == "phone"
    with pytest.raises(NotFoundError):
        accounts.revoke("ann", key.id)
    accounts.revoke("bob", key.id)
    assert accounts.by_key(secret) is None


def test_tokens_need_an_application_password(accounts: Accounts) -> None:
    """A token of the password, or of an empty one, is wrong; one of the application password is right."""

    def token(password: str) -> str:
        return hashlib.md5((password + "salt").encode()).hexdigest()

    for name, password in (("ann", "correct horse"), ("ann", ""), ("nobody", "")):
        assert accounts.by_token(name, token(password), "salt") is None
    secret = accounts.application_password("ann")
    assert accounts.by_token("ann", token(secret), "salt") == User("ann", admin=True)
    assert accounts.by_token("ann", token(""), "salt") is None


def test_removing_a_user_ends_keys(accounts: Accounts) -> None:
    """A removed user's key and password are worth nothing, also for a new user of this name."""
    secret = accounts.new_key("bob", "")
    accounts.remove("bob")
    assert accounts.by_key(secret) is None
    accounts.add("bob", "a new password")
    assert accounts.by_key(secret) is None
    with pytest.raises(NotFoundError):
        accounts.remove("nobody")


@pytest.mark.parametrize(
    ("name", "password"), [("", "long enough"), ("a/b", "long enough"), ("x\n", "long enough"), ("x", "short")]
)
def test_names_and_passwords_that_are_refused(accounts: Accounts, name: str, password: str) -> None:
    """Odd names and short passwords are refused in one line."""
    with pytest.raises(InvalidError):
        accounts.add(name, password)


def test_every_route_needs_a_user(secured: TestClient) -> None:
    """Without a login, every route of the API but the description and the login itself answers 401."""
    described = secured.get(f"{API}/openapi.json").json()["paths"]
    for path, methods in described.items():
        if path == f"{API}/session":
            continue
        filled = path.replace("{track_id}", "1").replace("{number}", "1").replace("{upload_id}", "0" * 32)
        filled = filled.replace("{album_id}", "x").replace("{artist_id}", "x")
        for method in methods:
            response = secured.request(method, filled)
            assert response.status_code == 401, (method, path)
            assert response.json()["error"]["code"] == "unauthorized"


def test_sessions(secured: TestClient) -> None:
    """A login sets a cookie that scripts cannot read; logging out ends the session, not only the cookie."""
    assert secured.post(f"{API}/session", json={"name": "ann", "password": "wrong one"}).status_code == 401
    response = secured.post(f"{API}/session", json={"name": "ann", "password": "correct horse"})
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert secured.get(f"{API}/session").json() == {"name": "ann", "admin": True, "accounts": True}
    stolen = dict(secured.cookies)
    assert secured.delete(f"{API}/session").content == b""
    secured.cookies.update(stolen)
    assert secured.get(f"{API}/stats").status_code == 401


def test_roles(secured: TestClient, accounts: Accounts) -> None:
    """Listeners may not index; administrators may."""
    for name, status in (("bob", 403), ("ann", 404)):
        key = accounts.new_key(name, "")
        response = secured.delete(f"{API}/jobs/9", headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == status
    assert secured.get(f"{API}/stats", auth=("bob", "battery staple")).status_code == 200


def test_wrong_logins_are_limited(secured: TestClient) -> None:
    """After some wrong logins the right password is refused, too; a header does not make another address."""
    for i in range(FAILURES):
        headers = {"X-Forwarded-For": f"10.0.0.{i}"}
        assert secured.get(f"{API}/stats", auth=("ann", f"wrong {i}"), headers=headers).status_code == 401
    assert secured.get(f"{API}/stats", auth=("ann", "correct horse")).status_code == 429


def test_other_sites_are_refused(serve: Callable[..., TestClient]) -> None:
    """A page of another site can neither call the server nor give it another name."""
    client = serve(names=("127.0.0.1", "testserver"))
    assert client.get("/healthz").status_code == 200
    for site, mode in (("cross-site", "no-cors"), ("same-site", "cors"), ("cross-site", "navigate")):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert client.get("/rest/startScan", headers=headers).status_code == 403
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/healthz", headers={"Host": "127.0.0.1:4533"}).status_code == 200


def test_headers_protect_browsers(client: TestClient) -> None:
    """Every answer forbids foreign scripts, sniffing and frames."""
    for path in ("/healthz", f"{API}/nothing", "/rest/ping"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
