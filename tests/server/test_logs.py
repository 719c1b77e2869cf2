"""Lines of JSON about requests. Covers engine.server.logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from engine.server.logs import JsonLines, masked, requests

ANN = ("ann", "correct horse")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, object]]]:
    """The lines that were written so far."""
    caplog.set_level(logging.INFO, requests.name)
    return lambda: [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == requests.name]


def test_a_request_is_one_line_without_secrets(
    serve: Callable[..., TestClient], accounts: object, lines: Callable[[], list[dict[str, object]]]
) -> None:
    """A line has id, route, status, time and user; keys, tokens and passwords are masked."""
    client = serve(accounts=True, log_requests=True, root_path="/music")
    client.get("/music/api/v1/tracks/3?q=x", auth=ANN)
    answer = client.get(
        "/rest/ping", params={"u": "ann", "p": "correct horse", "c": "player"}, headers={"X-Request-ID": "abc-1"}
    )
    client.get("/rest/ping", params={"apiKey": "wrong key"})
    found, ping, refused = lines()
    assert (found["route"], found["status"], found["user"]) == ("/api/v1/tracks/{track_id}", 200, "ann")
    assert isinstance(found["ms"], float)
    assert len(str(found["request_id"])) == 32
    assert (ping["request_id"], ping["user"]) == (answer.headers["x-request-id"], "ann") == ("abc-1", "ann")
    assert (ping["query"], refused["query"], refused["user"]) == ("u=ann&p=***&c=player", "apiKey=***", None)
    assert "correct horse" not in json.dumps(lines())


@pytest.mark.parametrize("query", [b"p=%ff&t=1", b"&&=&", b"P=1&Token=2", b"x" * 9000, b"\xff=1"])
def test_any_query_is_written(query: bytes) -> None:
    """Nothing in a query string breaks the line, and no secret is in it."""
    text = masked(query)
    assert len(text) <= 500
    assert "1" not in text or query == b"\xff=1"


def test_errors_keep_their_traceback_in_one_line() -> None:
    """An exception is a field of the line."""
    try:
        raise ValueError("broken\nline")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), (type(error), error, error.__traceback__))
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "broken" in json.loads(line)["exception"]
