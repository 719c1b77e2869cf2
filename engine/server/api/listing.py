"""Orders and filters of lists of tracks, albums and artists; all from the catalogue, which is in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from engine.catalogue.grouping import Album, Catalogue, fold

TrackOrder: TypeAlias = Literal["id", "album", "name", "added", "year", "starred", "rating", "plays"]
AlbumOrder: TypeAlias = Literal["name", "artist", "added", "year"]


@dataclass(frozen=True)
class Personal:
    """A user's stars, ratings and plays, by track id.

    Attributes:
        stars: When each was starred, seconds since 1970.
        ratings: 1 to 5.
        plays: How often each was played.
    """

    stars: dict[int, float] = field(default_factory=dict)
    ratings: dict[int, int] = field(default_factory=dict)
    plays: dict[int, int] = field(default_factory=dict)


NOTHING_PERSONAL = Personal()


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


def ordered_tracks(
    catalogue: Catalogue,
    order: TrackOrder,
    genre: str = "",
    personal: Personal = NOTHING_PERSONAL,
    chosen: Collection[int] | None = None,
) -> Sequence[int]:
    """Return ids of tracks: by id, or as their albums are ordered (`album` by artist, `name` by the album's name).

    `starred`, `rating` and `plays` put the newest stars, the best ratings and the most played first. Only tracks of
    `chosen` are returned, where it is given.
    """
    if genre:
        found = catalogue.genres.get(fold(genre))
        ids: Sequence[int] = sorted(found.tracks) if found else ()
    else:
        ids = catalogue.tracks
    if chosen is not None:
        ids = [each for each in ids if each in chosen]
    if order == "id":
        return ids
    wanted = frozenset(ids)
    figures: dict[str, Mapping[int, float]] = {
        "starred": personal.stars,
        "rating": personal.ratings,
        "plays": personal.plays,
    }
    if order in ("album", *figures):
        albums = ordered_albums(catalogue, "artist")
    else:
        albums = ordered_albums(catalogue, cast("AlbumOrder", order))
    listed = [each for album in albums for each in album.tracks if each in wanted]
    if order in figures:
        listed.sort(key=lambda track: -figures[order].get(track, 0))
    return listed


def holds(words: str, *names: str) -> bool:
    """Whether every word occurs in one of the names; case does not count."""
    text = fold(" ".join(names))
    return all(word in text for word in fold(words).split())
