"""What listeners leave behind: plays, stars, ratings, playlists, queues; each user's own.

Covers engine.server.subsonic.listening and playlists, engine.server.user_data, playing and engine.db.user_data.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from starlette.testclient import TestClient

from engine import Engine
from engine.db.user_data import SavedPlaylist
from engine.server.user_data import UserData
from tests.server.subsonic.calls import call, failed

ANN = {"u": "ann", "p": "correct horse"}
BOB = {"u": "bob", "p": "battery staple"}


@pytest.fixture
def player(serve: Callable[..., TestClient]) -> TestClient:
    """A server without accounts over the test's own copy."""
    return serve()


def test_scrobbles_are_plays(player: TestClient, engine: Engine) -> None:
    """A submitted scrobble is a play; one that is not submitted only shows what plays now."""
    call(player, "scrobble", id=[3, 4], time=[1_700_000_000_000, 1_700_000_100_000])
    call(player, "scrobble", id=5, submission="false")
    counts = engine.play_counts()
    assert {track: count.last_played for track, count in counts.items()} == {3: 1.7e9, 4: 1.7e9 + 100}
    assert [entry["id"] for entry in call(player, "getNowPlaying")["nowPlaying"]["entry"]] == ["5"]
    call(player, "reportPlayback", mediaId=5, mediaType="song", positionMs=1, state="stopped")
    assert call(player, "getNowPlaying")["nowPlaying"]["entry"] == []
    recent = call(player, "getAlbumList2", type="recent")["albumList2"]["album"]
    assert recent[0]["id"] == call(player, "getSong", id=4)["song"]["albumId"]
    top = call(player, "getTopSongs", artist="Band 2")["topSongs"]["song"]
    assert [song["playCount"] for song in top] == [1]


def test_stars_and_ratings(player: TestClient, engine: Engine) -> None:
    """Songs, albums and artists are starred, rated and unstarred; a starred song feeds recommendations."""
    song = call(player, "getSong", id=3)["song"]
    call(player, "star", id=3, albumId=song["albumId"], artistId=song["artistId"])
    starred = call(player, "getStarred2")["starred2"]
    assert [[each["id"] for each in starred[kind]] for kind in ("song", "album", "artist")] == [
        ["3"],
        [song["albumId"]],
        [song["artistId"]],
    ]
    assert starred["song"][0]["starred"].endswith("Z")
    assert engine.recommend(n=2).tracks
    call(player, "unstar", id=3, albumId=song["albumId"])
    assert call(player, "getStarred2")["starred2"]["song"] == []
    call(player, "setRating", id=song["albumId"], rating=5)
    assert [album["id"] for album in call(player, "getAlbumList2", type="highest")["albumList2"]["album"]]
    call(player, "setRating", id=song["albumId"], rating=0)
    assert call(player, "getAlbumList2", type="highest")["albumList2"]["album"] == []


def test_playlists_are_kept(player: TestClient) -> None:
    """A playlist is created, changed by places and by songs, replaced and deleted."""
    made = call(player, "createPlaylist", name="Mine", songId=[1, 2, 3, 2])["playlist"]
    assert [entry["id"] for entry in made["entry"]] == ["1", "2", "3", "2"]
    call(player, "updatePlaylist", playlistId=made["id"], songIndexToRemove=[0, 3], songIdToAdd=[9], name="Ours")
    changed = call(player, "getPlaylist", id=made["id"])["playlist"]
    assert ([entry["id"] for entry in changed["entry"]], changed["name"]) == (["2", "3", "9"], "Ours")
    assert failed(player, "updatePlaylist", playlistId=made["id"], songIndexToRemove=3) == 0
    call(player, "createPlaylist", playlistId=made["id"], songId=[7])
    assert call(player, "getPlaylists")["playlists"]["playlist"][0]["songCount"] == 1
    call(player, "deletePlaylist", id=made["id"])
    assert call(player, "getPlaylists")["playlists"]["playlist"] == []


def test_edits_of_a_playlist_at_the_same_time_all_count(
    serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that have all looked at a playlist, then add, remove and rename, lose no song of each other."""
    player = serve(transcodes=16)  # each is a thread more, so that all edits run at once
    made = call(player, "createPlaylist", name="Mine", songId=16)["playlist"]
    edits = [{"songIdToAdd": song} for song in range(1, 13)] + [{"songIndexToRemove": 0}, {"name": "Ours"}]
    all_have_looked, look = Barrier(len(edits), timeout=30), UserData.playlist

    def look_together(user_data: UserData, identifier: int) -> SavedPlaylist | None:
        found = look(user_data, identifier)
        all_have_looked.wait()
        return found

    with monkeypatch.context() as patched, ThreadPoolExecutor(len(edits)) as pool:
        patched.setattr(UserData, "playlist", look_together)
        list(pool.map(lambda edit: call(player, "updatePlaylist", playlistId=made["id"], **edit), edits))
    changed = call(player, "getPlaylist", id=made["id"])["playlist"]
    assert sorted(int(entry["id"]) for entry in changed["entry"]) == list(range(1, 13))
    assert changed["name"] == "Ours"


def test_a_failed_edit_of_a_playlist_changes_nothing(player: TestClient) -> None:
    """Where a place is not there, the name stays, too."""
    made = call(player, "createPlaylist", name="Mine", songId=[1, 2])["playlist"]
    for place in ("2", "x", "-1", "9" * 30):
        assert failed(player, "updatePlaylist", playlistId=made["id"], name="Ours", songIndexToRemove=[0, place]) == 0
    kept = call(player, "getPlaylist", id=made["id"])["playlist"]
    assert ([entry["id"] for entry in kept["entry"]], kept["name"]) == (["1", "2"], "Mine")


def test_a_playlist_outlasts_its_tracks(player: TestClient, engine: Engine, own) -> None:  # type: ignore[no-untyped-def]
    """A track that is removed is not shown, and the rest of the playlist stays."""
    made = call(player, "createPlaylist", name="Mine", songId=[1, 2])["playlist"]
    engine.remove([1])
    kept = call(player, "getPlaylist", id=made["id"])["playlist"]
    assert ([entry["id"] for entry in kept["entry"]], kept["songCount"]) == (["2"], 1)


def test_queues(player: TestClient) -> None:
    """The queue of a player is there for another one."""
    assert "playQueue" not in call(player, "getPlayQueue")
    call(player, "savePlayQueue", id=[4, 2], current=2, position=1234, c="phone")
    queue = call(player, "getPlayQueue")["playQueue"]
    assert ([entry["id"] for entry in queue["entry"]], queue["current"], queue["position"], queue["changedBy"]) == (
        ["4", "2"],
        "2",
        1234,
        "phone",
    )


def test_each_user_has_own_data(secured: TestClient, engine: Engine) -> None:
    """Plays, stars, queues are the user's own; a playlist is seen by others once it is public, and changed by none."""
    call(secured, "scrobble", id=3, **ANN)
    call(secured, "scrobble", id=9, **BOB)
    counts = [call(secured, "getSong", id=3, **user)["song"]["playCount"] for user in (ANN, BOB)]
    assert (counts, set(engine.play_counts("bob")), set(engine.play_counts())) == ([1, 0], {9}, {3, 9})
    for login, played in ((("ann", "correct horse"), "Song 2"), (("bob", "battery staple"), "Song 8")):
        recommended = secured.get("/api/v1/recommend", auth=login).json()["tracks"]
        assert all(played in track["reason"] for track in recommended)
    call(secured, "star", id=3, **ANN)
    call(secured, "savePlayQueue", id=3, **ANN)
    assert call(secured, "getStarred2", **BOB)["starred2"]["song"] == []
    assert "playQueue" not in call(secured, "getPlayQueue", **BOB)
    made = call(secured, "createPlaylist", name="Hers", songId=1, owner="bob", **ANN)["playlist"]
    assert made["owner"] == "ann"
    assert failed(secured, "getPlaylist", id=made["id"], **BOB) == 70
    assert failed(secured, "deletePlaylist", id=made["id"], **BOB) == 70
    call(secured, "updatePlaylist", playlistId=made["id"], public="true", **ANN)
    assert call(secured, "getPlaylist", id=made["id"], **BOB)["playlist"]["name"] == "Hers"
    assert failed(secured, "updatePlaylist", playlistId=made["id"], name="His", **BOB) == 50
    assert failed(secured, "deletePlaylist", id=made["id"], **BOB) == 50
