"""Albums, artists and genres of a library, made from the tags of its tracks.

An id is a hash of folded names: it stays the same when files move, when the library is indexed again, and on every
server of the library. Tags do not state which tracks form an album, so an album is a title and an artist: the album
artist; else the artist that all tracks of this title in one folder share; else `VARIOUS`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from engine.db import CatalogueRow
from engine.db.text import artist_names, fold as fold_text

VARIOUS = "Various Artists"
UNKNOWN_ALBUM = "[Unknown Album]"
UNKNOWN_ARTIST = "[Unknown Artist]"
ALBUM_PREFIX, ARTIST_PREFIX = "al-", "ar-"
CACHED_NAMES = 1 << 16  # otherwise folding and hashing a name for each of its tracks takes most of the time
ID_DIGITS = 20  # hexadecimal, 80 bits: among 10^7 names two are the same with a probability of 4e-11


@dataclass(frozen=True, slots=True)
class Album:
    """An album: its tracks in the order of their paths.

    Attributes:
        id: `al-` and a hash of the artist and the name.
        name, artist: As the first of its tracks spells them, in the order of paths; those with an album artist first.
        artist_id: Of the artist.
        tracks: Ids.
        genres: Those of its tracks, the most frequent first, each as most of the tracks spell it.
        year: The earliest of its tracks, or None.
        seconds: The sum of its tracks.
        added_at: When its newest track was first indexed, seconds since 1970.
    """

    id: str
    name: str
    artist: str
    artist_id: str
    tracks: tuple[int, ...]
    genres: tuple[str, ...]
    year: int | None
    seconds: float
    added_at: int


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist: albums that are credited to it, and all tracks on which it plays."""

    id: str
    name: str
    albums: tuple[str, ...]
    tracks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Genre:
    """A genre as most files spell it, and the ids of its tracks, in the order of their paths, and of their albums."""

    name: str
    tracks: tuple[int, ...]
    albums: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All albums, artists and genres of a library at one moment.

    Attributes:
        albums, artists: By id, in alphabetical order.
        genres: By folded name, those with the most tracks first, then by name.
        album_of: Id of the album of each track.
        tracks: All track ids, ascending.
    """

    albums: dict[str, Album]
    artists: dict[str, Artist]
    genres: dict[str, Genre]
    album_of: dict[int, str]
    tracks: tuple[int, ...]


def album_id(artist: str, name: str) -> str:
    """Return the id of an album."""
    return ALBUM_PREFIX + _hash(fold(artist), fold(name))


@lru_cache(CACHED_NAMES)
def artist_id(name: str) -> str:
    """Return the id of an artist."""
    return ARTIST_PREFIX + _hash(fold(name))


def genre_names(tag: str | None) -> list[str]:
    """Return the genres of a tag, in order, each once: spellings that fold to the same text are one genre."""
    named = artist_names(tag)  # several values of a tag are joined by the same separator
    return list({fold(name): name for name in reversed(named)}.values())[::-1]


def make_catalogue(rows: Iterable[CatalogueRow]) -> Catalogue:
    """Group tracks, given in the order of their paths, into albums, artists and genres."""
    listed = list(rows)
    grouped = _grouped_albums(listed)
    albums = sorted((_album(key, members) for key, members in grouped.items()), key=lambda album: fold(album.name))
    by_id = {album.id: album for album in albums}
    album_of = {track: album.id for album in albums for track in album.tracks}
    return Catalogue(
        by_id, _artists(listed, albums), _genres(listed, album_of), album_of, tuple(sorted(row.id for row in listed))
    )


@lru_cache(CACHED_NAMES)
def fold(name: str) -> str:
    """Return a name without case; names that fold to the same text are one artist, album or genre."""
    return fold_text(name)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:ID_DIGITS]


def _grouped_albums(rows: Sequence[CatalogueRow]) -> dict[tuple[str, str], list[CatalogueRow]]:
    """Return the tracks of each album by (artist, name), both as they are displayed."""
    untold: dict[tuple[str, bytes], list[CatalogueRow]] = {}  # albums without album artist, by name and folder
    albums: dict[tuple[str, str], tuple[tuple[str, str], list[CatalogueRow]]] = {}

    def add(artist: str, members: list[CatalogueRow]) -> None:
        name = members[0].album or UNKNOWN_ALBUM
        albums.setdefault((fold(artist), fold(name)), ((artist, name), []))[1].extend(members)

    for row in rows:
        if artist_names(row.album_artist):
            add(artist_names(row.album_artist)[0], [row])
        elif not row.album:
            add(_first_artist(row), [row])
        else:
            untold.setdefault((fold(row.album), os.path.dirname(row.path)), []).append(row)  # noqa: PTH120 (bytes)
    for members in untold.values():
        artists = {fold(_first_artist(row)) for row in members}
        add(_first_artist(members[0]) if len(artists) == 1 else VARIOUS, members)
    return dict(albums.values())


def _first_artist(row: CatalogueRow) -> str:
    return next(iter(artist_names(row.artist)), UNKNOWN_ARTIST)


def _album(key: tuple[str, str], members: list[CatalogueRow]) -> Album:
    artist, name = key
    members.sort(key=attrgetter("path"))
    spellings = _spellings(members)
    years = [row.year for row in members if row.year]
    return Album(
        id=album_id(artist, name),
        name=name,
        artist=artist,
        artist_id=artist_id(artist),
        tracks=tuple(row.id for row in members),
        genres=tuple(_commonest(each) for each in sorted(spellings.values(), key=lambda each: -each.total())),
        year=min(years) if years else None,
        seconds=sum(row.duration_seconds for row in members),
        added_at=max(row.added_at for row in members),
    )


def _artists(rows: Sequence[CatalogueRow], albums: Sequence[Album]) -> dict[str, Artist]:
    """Return album artists and the artists of tracks, by id."""
    names: dict[str, str] = {}
    album_ids: dict[str, list[str]] = {}
    track_ids: dict[str, list[int]] = {}
    for album in albums:
        names.setdefault(album.artist_id, album.artist)
        album_ids.setdefault(album.artist_id, []).append(album.id)
    for row in rows:
        for name in artist_names(row.artist) or [UNKNOWN_ARTIST]:
            identifier = artist_id(name)
            names.setdefault(identifier, name)
            track_ids.setdefault(identifier, []).append(row.id)
    made = [
        Artist(identifier, name, tuple(album_ids.get(identifier, ())), tuple(track_ids.get(identifier, ())))
        for identifier, name in names.items()
    ]
    return {artist.id: artist for artist in sorted(made, key=lambda artist: fold(artist.name))}


def _genres(rows: Sequence[CatalogueRow], album_of: dict[int, str]) -> dict[str, Genre]:
    tracks: dict[str, list[int]] = {}
    for row in rows:
        for name in genre_names(row.genre):
            tracks.setdefault(fold(name), []).append(row.id)
    spellings = _spellings(rows)
    made = {
        folded: Genre(_commonest(spellings[folded]), tuple(ids), tuple(dict.fromkeys(album_of[each] for each in ids)))
        for folded, ids in tracks.items()
    }
    return dict(sorted(made.items(), key=lambda item: (-len(item[1].tracks), item[0])))


def _spellings(rows: Iterable[CatalogueRow]) -> dict[str, Counter[str]]:
    """Return how often each spelling of a genre occurs, by folded name, in the order of first occurrence."""
    spellings: dict[str, Counter[str]] = {}
    for row in rows:
        for name in genre_names(row.genre):
            spellings.setdefault(fold(name), Counter())[name] += 1
    return spellings


def _commonest(spellings: Counter[str]) -> str:
    return spellings.most_common(1)[0][0]
