"""What players browse, search, find alike and play.

Covers engine.server.subsonic.browsing, entries, lists, searching, sounding_alike and media.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine import Engine
from tests.conftest import GENRES
from tests.server.subsonic.calls import call

SONGS = len(GENRES)


def test_browsing_reaches_every_song(client: TestClient) -> None:
    """From the artists over their albums, every song is reached, by tags and by folders."""
    by_tags, by_folders = set(), set()
    for index in call(client, "getArtists")["artists"]["index"]:
        for artist in index["artist"]:
            for album in call(client, "getArtist", id=artist["id"])["artist"]["album"]:
                by_tags |= {song["id"] for song in call(client, "getAlbum", id=album["id"])["album"]["song"]}
    for index in call(client, "getIndexes")["indexes"]["index"]:
        for artist in index["artist"]:
            for child in call(client, "getMusicDirectory", id=artist["id"])["directory"]["child"]:
                songs = call(client, "getMusicDirectory", id=child["id"])["directory"]["child"]
                by_folders |= {song["id"] for song in songs}
    assert by_tags == by_folders == {str(number) for number in range(1, SONGS + 1)}


def test_searching(client: TestClient, shared: Engine) -> None:
    """Words find songs, albums and artists; an empty query pages through everything."""
    found = call(client, "search3", query="band 12")["searchResult3"]
    assert found["song"][0]["title"] == "Song 12"  # others follow if pytest's twelfth folder holds the songs
    assert [artist["name"] for artist in found["artist"]] == ["Band 12"]
    paged = [
        song["id"]
        for offset in range(0, SONGS, 5)
        for song in call(client, "search3", query='""', songCount=5, songOffset=offset)["searchResult3"]["song"]
    ]
    assert paged == [str(number) for number in sorted(shared.catalogue().tracks)]
    assert call(client, "search2", query="*", albumCount=3)["searchResult2"]["album"][0]["isDir"]


@pytest.mark.parametrize("kind", ["random", "newest", "alphabeticalByName", "alphabeticalByArtist"])
def test_album_lists(client: TestClient, kind: str) -> None:
    """Albums come in pages, without repeats."""
    pages = [call(client, "getAlbumList2", type=kind, size=SONGS, offset=0)["albumList2"]["album"]]
    if kind != "random":
        pages.append(call(client, "getAlbumList2", type=kind, size=5, offset=SONGS - 3)["albumList2"]["album"])
        assert len(pages[1]) == 3
    assert len({album["id"] for album in pages[0]}) == SONGS


def test_genres(client: TestClient) -> None:
    """Genre tags are counted without case, and give their songs and albums."""
    genres = {genre["value"]: genre["songCount"] for genre in call(client, "getGenres")["genres"]["genre"]}
    assert genres["Jazz"] == 2
    assert sum(count for name, count in genres.items() if name.lower() == "rock") == 10
    songs = call(client, "getSongsByGenre", genre="jazz", count=10)["songsByGenre"]["song"]
    assert {song["genre"] for song in songs} == {"Jazz"}
    assert len(call(client, "getAlbumList2", type="byGenre", genre="JAZZ")["albumList2"]["album"]) == 2
    random = call(client, "getRandomSongs", genre="Jazz", size=9)["randomSongs"]["song"]
    assert {song["id"] for song in random} == {song["id"] for song in songs}


def test_similar_tracks_have_real_similarities(client: TestClient, shared: Engine) -> None:
    """Similar tracks are the library's neighbours with their similarities, the nearest first."""
    matches = call(client, "getSonicSimilarTracks", id=4, count=5)["sonicMatch"]
    expected = shared.similar(4, 5).matches
    assert [int(match["entry"]["id"]) for match in matches] == [match.track_id for match in expected]
    assert [match["similarity"] for match in matches] == pytest.approx([match.similarity for match in expected])


def test_paths(client: TestClient, shared: Engine) -> None:
    """A path has both ends; its similarities are to the first track, none of them unknown."""
    matches = call(client, "findSonicPath", startSongId=2, endSongId=9, count=5)["sonicMatch"]
    ids = [int(match["entry"]["id"]) for match in matches]
    assert (ids[0], ids[-1], len(set(ids))) == (2, 9, 5)
    assert matches[0]["similarity"] == 1.0
    expected = shared.similarities(2, ids[1:])
    assert [match["similarity"] for match in matches[1:]] == pytest.approx([expected[each] for each in ids[1:]])
    alone = call(client, "findSonicPath", startSongId=2, endSongId=2)["sonicMatch"]
    assert [match["entry"]["id"] for match in alone] == ["2"]


def test_mixes(client: TestClient) -> None:
    """A mix from a song, an album or an artist holds none of its own songs."""
    song = call(client, "getSong", id=4)["song"]
    for identifier in (song["id"], song["albumId"], song["artistId"]):
        for endpoint, name in (("getSimilarSongs", "similarSongs"), ("getSimilarSongs2", "similarSongs2")):
            songs = call(client, endpoint, id=identifier, count=6)[name]["song"]
            assert len({each["id"] for each in songs} - {"4"}) == 6
    near = call(client, "getArtistInfo2", id=song["artistId"], count=3)["artistInfo2"]["similarArtist"]
    assert len({artist["id"] for artist in near} - {song["artistId"]}) == 3


def test_streaming(client: TestClient, shared: Engine) -> None:
    """A song is sent as it is, in ranges, or in another codec; streaming counts no play."""
    file = open(shared.tracks([1])[1].name, "rb").read()  # noqa: PTH123, SIM115
    whole = client.get("/rest/stream", params={"id": 1})
    assert (whole.content, whole.headers["content-type"]) == (file, "audio/wav")
    part = client.get("/rest/download", params={"id": 1}, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, file[10:20])
    for form, kind, magic in (("mp3", "audio/mpeg", b"\xff"), ("opus", "audio/ogg", b"OggS")):
        sound = client.get("/rest/stream", params={"id": 1, "format": form, "maxBitRate": 64})
        assert (sound.headers["content-type"], sound.content[: len(magic)]) == (kind, magic)
        assert 10_000 < len(sound.content) < len(file)
    limited = client.get("/rest/stream", params={"id": 1, "maxBitRate": 96})
    assert limited.headers["content-type"] == "audio/mpeg"
    assert call(client, "getSong", id=1)["song"]["playCount"] == 0


def test_lists_without_an_entry(client: TestClient) -> None:
    """Lists that hold nothing yet are there all the same."""
    assert call(client, "getNowPlaying")["nowPlaying"] == {"entry": []}
    assert call(client, "getStarred2")["starred2"] == {"artist": [], "album": [], "song": []}
    assert call(client, "getAlbumList2", type="starred")["albumList2"] == {"album": []}
    assert call(client, "getLyricsBySongId", id=1)["lyricsList"] == {"structuredLyrics": []}


def test_a_file_that_is_gone(serve: Callable[..., TestClient], own: Any) -> None:
    """A stream of a file that is gone fails with a message; what is stored of it is still answered."""
    client = serve()
    own.song(0).unlink()
    response = client.get("/rest/stream", params={"id": 1, "f": "json"})
    assert response.json()["subsonic-response"]["error"]["code"] == 0
    assert call(client, "getSonicSimilarTracks", id=1)["sonicMatch"]
