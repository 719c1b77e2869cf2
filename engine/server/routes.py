"""Resolve requests: the sub-path of a reverse proxy, and the template of the matching route."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from engine.server.subsonic.endpoints import ENDPOINTS

API = "/api/v1"
OTHER = "other"  # the label of requests without a route: clients choose their paths freely
STATIC = "/page/{file}"


class SubPath:
    """Serves an application under the sub-path of a reverse proxy, whether the proxy removes it from paths or not."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app, self._root = app, root_path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and self._root:
            path = scope["path"]
            below = path == self._root or path.startswith(f"{self._root}/")
            scope = {**scope, "root_path": self._root, "path": path if below else self._root + path}
        await self._app(scope, receive, send)


def route_of(scope: Scope) -> str:
    """Return the template of the matching route, with names in place of values and without a proxy's sub-path."""
    route, path = getattr(scope.get("route"), "path", None), path_of(scope)
    if route is None:
        return STATIC if path.startswith("/page/") else OTHER
    name = str(scope.get("path_params", {}).get("name", "")).removesuffix(".view")
    if route == "/rest/{name}":
        return f"/rest/{name}" if name in ENDPOINTS else route
    return API + route if path.startswith(f"{API}/") and not route.startswith(API) else route


def path_of(scope: Scope) -> str:
    """Return the path of a request without a proxy's sub-path."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("app_root_path", scope.get("root_path", "")))  # a mount appends to the latter
