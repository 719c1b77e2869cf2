"""Indexing jobs: run in a process of their own, followed by events, cancelled, kept in a history.

Covers engine.server.jobs, index_worker and api.jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from engine import Engine
from engine.server.app import API
from tests.conftest import Collection, write_song


def followed(client: TestClient, number: int) -> list[dict[str, object]]:
    """The states that a job goes through, by its events."""
    lines = client.get(f"{API}/jobs/{number}/events").text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_a_job_indexes(serve: Callable[..., TestClient], own: Collection, engine: Engine) -> None:
    """A job without paths indexes what was indexed before; the server answers with the new track at once."""
    client = serve()
    write_song(own.folder / "new.wav", 99)
    created = client.post(f"{API}/jobs", json={})
    states = followed(client, created.json()["id"])
    assert created.status_code == 201
    report = states[-1]["report"]
    assert isinstance(report, dict)
    assert (states[-1]["state"], report["new"]) == ("done", 1)
    assert [track["title"] for track in client.get(f"{API}/tracks", params={"q": "Song 99"}).json()["tracks"]]
    assert client.get(f"{API}/jobs").json()["jobs"][0]["id"] == states[-1]["id"]


def test_a_job_that_cannot_index(serve: Callable[..., TestClient], tmp_path: Path) -> None:
    """A folder that is not there ends in a job that says so; a number that is none is a 404."""
    client = serve()
    number = client.post(f"{API}/jobs", json={"paths": [str(tmp_path / "none")]}).json()["id"]
    ended = followed(client, number)[-1]
    assert ended["state"] in ("done", "failed")
    assert "none" in json.dumps([ended["report"], ended["error"]])
    assert client.get(f"{API}/jobs/77").status_code == 404
    assert client.delete(f"{API}/jobs/77").status_code == 404


def test_a_waiting_job_is_cancelled(serve: Callable[..., TestClient], own: Collection) -> None:
    """A job that waits for another is cancelled before it starts; the other one goes on to its end."""
    client = serve()
    first, second = (client.post(f"{API}/jobs", json={"paths": [str(own.folder)]}).json()["id"] for _ in range(2))
    client.delete(f"{API}/jobs/{second}")
    assert followed(client, first)[-1]["state"] == "done"
    assert followed(client, second)[-1]["state"] == "cancelled"
