"""Clients of a server that serves the collection: the real application, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from engine import Engine
from engine.server.accounts import Accounts
from engine.server.app import create_app
from engine.server.settings import ServerSettings

Get = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed by argon2 in a millisecond, not in a tenth of a second."""
    monkeypatch.setattr("engine.server.accounts.PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64))


@pytest.fixture(scope="module")
def client(shared: Engine) -> Iterator[TestClient]:
    """A server without accounts over the shared collection. Only read it."""
    with TestClient(create_app(shared, ServerSettings())) as opened:
        yield opened


@pytest.fixture
def serve(engine: Engine) -> Iterator[Callable[..., TestClient]]:
    """Start a server over the test's own copy, with the settings given."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(TestClient(create_app(engine, ServerSettings(**settings))))


@pytest.fixture
def accounts(engine: Engine) -> Accounts:
    """Users of the test's own copy: `ann`, an administrator, and `bob`."""
    made = Accounts(engine.database)
    made.add("ann", "correct horse", admin=True)
    made.add("bob", "battery staple")
    return made


@pytest.fixture
def secured(accounts: Accounts, serve: Callable[..., TestClient]) -> TestClient:
    """A server that lets only `ann` and `bob` in."""
    return serve(accounts=True)
