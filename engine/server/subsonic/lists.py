"""Lists: albums and songs in many orders, random, starred and now playing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.catalogue.grouping import Album, Catalogue
from engine.db.text import fold
from engine.server.favourites import track_number
from engine.server.settings import MAXIMUM_COUNT
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry, album_entry, album_folder, artist_entry, songs_of, timestamp
from engine.server.subsonic.envelope import GENERIC, SubsonicError

MOST_OFFSET = 100_000_000


@endpoint("getAlbumList")
def get_album_list(call: Call) -> Entry:
    """List albums as folders."""
    return {"albumList": {"album": [album_folder(each) for each in _albums(call)]}}


@endpoint("getAlbumList2")
def get_album_list_2(call: Call) -> Entry:
    """List albums."""
    return {"albumList2": {"album": [album_entry(each) for each in _albums(call)]}}


@endpoint("getRandomSongs")
def get_random_songs(call: Call) -> Entry:
    """Return songs at random, of a genre and of some years if given."""
    ids: Sequence[int] = call.catalogue.tracks
    genre, size = call.text("genre", ""), call.count("size", 10)
    first, last = call.number("fromYear", 0), call.number("toYear", 9999)
    if genre:
        found = call.catalogue.genres.get(fold(genre))
        ids = found.tracks if found else ()
    if (first, last) != (0, 9999):
        years = call.context.library.tracks(ids)
        ids = [each for each in ids if each in years and first <= (years[each].year or -1) <= last]
    return {"randomSongs": {"song": songs_of(call, random.sample(ids, min(size, len(ids))))}}


@endpoint("getSongsByGenre")
def get_songs_by_genre(call: Call) -> Entry:
    """Return the songs with a genre tag."""
    found = call.catalogue.genres.get(fold(call.text("genre")))
    count, offset = call.count("count", 10), call.number("offset", 0, 0, MOST_OFFSET)
    ids = found.tracks[offset : offset + count] if found else ()
    return {"songsByGenre": {"song": songs_of(call, ids)}}


@endpoint("getTopSongs")
def get_top_songs(call: Call) -> Entry:
    """Return the most played songs of an artist (by name)."""
    name, count = fold(call.text("artist")), call.count("count", 50)
    counts = call.context.library.play_counts()
    artist = next((each for each in call.catalogue.artists.values() if fold(each.name) == name), None)
    ids = sorted(artist.tracks if artist else (), key=lambda each: -counts[each].plays if each in counts else 0)
    return {"topSongs": {"song": songs_of(call, ids[:count])}}


@endpoint("getStarred")
def get_starred(call: Call) -> Entry:
    """Return the user's starred items, albums as folders."""
    return {"starred": _starred(call, album_folder)}


@endpoint("getStarred2")
def get_starred_2(call: Call) -> Entry:
    """Return the user's starred items."""
    return {"starred2": _starred(call, album_entry)}


@endpoint("getNowPlaying")
def get_now_playing(call: Call) -> Entry:
    """Return the tracks that users are playing, as their players report them."""
    entries = []
    for playing in call.context.playing.now():
        for entry in songs_of(call, [playing.track_id]):
            minutes = round(playing.seconds_ago / 60)
            entries.append({**entry, "username": playing.user, "minutesAgo": minutes, "playerId": 0})
    return {"nowPlaying": {"entry": entries}}


def _starred(call: Call, as_entry: Callable[[Album], Entry]) -> Entry:
    catalogue = call.catalogue
    times = {star.item: timestamp(star.starred_at) for star in call.stars}
    numbers = [number for item in times if (number := track_number(item)) is not None]
    found: dict[str, list[dict[str, Any]]] = {
        "artist": [artist_entry(catalogue.artists[item]) for item in times if item in catalogue.artists],
        "album": [as_entry(catalogue.albums[item]) for item in times if item in catalogue.albums],
        "song": songs_of(call, numbers),
    }
    return {kind: [{**entry, "starred": times[entry["id"]]} for entry in each] for kind, each in found.items()}


def _albums(call: Call) -> list[Album]:
    """Return the page of albums that a call requests."""
    kind, catalogue = call.text("type"), call.catalogue
    size, offset = call.count("size", 10), call.number("offset", 0, 0, MOST_OFFSET)
    if kind == "random":
        return random.sample(list(catalogue.albums.values()), min(size, len(catalogue.albums)))
    orders: dict[str, Callable[[], Iterable[Album]]] = {
        "newest": lambda: sorted(catalogue.albums.values(), key=lambda album: -album.added_at),
        "alphabeticalByName": catalogue.albums.values,
        "alphabeticalByArtist": lambda: sorted(catalogue.albums.values(), key=lambda album: fold(album.artist)),
        "byYear": lambda: _by_year(call),
        "byGenre": lambda: _by_genre(call),
        "frequent": lambda: _by_plays(call, lambda counts: sum(each.plays for each in counts)),
        "recent": lambda: _by_plays(call, lambda counts: max(each.last_played for each in counts)),
        "starred": lambda: _existing(catalogue, [star.item for star in call.stars]),
        "highest": lambda: _existing(catalogue, sorted(call.ratings, key=lambda item: -call.ratings[item])),
    }
    if kind not in orders:
        raise SubsonicError(GENERIC, f"type: expected one of random, {', '.join(orders)}")
    return list(orders[kind]())[offset : offset + min(size, MAXIMUM_COUNT)]


def _by_year(call: Call) -> list[Album]:
    first, last = call.number("fromYear"), call.number("toYear")
    low, high = min(first, last), max(first, last)
    albums = [album for album in call.catalogue.albums.values() if album.year and low <= album.year <= high]
    return sorted(albums, key=lambda album: album.year or 0, reverse=first > last)


def _by_genre(call: Call) -> list[Album]:
    genre = call.catalogue.genres.get(fold(call.text("genre")))
    return _existing(call.catalogue, genre.albums if genre else ())


def _by_plays(call: Call, weigh: Callable[[list[Any]], float]) -> list[Album]:
    """Return the albums with at least one play, in descending order of `weigh` over their tracks' play counts."""
    played: dict[str, list[Any]] = {}
    for track, count in call.context.library.play_counts(call.user.name).items():
        if track in call.catalogue.album_of:
            played.setdefault(call.catalogue.album_of[track], []).append(count)
    return _existing(call.catalogue, sorted(played, key=lambda album: -weigh(played[album])))


def _existing(catalogue: Catalogue, ids: Iterable[str]) -> list[Album]:
    return [catalogue.albums[each] for each in ids if each in catalogue.albums]
