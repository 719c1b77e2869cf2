"""Errors as HTTP answers: one document for all of them.

    {"error": {"code": "not_found", "message": "...", "hint": "..."}}

`message` states the expected and the found value, `hint` the next step (null where there is none). On the command line
the same error classes become one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from engine.errors import (
    AudioError,
    BusyError,
    EngineError,
    InvalidError,
    LibraryError,
    NotFoundError,
    OutputError,
    QueryError,
    UnavailableError,
    brief,
)
from engine.server.responses import Document

KINDS: Sequence[tuple[type[EngineError], int, str]] = (  # the first that fits
    (NotFoundError, 404, "not_found"),
    (InvalidError, 422, "invalid"),
    (QueryError, 422, "invalid"),
    (AudioError, 422, "audio"),
    (OutputError, 409, "conflict"),
    (BusyError, 503, "busy"),
    (UnavailableError, 503, "unavailable"),
    (LibraryError, 409, "library"),
    (EngineError, 500, "internal"),
)
CODES = {
    400: "body",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method",
    429: "too_many",
}
RETRY_SECONDS = 5


class Problem(BaseModel):
    """The fault: `code` for programs, `message` and `hint` for people."""

    code: str
    message: str
    hint: str | None = None


class ProblemDocument(BaseModel):
    """The answer to a request that failed."""

    error: Problem


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": text}
    for status, text in (
        (400, "The body is not JSON"),
        (401, "A user is needed, and none was named"),
        (403, "Only that user, or an administrator, may do this"),
        (404, "There is no such track, artist, album, genre or job"),
        (409, "The library cannot answer this: it has no signatures, or lacks other data"),
        (422, "A value is invalid, or a file gives no signature"),
        (503, "The library or its disk is busy or missing; try again"),
    )
}


def problem(status: int, code: str, message: str, hint: str | None = None, **headers: str) -> Document:
    """Return the answer for a request that failed."""
    body = ProblemDocument(error=Problem(code=code, message=message, hint=hint))
    return Document(body.model_dump(), status_code=status, headers=headers)


def explain(error: EngineError) -> Document:
    """Return the answer for one of Engine's own errors."""
    status, code = next((status, code) for kind, status, code in KINDS if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    return problem(status, code, brief(error.message), error.hint, **headers)


def install(app: FastAPI) -> None:
    """Install handlers that answer every error of the app with a document."""

    @app.exception_handler(EngineError)
    def _engine_error(request: Request, error: EngineError) -> Document:
        return explain(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Document:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return problem(422, "invalid", f"{place}: {brief(first['msg'])}, found {brief(repr(first.get('input')))}")

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Document:
        code = CODES.get(error.status_code, "http")
        return problem(error.status_code, code, brief(error.detail), **dict(error.headers or {}))

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> Document:
        return problem(500, "internal", "the server failed at this request", "its log has the details")
