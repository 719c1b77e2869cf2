"""The protocol: envelope, forms, logins, errors.

Covers engine.server.subsonic.router, envelope, call and system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from engine.server.accounts import Accounts
from engine.server.subsonic.endpoints import ENDPOINTS
from engine.server.subsonic.envelope import answer
from tests.server.subsonic.calls import call, failed


def test_json_and_xml_say_the_same(client: TestClient) -> None:
    """An answer as XML has the attributes and elements that JSON has as keys; .view and POST change nothing."""
    song = call(client, "getSong", id=3)["song"]
    for response in (
        client.get("/rest/getSong", params={"id": 3}),
        client.get("/rest/getSong.view", params={"id": 3}),
        client.post("/rest/getSong.view", data={"id": 3}),
    ):
        assert response.headers["content-type"].startswith("application/xml")
        root = ElementTree.fromstring(response.content)
        assert root.attrib["status"] == "ok"
        element = next(iter(root))
        assert element.attrib["title"] == song["title"]
        assert element.attrib["isDir"] == "false"
        assert [child.attrib["name"] for child in element if child.tag.endswith("artists")] == ["Band 2"]


def test_jsonp(client: TestClient) -> None:
    """JSONP calls the function that is named; a callback that is no name gets none."""
    found = client.get("/rest/ping", params={"f": "jsonp", "callback": "player.done"})
    assert found.text.startswith('player.done({"subsonic-response"')
    odd = client.get("/rest/ping", params={"f": "jsonp", "callback": "alert(1)//"})
    assert "alert" not in odd.text


def test_hostile_tags_stay_text() -> None:
    """Markup, control characters and lone surrogates of a tag neither break XML nor become markup."""
    content = {"song": {"title": "<script>\x00\x1b]8;;\ud800\"&'", "genres": [{"name": "a\u0008b"}], "value": "x"}}
    root = ElementTree.fromstring(answer(content, "xml").body)
    song = next(iter(root))
    assert song.attrib["title"].startswith("<script>")
    assert len(list(song)) == 1
    assert answer(content, "json").body


@pytest.mark.parametrize("name", ["nonsense", "getPodcasts", "../ping", "ping.view.view"])
def test_what_is_not_there(client: TestClient, name: str) -> None:
    """An endpoint that is not there fails with a message, in the envelope wherever the path reaches it."""
    response = client.get(f"/rest/{name}", params={"f": "json"})
    assert response.status_code == 404
    if "/" not in name:
        assert response.json()["subsonic-response"]["error"]["message"]


@pytest.mark.parametrize(
    ("endpoint", "parameters", "code"),
    [
        ("getSong", {}, 10),
        ("getSong", {"id": "999"}, 70),
        ("getSong", {"id": "../../etc/passwd"}, 70),
        ("getSong", {"id": "9" * 40}, 70),
        ("getSong", {"id": "²"}, 70),
        ("getAlbum", {"id": "al-none"}, 70),
        ("getArtist", {"id": "1"}, 70),
        ("getMusicDirectory", {"id": "x"}, 70),
        ("getAlbumList2", {}, 10),
        ("getAlbumList2", {"type": "nonsense"}, 0),
        ("getAlbumList2", {"type": "newest", "size": "-1"}, 0),
        ("getAlbumList2", {"type": "newest", "offset": "NaN"}, 0),
        ("getAlbumList2", {"type": "byYear"}, 10),
        ("getSonicSimilarTracks", {"id": "1", "count": "many"}, 0),
        ("findSonicPath", {"startSongId": "1"}, 10),
        ("getSimilarSongs", {"id": "none"}, 70),
        ("setRating", {"id": "1", "rating": "6"}, 0),
        ("star", {"id": "999"}, 70),
        ("scrobble", {"id": "1", "time": "yesterday"}, 0),
        ("scrobble", {"id": "1", "time": "9" * 400}, 0),
        ("scrobble", {"id": "1", "time": "-1"}, 0),
        ("scrobble", {"id": "1", "time": "9" * 5000}, 0),
        ("createPlaylist", {}, 10),
        ("getPlaylist", {"id": "1"}, 70),
        ("updatePlaylist", {"playlistId": "%"}, 70),
        ("stream", {"id": "1", "timeOffset": "NaN"}, 0),
        ("stream", {"id": "' OR 1=1 --"}, 70),
        ("getCoverArt", {"id": "1", "size": "-5"}, 0),
        ("getCoverArt", {"id": "1", "size": "9" * 30}, 70),
    ],
)
def test_errors_are_numbers(client: TestClient, endpoint: str, parameters: dict[str, str], code: int) -> None:
    """A parameter that is missing or makes no sense is an error of the protocol with a message, never a crash."""
    assert failed(client, endpoint, **parameters) == code


def test_every_endpoint_survives_no_parameters(serve: Callable[..., TestClient]) -> None:
    """No endpoint crashes when it is called without parameters, or with those of another one."""
    client = serve()
    for name in ENDPOINTS:
        for parameters in ({}, {"id": "%'\"_", "count": "1e9", "size": "0", "type": "random", "query": "%"}):
            response = client.get(f"/rest/{name}", params={"f": "json", **parameters})
            assert response.status_code == 200, (name, response.text)


def test_extensions_need_no_login(secured: TestClient) -> None:
    """Extensions are listed without a login; everything else needs one."""
    assert call(secured, "getOpenSubsonicExtensions")["openSubsonicExtensions"]
    assert failed(secured, "ping") == 10


def test_logins(secured: TestClient, accounts: Accounts) -> None:
    """Password, hexadecimal password, key and token let the user in who they belong to, and nobody else."""
    key, secret = accounts.new_key("bob", "phone"), accounts.application_password("bob")
    token = hashlib.md5((secret + "abc").encode()).hexdigest()
    encoded = "enc:" + b"battery staple".hex()
    right: list[dict[str, Any]] = [
        {"u": "bob", "p": "battery staple"},
        {"u": "bob", "p": encoded},
        {"u": "bob", "p": key},
        {"apiKey": key},
        {"u": "bob", "t": token, "s": "abc"},
    ]
    for login in right:
        assert call(secured, "tokenInfo", **login)["tokenInfo"] == {"username": "bob"}
    empty = hashlib.md5(b"abc").hexdigest()
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"u": "nobody", "p": ""}, 40),
        ({"u": "nobody", "t": empty, "s": "abc"}, 40),
        ({"u": "bob", "t": empty, "s": "abc"}, 40),
        ({"u": "bob", "p": "enc:zz"}, 40),
        ({"apiKey": "x" * 3000}, 44),
        ({"apiKey": key, "u": "bob"}, 43),
        ({"u": "bob"}, 10),
    ]
    for login, code in wrong:
        assert failed(secured, "ping", **login) == code


def test_roles(secured: TestClient) -> None:
    """A listener may neither scan nor see other users; an administrator may."""
    bob = {"u": "bob", "p": "battery staple"}
    ann = {"u": "ann", "p": "correct horse"}
    assert failed(secured, "startScan", **bob) == 50
    assert failed(secured, "getUser", username="ann", **bob) == 50
    assert call(secured, "getUser", username="bob", **ann)["user"]["adminRole"] is False
    assert call(secured, "getUser", **ann)["user"]["adminRole"] is True
