"""/rest/NAME: authentication, dispatch, errors of the protocol."""

from __future__ import annotations

import importlib
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.responses import Response

from engine.errors import EngineError, NotFoundError, brief
from engine.server.accounts import LOCAL, Accounts, User
from engine.server.context import ServerContext, context_of
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import ENDPOINTS
from engine.server.subsonic.envelope import (
    BAD_KEY,
    CONFLICTING,
    GENERIC,
    MISSING,
    NOT_FOUND,
    WRONG_LOGIN,
    SubsonicError,
    answer,
    failure,
)

MODULES = ("browsing", "listening", "lists", "media", "playlists", "searching", "sounding_alike", "system")
FORM = "application/x-www-form-urlencoded"
MOST_FORM_BYTES = 1 << 20
WITHOUT_LOGIN = ("getOpenSubsonicExtensions",)

for name in MODULES:  # each registers its endpoints
    importlib.import_module(f"engine.server.subsonic.{name}")

router = APIRouter(prefix="/rest")


@router.api_route("/{name}", methods=["GET", "POST"])
async def call_endpoint(request: Request, name: str) -> Response:
    """Answer one call."""
    parameters = request.query_params
    if request.method == "POST" and request.headers.get("content-type", "").startswith(FORM):
        parameters = QueryParams([*parameters.multi_items(), *await _form(request)])
    context, form = context_of(request), parameters.get("f", "xml")
    callback = parameters.get("callback", "")
    try:
        return await run_in_threadpool(_call, request, context, name.removesuffix(".view"), parameters)
    except SubsonicError as error:
        return failure(error, form, callback, 404 if name.removesuffix(".view") not in ENDPOINTS else 200)
    except EngineError as error:
        code = NOT_FOUND if isinstance(error, NotFoundError) else GENERIC
        return failure(SubsonicError(code, brief(error.message)), form, callback)


def _call(request: Request, context: ServerContext, name: str, parameters: QueryParams) -> Response:
    endpoint, address = ENDPOINTS.get(name), request.client.host if request.client else ""
    user = LOCAL if name in WITHOUT_LOGIN else authenticate(context.accounts, parameters, address)
    request.state.user = user.name  # for the log
    if endpoint is None:
        raise SubsonicError(GENERIC, "There is no such endpoint")
    content: Any = endpoint(Call(context, user, parameters))
    if isinstance(content, Response):
        return content
    return answer(content, parameters.get("f", "xml"), parameters.get("callback", ""))


def authenticate(accounts: Accounts | None, parameters: QueryParams, address: str) -> User:
    """Return the user of a call; on a server without accounts, the local user.

    Raises:
        SubsonicError: A parameter is missing, or the login is wrong.
    """
    if accounts is None:
        return LOCAL
    if accounts.refused(address):
        raise SubsonicError(WRONG_LOGIN, "Too many wrong logins: wait some minutes")
    user, code = _login(accounts, parameters)
    if user is None:
        accounts.note_failure(address)
        message = "Invalid API key" if code == BAD_KEY else "Wrong username or password"
        raise SubsonicError(code, message)
    return user


def _login(accounts: Accounts, parameters: QueryParams) -> tuple[User | None, int]:
    key, name = parameters.get("apiKey"), parameters.get("u")
    password, token, salt = (parameters.get(each) for each in ("p", "t", "s"))
    if key is not None:
        if any(each is not None for each in (name, password, token, salt)):
            raise SubsonicError(CONFLICTING, "apiKey excludes u, p, t and s")
        return accounts.by_key(key), BAD_KEY
    if name is None:
        raise SubsonicError(MISSING, "Required parameter is missing: u or apiKey")
    if token is not None and salt is not None:
        return accounts.by_token(name, token, salt), WRONG_LOGIN
    if password is None:
        raise SubsonicError(MISSING, "Required parameter is missing: p, or t and s")
    return accounts.by_password(name, _decoded(password)), WRONG_LOGIN


def _decoded(password: str) -> str:
    """Return a password that may be written as enc:HEX."""
    if not password.startswith("enc:"):
        return password
    try:
        return bytes.fromhex(password[4:]).decode("utf-8")
    except ValueError:
        return ""


async def _form(request: Request) -> list[tuple[str, str]]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            return []
    return QueryParams(body.decode("utf-8", "replace")).multi_items()
