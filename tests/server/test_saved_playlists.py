"""Saved playlists over the API, and those of other programs.

Covers engine.server.api.saved_playlists and playlist_import.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from engine import Engine
from engine.db import CatalogueRow
from engine.errors import InvalidError
from engine.server.app import API
from engine.server.playlist_import import Matched, match_entries, read_entries

ANN, BOB = ("ann", "correct horse"), ("bob", "battery staple")
PLAYLISTS = f"{API}/playlists"


def row(track: int, path: str, artist: str | None = None, title: str | None = None) -> CatalogueRow:
    """A track of a catalogue."""
    return CatalogueRow(track, path.encode(), artist, title, None, None, None, None, 60.0, 0)


ROWS = [
    row(1, "/music/Nina/Best of/01.flac", "Nina", "Sinner"),
    row(2, "/music/Bach/Suites/01.flac", "Bach", "Prélude"),
    row(3, "/music/Bach/Suites/02 Allemande.flac", "Bach", "Allemande"),
    row(4, "/music/Copies/02 Allemande.mp3", "Bach", "Allemande"),
]


def test_a_playlist_is_saved_changed_exported_and_deleted(serve: Callable[..., TestClient]) -> None:
    """Its tracks stay in order, twice where they are there twice; the export imports as the same playlist."""
    client = serve()
    made = client.post(PLAYLISTS, json={"name": " Sunday/evening ", "tracks": [3, 1, 3]}).json()
    assert (made["name"], made["tracks"], made["own"], made["cover"]) == ("Sunday/evening", 3, True, 3)
    one = f"{PLAYLISTS}/{made['playlist_id']}"
    assert [track["track_id"] for track in client.get(one).json()["track_list"]] == [3, 1, 3]
    file = client.get(f"{one}/m3u8")
    assert file.headers["content-disposition"].endswith("Sunday-evening.m3u8")
    lines = [*file.text.splitlines(), "#EXTINF:7,Nobody - Nothing", "/else/where.flac"]
    imported = client.post(f"{PLAYLISTS}/import", params={"name": "Again"}, content="\r\n".join(lines).encode()).json()
    assert (imported["found"], imported["not_found"], imported["missing"]) == (3, 1, ["Nobody - Nothing"])
    again = client.get(f"{PLAYLISTS}/{imported['playlist']['playlist_id']}").json()
    assert [track["track_id"] for track in again["track_list"]] == [3, 1, 3]
    assert client.patch(one, json={"name": "Monday", "tracks": [2]}).json()["tracks"] == 1
    assert client.patch(one, json={"added": [1, 2]}).json()["tracks"] == 3
    assert [track["track_id"] for track in client.get(one).json()["track_list"]] == [2, 1, 2]
    assert [each["name"] for each in client.get(PLAYLISTS).json()["playlists"]] == ["Again", "Monday"]
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_other_users_see_public_playlists_and_change_none(secured: TestClient) -> None:
    """A private playlist is not there for others; a public one is theirs to see only."""
    made = secured.post(PLAYLISTS, json={"name": "Hers", "tracks": [1]}, auth=ANN).json()
    one = f"{PLAYLISTS}/{made['playlist_id']}"
    for call in (secured.get, secured.delete):
        assert call(one, auth=BOB).status_code == 404
    secured.patch(one, json={"public": True}, auth=ANN)
    seen = secured.get(one, auth=BOB).json()
    assert (seen["owner"], seen["own"]) == ("ann", False)
    for answer in (secured.patch(one, json={"name": "His"}, auth=BOB), secured.delete(one, auth=BOB)):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_entries_are_found_by_their_paths_and_names() -> None:
    """The end of a path decides, then artist and title; a file name that several have is not enough."""
    entries = read_entries(
        b"\xef\xbb\xbf#EXTM3U\r\nC:\\Tunes\\bach\\suites\\01.FLAC\n"
        b"file:///disk/Best%20of/01.flac\n"
        b"../Suites/02 allemande.mp3\n"
        b"#EXTINF:3,Nina - Sinner\n/lost/01.flac\n"
        b"#EXTINF:3,Bach - Pr\xc3\xa9lude\nno/such.ogg\n"
        b"01.flac\n"
        b"http://radio.example/stream\n"
    )
    assert match_entries(entries, ROWS) == Matched((2, 1, 3, 1, 2), ("01.flac", "http://radio.example/stream"))


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\n\n", b"\n" * 9])
def test_a_file_without_entries_is_refused(serve: Callable[..., TestClient], content: bytes) -> None:
    """It is no playlist; nothing is saved."""
    with pytest.raises(InvalidError):
        read_entries(content)
    client = serve()
    assert client.post(f"{PLAYLISTS}/import", params={"name": "Empty"}, content=content).status_code == 422
    assert client.get(PLAYLISTS).json() == {"playlists": []}


def test_a_playlist_of_other_music_is_refused(serve: Callable[..., TestClient], tmp_path: Path, engine: Engine) -> None:
    """None of its entries is in the library; any bytes are read without a failure."""
    client = serve()
    for content in (b"/elsewhere/\xe9t\xe9.mp3", bytes(range(1, 256)) * 9, b"../" * 999, b"file://%zz/%00"):
        answer = client.post(f"{PLAYLISTS}/import", params={"name": "Other"}, content=content)
        assert answer.status_code == 404, content
