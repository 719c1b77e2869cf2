"""Browse: folders, artists, albums, songs, genres."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from engine.catalogue.grouping import Album, Artist, artist_id
from engine.db.text import fold
from engine.errors import EngineError
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry, album_entry, album_folder, artist_entry, songs, songs_of
from engine.server.subsonic.envelope import NOT_FOUND, SubsonicError

FOLDER = {"id": 0, "name": "Music"}
IGNORED_ARTICLES = "The El La Los Las Le Les"


@endpoint("getMusicFolders")
def get_music_folders(call: Call) -> Entry:
    """Return the one folder: the library."""
    return {"musicFolders": {"musicFolder": [FOLDER]}}


@endpoint("getIndexes")
def get_indexes(call: Call) -> Entry:
    """Return the artists by initial, as folders."""
    catalogue = call.catalogue
    newest = max((album.added_at for album in catalogue.albums.values()), default=0)
    if call.number("ifModifiedSince", 0) >= 1000 * newest > 0:
        indexes: list[Entry] = []
    else:
        indexes = _by_initial(catalogue.artists.values())
    return {"indexes": {"lastModified": 1000 * newest, "ignoredArticles": IGNORED_ARTICLES, "index": indexes}}


@endpoint("getArtists")
def get_artists(call: Call) -> Entry:
    """Return the artists by initial."""
    indexes = _by_initial(call.catalogue.artists.values())
    return {"artists": {"ignoredArticles": IGNORED_ARTICLES, "index": indexes}}


@endpoint("getMusicDirectory")
def get_music_directory(call: Call) -> Entry:
    """Return the content of a folder: an artist holds its albums, an album its songs."""
    identifier, catalogue = call.text("id"), call.catalogue
    if identifier in catalogue.artists:
        artist = catalogue.artists[identifier]
        children = [album_folder(catalogue.albums[each]) for each in artist.albums]
        held = {track for each in artist.albums for track in catalogue.albums[each].tracks}
        children += songs_of(call, [each for each in artist.tracks if each not in held])
        return {"directory": {"id": artist.id, "name": artist.name, "child": children}}
    if identifier in catalogue.albums:
        album = catalogue.albums[identifier]
        entry = {"id": album.id, "parent": album.artist_id, "name": album.name}
        return {"directory": {**entry, "child": songs_of(call, album.tracks)}}
    raise SubsonicError(NOT_FOUND, "Directory not found")


@endpoint("getArtist")
def get_artist(call: Call) -> Entry:
    """Return an artist and its albums; for an artist without own albums, those on which it appears."""
    artist = call.artist()
    return {"artist": {**artist_entry(artist), "album": [album_entry(each) for each in albums_of(call, artist)]}}


@endpoint("getAlbum")
def get_album(call: Call) -> Entry:
    """Return an album and its songs."""
    album = call.album()
    return {"album": {**album_entry(album), "song": songs_of(call, album.tracks)}}


@endpoint("getSong")
def get_song(call: Call) -> Entry:
    """Return a song."""
    return {"song": songs(call, [call.track()])[0]}


@endpoint("getGenres")
def get_genres(call: Call) -> Entry:
    """Return the genre tags with the numbers of their songs and albums."""
    genres = [
        {"value": genre.name, "songCount": len(genre.tracks), "albumCount": len(genre.albums)}
        for genre in call.catalogue.genres.values()
    ]
    return {"genres": {"genre": genres}}


@endpoint("getArtistInfo")
def get_artist_info(call: Call) -> Entry:
    """Return the artists that sound like an artist; there are no biographies without a network."""
    return _artist_info(call, "artistInfo")


@endpoint("getArtistInfo2")
def get_artist_info_2(call: Call) -> Entry:
    """Return the same for clients that browse by tags."""
    return _artist_info(call, "artistInfo2")


def _artist_info(call: Call, name: str) -> Entry:
    near = similar_artists(call, call.artist(), call.count("count", 20))
    return {name: {"similarArtist": near}}


@endpoint("getAlbumInfo", "getAlbumInfo2")
def get_album_info(call: Call) -> Entry:
    """Return an album's notes, which are always empty."""
    call.album()
    return {"albumInfo": {"notes": "", "musicBrainzId": ""}}


def albums_of(call: Call, artist: Artist) -> list[Album]:
    """Return the albums of an artist, then those on which it appears."""
    catalogue = call.catalogue
    ids = dict.fromkeys([*artist.albums, *(catalogue.album_of[track] for track in artist.tracks)])
    return [catalogue.albums[each] for each in ids]


def similar_artists(call: Call, artist: Artist, count: int) -> list[Entry]:
    """Return the artists whose mean signature is nearest, as ArtistID3."""
    if not count:
        return []
    try:
        groups = call.context.library.similar_groups("artist", [f"artist:{artist.name}"], k=count).groups
    except EngineError:  # no signature yet
        return []
    ids = (artist_id(group.artist) for group in groups if group.artist)
    known = call.catalogue.artists
    return [artist_entry(known[each]) for each in ids if each in known]


def _by_initial(artists: Iterable[Artist]) -> list[dict[str, Any]]:
    indexed = sorted((_initial(artist.name), _sorted_as(artist.name), artist.id, artist) for artist in artists)
    return [
        {"name": initial, "artist": [artist_entry(each[-1]) for each in group]}
        for initial, group in groupby(indexed, key=lambda each: each[0])
    ]


def _sorted_as(name: str) -> str:
    first, _, rest = name.partition(" ")
    return fold(rest if rest and first in IGNORED_ARTICLES.split() else name)


def _initial(name: str) -> str:
    first = _sorted_as(name)[:1].upper()
    return first if first.isalpha() else "#"
