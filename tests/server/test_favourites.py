"""Stars, ratings and the lists that follow them. Covers engine.server.favourites, api.favourites and api.listing."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from engine import Engine
from engine.db import Play
from engine.db.user_data import LOCAL_USER, rate, star
from engine.server.app import API
from tests.server.subsonic.calls import call, failed

ANN, BOB = ("ann", "correct horse"), ("bob", "battery staple")


def listed(client: TestClient, **parameters: str) -> list[int]:
    """The ids of listed tracks."""
    tracks = client.get(f"{API}/tracks", params=parameters).json()["tracks"]
    return [track["track_id"] for track in tracks]


def test_stars_and_ratings_order_and_filter_lists(serve: Callable[..., TestClient], engine: Engine) -> None:
    """A star is a like, too; lists put the newest star, the best rating and the most played first."""
    client = serve()
    for item in ("5", "2"):
        assert client.put(f"{API}/stars/{item}").status_code == 204
    for item, rating in (("7", 3), ("9", 5), ("5", 1), ("5", 0)):
        assert client.put(f"{API}/ratings/{item}", json={"rating": rating}).status_code == 204
    client.post(f"{API}/plays", json={"plays": [{"track_id": 4, "event": "play", "time": 1.7e9}]})
    marks = client.get(f"{API}/favourites").json()
    assert [each["item"] for each in marks["stars"]] == ["2", "5"]
    assert {each["item"]: each["rating"] for each in marks["ratings"]} == {"7": 3, "9": 5}
    assert listed(client, starred="true", sort="starred") == [2, 5]
    assert (listed(client, sort="rating")[:2], listed(client, sort="plays")[0]) == ([9, 7], 4)
    assert engine.recommend(n=1, user="local").tracks
    client.delete(f"{API}/stars/2")
    assert listed(client, starred="true") == [5]


def test_favourites_belong_to_a_user_and_name_what_is_there(secured: TestClient) -> None:
    """Other users do not see them; an unknown id is a 404, a rating above 5 a 422."""
    album = secured.get(f"{API}/tracks/3", auth=ANN).json()["album_id"]
    assert secured.put(f"{API}/stars/{album}", auth=ANN).status_code == 204
    assert secured.get(f"{API}/favourites", auth=BOB).json() == {"stars": [], "ratings": []}
    for item in ("999", "al-none", "%", "1e3"):
        assert secured.put(f"{API}/stars/{item}", auth=ANN).status_code == 404
        assert secured.put(f"{API}/ratings/{item}", json={"rating": 1}, auth=ANN).status_code == 404
    assert secured.put(f"{API}/ratings/3", json={"rating": 6}, auth=ANN).status_code == 422


@pytest.mark.parametrize("item", ["003", "00", "+3", " 3", "3\n", "٣", "1_0", "3.0", "0" * 20 + "3", "1" + "0" * 18])
def test_a_track_has_one_id(serve: Callable[..., TestClient], item: str) -> None:
    """Another spelling of a number names no track: it is not found, and nothing is stored."""
    client, path = serve(), quote(item)
    assert client.put(f"{API}/stars/{path}").status_code == 404
    assert client.put(f"{API}/ratings/{path}", json={"rating": 4}).status_code == 404
    assert failed(client, "star", id=["3", item]) == 70
    assert failed(client, "setRating", id=item, rating=4) == 70
    assert [failed(client, name, id=item) for name in ("getSong", "scrobble", "stream", "getSimilarSongs")] == [70] * 4
    assert client.get(f"{API}/favourites").json() == {"stars": [], "ratings": []}


def test_lists_pass_over_odd_stars(serve: Callable[..., TestClient], engine: Engine) -> None:
    """Stars and ratings of ids that no track has, stored by an earlier version, are in no list, and can be removed."""
    client = serve()
    with engine.database.write() as connection:
        star(connection, LOCAL_USER, ["003", "5", "0" * 30, "al-none"])
        rate(connection, LOCAL_USER, "0007", 5)
        rate(connection, LOCAL_USER, "9", 1)
    for name, kind in (("getStarred", "starred"), ("getStarred2", "starred2")):
        assert [song["id"] for song in call(client, name)[kind]["song"]] == ["5"]
    assert listed(client, starred="true", sort="starred") == [5]
    assert listed(client, sort="rating")[0] == 9
    call(client, "unstar", id=["003", "0" * 30, "al-none"])
    assert [each["item"] for each in client.get(f"{API}/favourites").json()["stars"]] == ["5"]


@pytest.mark.parametrize("time", [1e11, 1e300, 10**400], ids=["1e11", "1e300", "10**400"])
def test_no_event_is_after_the_end_of_time(serve: Callable[..., TestClient], engine: Engine, time: float) -> None:
    """A play so late that no date can show it is refused; one that is stored is shown at the last date."""
    client = serve()
    body = {"plays": [{"track_id": 3, "event": "play", "time": time}]}
    assert client.post(f"{API}/plays", json=body).status_code == 422
    engine.add_plays([Play(1e300, "play", 3, LOCAL_USER)])
    assert call(client, "getSong", id=3)["song"]["played"].startswith("5138-")
