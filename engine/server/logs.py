"""Logs as JSON: one line for each request and for each message of the server.

A request's line has its time, id, method, route, status, milliseconds until the last byte, and user. The route is the
template, such as /api/v1/tracks/{track_id}; of the query string only names and harmless values are written.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.server.routes import route_of

SECRETS = frozenset({"p", "t", "s", "apikey", "password", "token", "salt", "key", "secret", "jwt", "auth", "api_key"})
MASK = "***"
REQUEST_ID = "x-request-id"
GIVEN_ID = re.compile(r"[\w.-]{1,64}")
LONGEST_QUERY = 500  # characters
ABORTED = 499  # a client that left before the answer began

requests = logging.getLogger("engine.server.requests")


class LogRequests:
    """Writes a line when a request has been answered, and gives every answer the id of its request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), ABORTED
        given = Headers(scope=scope).get(REQUEST_ID, "")
        identifier = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = identifier
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            line = {
                "request_id": identifier,
                "method": scope["method"],
                "route": route_of(scope),
                "query": masked(scope["query_string"]),
                "status": status,
                "ms": round(1000 * (time.monotonic() - began), 1),
                "user": scope.get("state", {}).get("user"),
            }
            requests.info("request", extra={"fields": line})


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | getattr(record, "fields", {}), ensure_ascii=True)


def log_config() -> dict[str, Any]:
    """Return the configuration of `logging` that writes everything as JSON to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"uvicorn": {"level": "WARNING"}, requests.name: {"level": "INFO"}},
    }


def masked(query: bytes) -> str:
    """Return a query string with the values of passwords, tokens and keys replaced."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
    shown = [(name, MASK if name.lower() in SECRETS else value) for name, value in pairs]
    return urlencode(shown, safe="*:/ ")[:LONGEST_QUERY]
