"""The typed API: the documents of the command line, errors, and the description that it gives of itself.

Covers engine.server.api, responses and problems.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from engine import Engine, documents
from engine.search.results import QueryResult
from engine.server.app import API
from tests.conftest import GENRES

SONGS = len(GENRES)


def answer(client: TestClient, path: str, status: int = 200, **parameters: Any) -> dict[str, Any]:
    """The document that a path answers with."""
    response = client.get(API + path, params=parameters)
    assert response.status_code == status, response.text
    document: dict[str, Any] = response.json()
    return document


def test_similar_is_the_document_of_the_command_line(client: TestClient, shared: Engine) -> None:
    """GET /tracks/ID/similar answers as `engine similar --json` does."""
    found = answer(client, "/tracks/3/similar", k=4)
    assert found == documents.query(shared.similar(3, 4)) | {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in documents.query(shared.similar(3, 4)).items()
    }
    TypeAdapter(QueryResult).validate_python(found)


def test_filters_hold(client: TestClient) -> None:
    """Filters of the query reach the library."""
    found = answer(client, "/tracks/3/similar", k=20, genre="Jazz", not_artist="Band 10")
    assert [match["artist"] for match in found["matches"]] == ["Band 11"]


def test_several_seeds_and_groups(client: TestClient) -> None:
    """POST /similar takes ids and artists, and answers in artists where asked."""
    body = {"like": ["1", "artist:Band 5"], "unlike": ["9"], "k": 3}
    found = client.post(f"{API}/similar", json=body).json()
    assert [seed["sign"] for seed in found["seeds"]] == [1, 1, -1]
    assert len(found["matches"]) == 3
    groups = client.post(f"{API}/similar", json=body | {"group": "artist"}).json()["groups"]
    assert len({group["artist"] for group in groups}) == 3


def test_a_path_of_the_server_is_no_reference(client: TestClient, shared: Engine) -> None:
    """Files of the server's disk cannot be named, whether they are there or not."""
    path = shared.tracks([1])[1].name
    for name in (path, "/etc/passwd", "../x", "search:Song"):
        response = client.post(f"{API}/similar", json={"like": [name]})
        assert response.status_code == 422
        assert "expected a track's id" in response.json()["error"]["message"]


def test_files_of_the_servers_folder_are_no_references(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id or a group is one though a file of the server's current folder has that name; odd digits are neither."""
    bodies = [{"like": [name], "k": 3} for name in ("5", "artist:Band 5")]
    before = [client.post(f"{API}/similar", json=body).json() for body in bodies]
    monkeypatch.chdir(tmp_path)
    for body in bodies:
        (tmp_path / body["like"][0]).write_text("no sound")
    assert [client.post(f"{API}/similar", json=body).json() for body in bodies] == before
    radio = client.post(f"{API}/playlists/radio", json={"seeds": ["5"], "unlike": ["artist:Band 5"], "n": 3})
    assert str(tmp_path) not in radio.text
    for name in ("\uff11\uff12", "00000000000000000005", "artist:" + "x" * 900, "album:\0"):
        response = client.post(f"{API}/similar", json={"like": [name]})
        assert response.status_code in (404, 422)
        assert str(tmp_path) not in response.text


@pytest.mark.parametrize("path", ["/classify", "/explain", "/features", "/similar?at_from=1", ""])
def test_questions_about_a_track(client: TestClient, path: str) -> None:
    """Each question about a track is answered for one that is there, and is a 404 for one that is not."""
    assert answer(client, f"/tracks/2{path}")
    error = answer(client, f"/tracks/999{path}", 404)["error"]
    assert (error["code"], "999" in error["message"]) == ("not_found", True)


def test_pair(client: TestClient) -> None:
    """The pairs of windows explain the cosine; the largest come first, as many as asked for."""
    found = answer(client, "/pair", a=1, b=2, limit=1)
    everything = answer(client, "/pair", a=1, b=2)
    assert len(found["pairs"]) == 1
    assert sum(pair["contribution"] for pair in everything["pairs"]) == pytest.approx(found["cosine"], abs=1e-4)


def test_listing_and_search(client: TestClient) -> None:
    """Tracks are listed in pages, and found by words."""
    pages = [answer(client, "/tracks", limit=10, offset=offset) for offset in (0, 10)]
    listed = [track["track_id"] for page in pages for track in page["tracks"]]
    assert (pages[0]["total"], sorted(listed)) == (SONGS, list(range(1, SONGS + 1)))
    assert [track["title"] for track in answer(client, "/tracks", q="song 12")["tracks"]] == ["Song 12"]
    assert answer(client, "/tracks", q="no such words")["tracks"] == []


def test_collections(client: TestClient) -> None:
    """Albums, artists, genre tags, relations, map and totals are there."""
    assert answer(client, "/artists")["total"] == SONGS
    artist = answer(client, "/artists")["artists"][0]
    albums = answer(client, f"/artists/{artist['artist_id']}")["album_list"]
    album = answer(client, f"/albums/{albums[0]['album_id']}")
    assert [track["artist"] for track in album["track_list"]] == [artist["name"]]
    assert answer(client, "/genre-tags")["genres"][0]["tracks"] == 10
    assert {entry["genre"] for entry in answer(client, "/genres")["genres"]} >= {"rock", "jazz"}
    assert len(answer(client, "/map")["points"]) == SONGS
    assert answer(client, "/stats")["tracks"] == SONGS
    answer(client, "/albums/al-none", 404)
    answer(client, "/artists/ar-none", 404)


def test_finding_in_words(client: TestClient, shared: Engine) -> None:
    """A description finds what `Engine.find` finds; tags are counted, and filter every answer."""
    found = answer(client, "/find", text="calm piano, no vocals", k=4)
    expected = shared.find("calm piano, no vocals", 4)
    assert [match["track_id"] for match in found["matches"]] == [match.track_id for match in expected.matches]
    assert {entry["tag"]: entry["weight"] > 0 for entry in found["understood"]}["piano"]
    counted = answer(client, "/tags")["tags"]
    rarest = next(entry for entry in reversed(counted) if entry["tracks"])
    carrying = answer(client, "/tracks/1/similar", k=50, tag=rarest["tag"])["matches"]
    others = answer(client, "/tracks/1/similar", k=50, not_tag=rarest["tag"])["matches"]
    assert rarest["tracks"] - 1 <= len(carrying) <= rarest["tracks"]
    assert len(carrying) + len(others) == SONGS - 1
    answer(client, "/find", 422, text="")


def test_aspects(client: TestClient, shared: Engine) -> None:
    """Questions by aspect are answered as the library answers them; an aspect that is none is a 422."""
    found = answer(client, "/tracks/3/similar", k=4, by="rhythm=2,timbre=1")["matches"]
    expected = shared.similar(3, 4, by={"rhythm": 2, "timbre": 1}).matches
    assert [match["track_id"] for match in found] == [match.track_id for match in expected]
    assert len(answer(client, "/map", by="harmony")["points"]) == SONGS
    radio = client.post(f"{API}/playlists/radio", json={"seeds": ["1"], "n": 3, "by": "mood"}).json()
    assert len(radio["tracks"]) == 3
    for by in ("colour", "rhythm=-1", "rhythm=NaN", "rhythm=0", ""):
        answer(client, "/tracks/3/similar", 422, by=by)


def test_playlists(client: TestClient) -> None:
    """Radios, paths and orders are made of ids."""
    radio = client.post(f"{API}/playlists/radio", json={"seeds": ["1"], "n": 5}).json()["tracks"]
    path = client.post(f"{API}/playlists/path", json={"start": 1, "end": 9, "n": 4}).json()["tracks"]
    order = client.post(f"{API}/playlists/order", json={"tracks": [4, 2, 7]}).json()["tracks"]
    assert len({track["track_id"] for track in radio} - {1}) == 5
    assert (path[0]["track_id"], path[-1]["track_id"], len(path)) == (1, 9, 4)
    assert (order[0]["track_id"], {track["track_id"] for track in order}) == (4, {2, 4, 7})


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/tracks/1/similar", {"k": 0}),
        ("/tracks/1/similar", {"k": -1}),
        ("/tracks/1/similar", {"k": "NaN"}),
        ("/tracks/1/similar", {"k": 10**30}),
        ("/tracks/1/similar", {"seconds_from": "inf"}),
        ("/tracks/1/similar", {"genre": ""}),
        ("/tracks/1/similar", {"unknown": 1}),
        ("/tracks/1/similar", {"at_from": 3, "at_to": 2}),
        ("/tracks/x/similar", {}),
        ("/tracks/-1", {}),
        ("/tracks/99999999999999999999", {}),
        ("/tracks", {"limit": 10**9}),
        ("/pair", {"a": 1}),
        ("/duplicates", {"kind": "nonsense"}),
    ],
)
def test_values_that_make_no_sense(client: TestClient, path: str, parameters: dict[str, Any]) -> None:
    """A value that makes no sense is a 422 with one line, never a 500."""
    error = answer(client, path, 422, **parameters)["error"]
    assert error["code"] == "invalid"
    assert "\n" not in error["message"]
    assert len(error["message"]) < 800


def test_an_empty_library_says_so(serve: Any, engine: Engine) -> None:
    """A library without signatures answers with a conflict and the next step."""
    engine.remove(list(range(1, SONGS + 1)))
    error = answer(serve(), "/map", 409)["error"]
    assert (error["code"], "index" in error["hint"]) == ("library", True)


def test_the_description_names_every_route(client: TestClient) -> None:
    """The OpenAPI document is served, and each route in it has a summary and a described answer."""
    described = answer(client, "/openapi.json")
    assert len(described["paths"]) > 25
    for path, methods in described["paths"].items():
        assert re.match(r"/api/v1/", path)
        for method in methods.values():
            assert method["description"]
            assert any(status.startswith("2") for status in method["responses"])


def test_plays_are_stored_once(serve: Any) -> None:
    """The same event is stored once; recommendations follow from it."""
    client = serve()
    body = {"plays": [{"track_id": 1, "event": "like", "time": 1.7e9}, {"track_id": 2, "event": "skip", "time": 1.7e9}]}
    assert [client.post(f"{API}/plays", json=body).json()["added"] for _ in range(2)] == [2, 0]
    found = answer(client, "/recommend", n=3)["tracks"]
    assert len({track["track_id"] for track in found} - {1, 2}) == 3


def test_recommending_without_plays(client: TestClient) -> None:
    """Without any play there is one line, and no answer."""
    assert answer(client, "/recommend", 422)["error"]["message"]
