"""Security headers, and protection against requests by pages of other sites.

A server without accounts trusts every client that reaches it. Pages of other sites must not: they could make the
browser call this server (detected by `Sec-Fetch-Site`), or resolve their own name to this machine (detected by `Host`).
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.server.problems import problem
from engine.server.routes import path_of

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOREIGN = ("cross-site", "same-site")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Security:
    """Adds `HEADERS` to responses, and refuses requests that pages of other sites make.

    Args:
        app: The application.
        names: The names and addresses by which the server may be called; None for any.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...] | None) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if headers.get("sec-fetch-site") in FOREIGN and (
            headers.get("sec-fetch-mode") != "navigate" or path_of(scope).startswith(("/rest/", "/api/"))
        ):
            refusal = problem(403, "forbidden", "another site's page may not call this server")
            await refusal(scope, receive, send_with_headers)
        elif self._names is not None and _host(headers) not in self._names:
            refusal = problem(
                403,
                "forbidden",
                "the server is not known by this name",
                "add users (engine user add), or use localhost",
            )
            await refusal(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def _host(headers: Headers) -> str:
    """Return the name that a request is for, without the port."""
    host = headers.get("host", "")
    return (host.partition("]")[0] + "]") if host.startswith("[") else host.partition(":")[0]
