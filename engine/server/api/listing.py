"""Orders and filters of lists of tracks, albums and artists; all from the catalogue, which is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from engine.catalogue.grouping import Album, Catalogue, fold

TrackOrder: TypeAlias = Literal["id", "album", "name", "added", "year"]
AlbumOrder: TypeAlias = Literal["name", "artist", "added", "year"]


def ordered_albums(catalogue: Catalogue, order: AlbumOrder, genre: str = "") -> list[Album]:
    """Return albums, those of a genre tag only where one is given."""
    albums = list(catalogue.albums.values())  # in the order of their names
    if genre:
        found = catalogue.genres.get(fold(genre))
        wanted = frozenset(found.albums if found else ())
        albums = [album for album in albums if album.id in wanted]
    if order == "artist":
        albums.sort(key=lambda album: (fold(album.artist), album.year or 0))
    elif order == "added":
        albums.sort(key=lambda album: -album.added_at)
    elif order == "year":
        albums.sort(key=lambda album: -(album.year or 0))
    return albums


def ordered_tracks(catalogue: Catalogue, order: TrackOrder, genre: str = "") -> Sequence[int]:
    """Return ids of tracks: by id, or as their albums are ordered (`album` by artist, `name` by the album's name)."""
    if genre:
        found = catalogue.genres.get(fold(genre))
        ids: Sequence[int] = found.tracks if found else ()
    else:
        ids = catalogue.tracks
    if order == "id":
        return ids
    wanted = frozenset(ids)
    albums = ordered_albums(catalogue, "artist" if order == "album" else order)
    return [each for album in albums for each in album.tracks if each in wanted]


def holds(words: str, *names: str) -> bool:
    """Whether every word occurs in one of the names; case does not count."""
    text = fold(" ".join(names))
    return all(word in text for word in fold(words).split())
