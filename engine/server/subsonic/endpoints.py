"""The registry of endpoints: a function for each name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from engine.server.subsonic.call import Call

Answer = dict[str, Any] | Response
Endpoint = Callable[[Call], Answer]

ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(*names: str) -> Callable[[Endpoint], Endpoint]:
    """Register a function under names, as in /rest/NAME."""

    def register(function: Endpoint) -> Endpoint:
        ENDPOINTS.update(dict.fromkeys(names, function))
        return function

    return register
