"""Calls of the protocol, as JSON."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient


def call(client: TestClient, endpoint: str, **parameters: Any) -> dict[str, Any]:
    """The content of a successful answer."""
    response = client.get(f"/rest/{endpoint}", params={"f": "json", **parameters})
    content: dict[str, Any] = response.json()["subsonic-response"]
    assert (response.status_code, content["status"]) == (200, "ok"), content
    assert content["openSubsonic"] is True
    return content


def failed(client: TestClient, endpoint: str, **parameters: Any) -> int:
    """The code of an answer that failed; it has a message."""
    response = client.get(f"/rest/{endpoint}", params={"f": "json", **parameters})
    content = response.json()["subsonic-response"]
    assert (response.status_code, content["status"]) == (200, "failed"), content
    assert content["error"]["message"]
    code: int = content["error"]["code"]
    return code
