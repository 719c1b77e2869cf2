"""The routes that AudioMuse-AI's plugins call. Covers engine.server.audiomuse."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from engine import Engine


def test_similar_tracks(client: TestClient, shared: Engine) -> None:
    """A track named by id, or by title and artist, has the library's neighbours, with distances."""
    by_id = client.get("/api/similar_tracks", params={"item_id": "4", "n": 5}).json()
    by_title = client.get("/api/similar_tracks", params={"title": "Song 3", "artist": "Band 3", "n": 5}).json()
    assert by_id == by_title
    expected = shared.similar(4, 5).matches
    assert [(int(each["item_id"]), each["author"]) for each in by_id] == [(m.track_id, m.artist) for m in expected]
    assert [each["distance"] for each in by_id] == pytest.approx([1 - match.similarity for match in expected])


def test_a_title_is_that_title(client: TestClient) -> None:
    """Of tracks whose titles begin alike, the one whose title and artist are the given ones is taken, case ignored."""
    for number in (1, 10, 11):
        found = client.get("/api/similar_tracks", params={"title": f"SONG {number}", "artist": f"band {number}"}).json()
        by_id = client.get("/api/similar_tracks", params={"item_id": str(number + 1)}).json()
        assert found == by_id
    missing = client.get("/api/similar_tracks", params={"title": "No such", "artist": "Band"})
    assert missing.status_code == 404
    assert "'No such'" in missing.text


def test_search_and_track(client: TestClient) -> None:
    """Words find tracks; an id gives one; an id that is not there is a 404."""
    (found,) = client.get("/api/search_tracks", params={"title": "Song 12"}).json()
    assert client.get("/api/track", params={"item_id": found["item_id"]}).json() == found
    assert found == {"item_id": "13", "title": "Song 12", "author": "Band 12", "album": ""}
    assert client.get("/api/search_tracks", params={"title": "S"}).json() == []
    assert client.get("/api/track", params={"item_id": "999"}).status_code == 404
    assert client.get("/api/track", params={"item_id": "../x"}).status_code == 422


def test_find_path(client: TestClient) -> None:
    """A path has both ends, as many steps as asked for, and a distance."""
    found = client.get("/api/find_path", params={"start_song_id": 1, "end_song_id": 9, "max_steps": 4}).json()
    ids = [each["item_id"] for each in found["path"]]
    assert (ids[0], ids[-1], len(ids)) == ("1", "9", 4)
    assert 0 < found["total_distance"] < 4
    assert client.get("/api/max_distance", params={"item_id": 1}).json() == {"item_id": "1", "max_distance": 1.0}
