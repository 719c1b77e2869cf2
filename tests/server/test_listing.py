"""Orders and filters of the API's lists, the map's columns and folders.

Covers engine.server.api.listing, map_columns and collections.
"""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from engine import Engine
from engine.catalogue.grouping import make_catalogue
from engine.server.api.listing import ordered_tracks
from engine.server.app import API
from tests.catalogue.test_catalogue import row


def answer(client: TestClient, path: str, **parameters: Any) -> dict[str, Any]:
    """The document that a path answers with."""
    response = client.get(API + path, params=parameters)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def test_tracks_by_id_come_in_the_order_of_the_request(client: TestClient) -> None:
    """Ids name tracks; one that is gone is left out."""
    found = answer(client, "/tracks", id=[7, 2, 9999, 4])["tracks"]
    assert [track["track_id"] for track in found] == [7, 2, 4]


@pytest.mark.parametrize("sort", ["album", "name", "added", "year"])
def test_orders_list_every_track_once(client: TestClient, sort: str) -> None:
    """Every order holds all tracks."""
    ids = [track["track_id"] for track in answer(client, "/tracks", sort=sort, limit=1000)["tracks"]]
    total = answer(client, "/tracks")["total"]
    assert sorted(ids) == list(range(1, total + 1))


def test_a_genre_filters_tracks_and_albums(client: TestClient) -> None:
    """A genre tag filters, whatever its case; one that no file has gives an empty list."""
    tag = answer(client, "/genre-tags")["genres"][0]
    found = answer(client, "/tracks", genre=str(tag["genre"]).upper())
    assert found["total"] == tag["tracks"]
    assert all(str(tag["genre"]).lower() in track["genre"].lower() for track in found["tracks"])
    assert 0 < answer(client, "/albums", genre=tag["genre"])["total"] < answer(client, "/albums")["total"]
    assert answer(client, "/tracks", genre="no such genre", sort="album")["total"] == 0


def test_tracks_of_a_genre_are_in_the_order_of_ids() -> None:
    """The order by id is that of ids, not of paths."""
    catalogue = make_catalogue([row(9, "/a/x.mp3", "A", "X", genre="Rock"), row(2, "/b/x.mp3", "B", "Y", genre="Rock")])
    assert ordered_tracks(catalogue, "id", "rock") == [2, 9]


def test_years_have_four_digits(client: TestClient) -> None:
    """A year of twenty digits is the request's fault."""
    assert client.get(f"{API}/find", params={"text": "calm", "year_from": 10**20}).status_code == 422


def test_moods_are_counted_and_filter(client: TestClient) -> None:
    """Every track has one mood; the counts of a genre are those of its tracks; a mood and a genre filter together."""
    moods = answer(client, "/moods")["moods"]
    assert sum(each["tracks"] for each in moods) == answer(client, "/tracks")["total"]
    assert answer(client, "/tracks", mood=moods[0]["mood"].upper())["total"] == moods[0]["tracks"]
    tag = answer(client, "/genre-tags")["genres"][0]
    within = answer(client, "/moods", genre=tag["genre"])["moods"]
    assert sum(each["tracks"] for each in within) == tag["tracks"]
    both = answer(client, "/tracks", mood=within[0]["mood"], genre=tag["genre"], sort="album")
    assert both["total"] == within[0]["tracks"]
    assert answer(client, "/tracks", mood="no such mood")["total"] == 0


def test_words_filter_albums_and_artists(client: TestClient) -> None:
    """All words must occur in the names; case does not count."""
    assert {each["name"] for each in answer(client, "/artists", q="bAnD 12")["artists"]} == {"Band 12"}
    assert answer(client, "/albums", q="no such album")["total"] == 0


def test_map_columns_hold_the_same_points_as_the_map(client: TestClient) -> None:
    """The columns are the map with a genre, a mood and a year for each track."""
    columns, drawn = answer(client, "/map/points"), answer(client, "/map")["points"]
    assert columns["track_id"] == [point["track_id"] for point in drawn]
    assert columns["x"] == pytest.approx([point["x"] for point in drawn], abs=1e-5)
    assert all(-1 <= place < len(columns["genres"]) for place in columns["genre"])
    assert len(set(columns["added"])) == 1
    assert {len(column) for name, column in columns.items() if name not in ("genres", "moods")} == {len(drawn)}


def test_a_missing_cover_is_no_error_where_it_is_optional(client: TestClient) -> None:
    """A page that draws a cover itself gets an empty answer; others get a 404."""
    assert client.get(f"{API}/tracks/1/cover").status_code == 404
    answered = client.get(f"{API}/tracks/1/cover", params={"optional": True})
    assert (answered.status_code, answered.content) == (204, b"")
    assert client.get(f"{API}/tracks/9999/cover", params={"optional": True}).status_code == 404


def test_folders_are_those_that_were_indexed(client: TestClient, shared: Engine) -> None:
    """The folders are the library's roots."""
    assert answer(client, "/folders")["folders"] == list(shared.roots())
