"""Authenticate API requests: a session cookie, `Authorization: Bearer KEY`, or Basic with name and password."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.server.accounts import LOCAL, SESSION_SECONDS, Accounts, User
from engine.server.context import Context, context_of
from engine.server.problems import RESPONSES
from engine.server.responses import Document

COOKIE = "engine_session"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="engine"'}

router = APIRouter(tags=["session"], responses=RESPONSES)


class Credentials(BaseModel):
    """A name and a password."""

    name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1000)


class Session(BaseModel):
    """The logged-in user; `accounts` is false on a server without user accounts."""

    name: str
    admin: bool
    accounts: bool


def current_user(request: Request) -> User:
    """Return the user of a request; raise HTTPException 401, or 429 after many wrong logins."""
    accounts = context_of(request).accounts
    if accounts is None:
        request.state.user = LOCAL.name
        return LOCAL
    address = address_of(request)
    _refuse_flood(accounts, address)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    cookie = request.cookies.get(COOKIE)
    user = None
    if kind.lower() == "bearer":
        user = accounts.by_key(secret.strip())
    elif kind.lower() == "basic":
        user = accounts.by_password(*_basic(secret))
    elif cookie is not None:
        user = accounts.by_key(cookie)
    else:
        raise HTTPException(401, "expected a session, a key or a password, found none", CHALLENGE)
    if user is None:
        accounts.note_failure(address)
        raise HTTPException(401, "the session, key or password is wrong or has expired", CHALLENGE)
    request.state.user = user.name  # for the log
    return user


def current_admin(user: Annotated[User, Depends(current_user)]) -> User:
    """Return the user of a request; raise HTTPException 403 unless the user is an administrator."""
    if not user.admin:
        raise HTTPException(403, "only an administrator may do this")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


@router.post("/session", responses={200: {"model": Session}})
def log_in(context: Context, request: Request, credentials: Credentials) -> Document:
    """Log in: the answer sets a cookie."""
    accounts = context.accounts
    if accounts is None:
        return Document({"name": LOCAL.name, "admin": LOCAL.admin, "accounts": False})
    address = address_of(request)
    _refuse_flood(accounts, address)
    user = accounts.by_password(credentials.name, credentials.password)
    if user is None:
        accounts.note_failure(address)
        raise HTTPException(401, "the name or the password is wrong", CHALLENGE)
    answer = Document({"name": user.name, "admin": user.admin, "accounts": True})
    answer.set_cookie(
        COOKIE,
        accounts.new_session(user),
        max_age=round(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path=context.settings.root_path or "/",
    )
    return answer


@router.get("/session", responses={200: {"model": Session}})
def who(context: Context, user: CurrentUser) -> Document:
    """Return the logged-in user."""
    return Document({"name": user.name, "admin": user.admin, "accounts": context.accounts is not None})


@router.delete("/session", status_code=204, response_class=Response)
def log_out(context: Context, request: Request) -> Response:
    """Log out: end the session and delete the cookie."""
    cookie = request.cookies.get(COOKIE)
    if context.accounts is not None and cookie is not None:
        context.accounts.end_session(cookie)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path=context.settings.root_path or "/")
    return answer


def address_of(request: Request) -> str:
    """Return the address to count wrong logins for; behind a trusted proxy, its client's."""
    return request.client.host if request.client else ""


def _refuse_flood(accounts: Accounts, address: str) -> None:
    if accounts.refused(address):
        raise HTTPException(429, "too many wrong logins from this address: wait some minutes")


def _basic(encoded: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
