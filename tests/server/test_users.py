"""Users and keys over the API: who may do what. Covers engine.server.api.users."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from engine.server.app import API

ANN, BOB = ("ann", "correct horse"), ("bob", "battery staple")
USERS = f"{API}/users"


def test_an_administrator_adds_and_removes_users(secured: TestClient) -> None:
    """A new user logs in; a name is given out once; nobody removes the own account."""
    new = {"name": "cleo", "password": "purple rain"}
    assert secured.post(USERS, json=new, auth=ANN).status_code == 201
    assert secured.post(USERS, json=new, auth=ANN).status_code == 409
    assert [each["name"] for each in secured.get(USERS, auth=ANN).json()["users"]] == ["ann", "bob", "cleo"]
    assert secured.get(f"{API}/session", auth=("cleo", "purple rain")).json()["admin"] is False
    assert secured.delete(f"{USERS}/ann", auth=ANN).status_code == 422
    assert secured.delete(f"{USERS}/cleo", auth=ANN).status_code == 204
    assert secured.get(f"{API}/session", auth=("cleo", "purple rain")).status_code == 401
    assert secured.post(USERS, json=new | {"password": "short"}, auth=ANN).status_code == 422
    assert secured.post(USERS, json=new | {"name": "../x"}, auth=ANN).status_code == 422


def test_keys_are_shown_once_and_revoked(secured: TestClient) -> None:
    """A key lets its user in until it is revoked; the list holds no secret."""
    key = secured.post(f"{USERS}/bob/keys", json={"label": "phone"}, auth=BOB).json()["key"]
    login = {"Authorization": f"Bearer {key}"}
    assert secured.get(f"{API}/session", headers=login).json()["name"] == "bob"
    listed = secured.get(f"{USERS}/bob/keys", auth=BOB)
    assert (key in listed.text, listed.json()["keys"][0]["label"]) == (False, "phone")
    number = listed.json()["keys"][0]["key_id"]
    assert secured.delete(f"{USERS}/ann/keys/{number}", auth=ANN).status_code == 404
    assert secured.delete(f"{USERS}/bob/keys/{number}", auth=ANN).status_code == 204
    assert secured.get(f"{API}/session", headers=login).status_code == 401


def test_passwords_change(secured: TestClient) -> None:
    """Everybody changes the own password and keeps the role; the application password is the user's alone."""
    assert secured.put(f"{USERS}/ann/password", json={"password": "another one"}, auth=ANN).status_code == 204
    assert secured.get(f"{API}/session", auth=("ann", "another one")).json()["admin"] is True
    shown = secured.post(f"{USERS}/bob/application-password", auth=BOB).json()["password"]
    assert secured.post(f"{USERS}/bob/application-password", auth=BOB).json()["password"] == shown
    assert secured.post(f"{USERS}/bob/application-password", auth=("ann", "another one")).status_code == 403
    assert secured.get("/rest/ping", params={"u": "bob", "p": shown}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"name": "eve", "password": "eve's own", "admin": True}),
        ("DELETE", "/ann", None),
        ("PUT", "/ann/password", {"password": "taken over"}),
        ("GET", "/ann/keys", None),
        ("POST", "/ann/keys", {"label": ""}),
        ("DELETE", "/ann/keys/1", None),
        ("POST", "/ann/application-password", None),
    ],
)
def test_a_listener_manages_nobody_else(secured: TestClient, method: str, path: str, body: object) -> None:
    """What belongs to others is forbidden to a listener, and unknown to a stranger."""
    assert secured.request(method, USERS + path, json=body, auth=BOB).status_code == 403
    assert secured.request(method, USERS + path, json=body).status_code == 401


def test_a_server_without_users_says_how_to_make_one(client: TestClient) -> None:
    """There the page shows the command for it."""
    answer = client.get(USERS)
    assert (answer.status_code, "engine user add" in answer.json()["error"]["hint"]) == (409, True)
