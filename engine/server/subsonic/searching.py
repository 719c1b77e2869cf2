"""Search by text. An empty query returns everything: players synchronise the library with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.catalogue.grouping import Album
from engine.db.text import fold
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry, album_entry, album_folder, artist_entry, songs_of
from engine.server.subsonic.lists import MOST_OFFSET

EVERYTHING = ("", '""', "''", "*")


@endpoint("search2")
def search_2(call: Call) -> Entry:
    """Search artists, albums (as folders) and songs."""
    return {"searchResult2": _search(call, album_folder)}


@endpoint("search3")
def search_3(call: Call) -> Entry:
    """Search artists, albums and songs."""
    return {"searchResult3": _search(call, album_entry)}


def _search(call: Call, as_entry: Callable[[Album], Entry]) -> dict[str, Any]:
    query = call.text("query").strip()
    words = [] if query in EVERYTHING else fold(query.replace("*", " ")).split()
    artists = [each for each in call.catalogue.artists.values() if _holds(each.name, words)]
    albums = [each for each in call.catalogue.albums.values() if _holds(f"{each.name} {each.artist}", words)]
    first, count = _page(call, "artist")
    found: dict[str, Any] = {"artist": [artist_entry(each) for each in artists[first : first + count]]}
    first, count = _page(call, "album")
    found["album"] = [as_entry(each) for each in albums[first : first + count]]
    first, count = _page(call, "song")
    found["song"] = songs_of(call, _song_ids(call, words, first, count))
    return found


def _page(call: Call, kind: str) -> tuple[int, int]:
    return call.number(f"{kind}Offset", 0, 0, MOST_OFFSET), call.count(f"{kind}Count", 20)


def _song_ids(call: Call, words: list[str], first: int, count: int) -> list[int]:
    if not count:
        return []
    if not words:
        return list(call.catalogue.tracks[first : first + count])
    return [track.track_id for track in call.context.library.search(words, first + count)][first:]


def _holds(text: str, words: list[str]) -> bool:
    folded = fold(text)
    return all(word in folded for word in words)
