"""Stars, ratings and the lists that follow them. Covers engine.server.favourites, api.favourites and api.listing."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from engine import Engine
from engine.server.app import API

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
