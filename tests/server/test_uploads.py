"""Uploaded files: asked about in another process, limited, gone after a while.

Covers engine.server.uploads, file_questions, file_worker and api.uploads.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from engine.server.app import API
from tests.conftest import Collection


def test_an_upload_is_answered(serve: Callable[..., TestClient], own: Collection) -> None:
    """A copy of a track finds what the track finds, under the name that it was uploaded with; torch stays out."""
    client = serve()
    upload = client.post(f"{API}/uploads", content=own.song(3).read_bytes(), params={"name": "<b>my song</b>"})
    identifier = upload.json()["id"]
    found = client.get(f"{API}/uploads/{identifier}/similar", params={"k": 3}).json()
    expected = client.get(f"{API}/tracks/4/similar", params={"k": 3}).json()
    assert upload.status_code == 201
    assert found["path"] == "<b>my song</b>"
    assert [match["track_id"] for match in found["matches"]] == [match["track_id"] for match in expected["matches"]]
    moments = client.get(f"{API}/uploads/{identifier}/explain").json()["windows"]
    assert sum(window["weight"] for window in moments) > 0.99
    assert client.get(f"{API}/uploads/{identifier}/classify").json()["genres"]


def test_what_is_no_sound(serve: Callable[..., TestClient]) -> None:
    """A file without sound is a 422 that says why; the next question is answered."""
    client = serve()
    identifier = client.post(f"{API}/uploads", content=b"no sound at all", params={"name": "note.txt"}).json()["id"]
    for _ in range(2):
        refused = client.get(f"{API}/uploads/{identifier}/similar")
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid")
        assert refused.json()["error"]["message"].startswith("note.txt: ")


def test_limits(serve: Callable[..., TestClient]) -> None:
    """An empty upload, one above the limit and an unknown id are refused; old uploads make room for new ones."""
    client = serve(upload_bytes=1000, uploads=2)
    assert client.post(f"{API}/uploads", content=b"").status_code == 422
    assert client.post(f"{API}/uploads", content=b"x" * 1001).status_code == 422
    ids = [client.post(f"{API}/uploads", content=b"x").json()["id"] for _ in range(3)]
    assert client.get(f"{API}/uploads/{ids[0]}/classify").status_code == 404
    assert client.get(f"{API}/uploads/{ids[0]}x/classify").status_code == 422
    assert client.get(f"{API}/uploads/..%2f..%2fetc%2fpasswd/classify").status_code == 404


def test_expired(serve: Callable[..., TestClient]) -> None:
    """An upload is gone after its time."""
    client = serve(upload_seconds=0.0)
    identifier = client.post(f"{API}/uploads", content=b"x").json()["id"]
    assert client.get(f"{API}/uploads/{identifier}/classify").status_code == 404
