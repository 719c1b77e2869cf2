"""Filters: conditions on tracks in the user's terms, and the ids of the tracks that pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.db import (
    Conditions,
    Span,
    Track,
    any_measured,
    groups_of,
    names_of,
    tracks_meeting,
)
from engine.db.text import artist_names, clean, displayable, fold
from engine.errors import InvalidError, QueryError
from engine.search.genre_filters import of_genres, predicted_labels, unknown_name
from engine.search.references import PathName, absolute_path
from engine.search.tag_filters import carriers, knows_music, not_music
from engine.session import LibraryView
from engine.util.sampling import without

ANY: Span = (None, None)
LARGEST = 10**18  # of the ends of a range
LARGEST_ID = 2**63 - 1
MOST_FOLDERS = 5_000  # to exclude: each takes three of SQLite's 32,766 parameters


@dataclass(frozen=True)
class Filters:
    """Conditions on the tracks of an answer. Unset fields do not restrict; a missing value fails any range.

    Attributes:
        genres: Any of these, by tag, or by prediction if the tag names none of the encoder's genres.
        moods: Any of these, by prediction.
        artists, albums: Any of these, case ignored; album artists and each of several artists count.
        years: First and last, either None.
        durations: Seconds.
        tempos: Beats per minute; known after `index --features`.
        keys: Any of these ("A minor"); known after `index --features`.
        below: This folder and everything below it.
        not_genres, not_moods, not_artists, not_albums: None of these, matched as above; a missing value passes.
        not_below: Not below these folders.
        not_tracks: Not these track ids, known or not.
        added_since: First seen by the library at or after this time, seconds since 1970.
        tags: Carrying any of these tags of the encoder, or phrases for them ("piano", "strings", "vocals").
        not_tags: Carrying none of these.
        music_only: No speech, applause, silence or sound effects. None: on for playlists and recommendations, else off.
        other_artists, other_albums: Not by an artist, or from an album, of the query's tracks.
        per_artist: Most tracks of one artist.
    """

    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    years: Span = ANY
    durations: Span = ANY
    tempos: Span = ANY
    keys: tuple[str, ...] = ()
    below: PathName | None = None
    not_genres: tuple[str, ...] = ()
    not_moods: tuple[str, ...] = ()
    not_artists: tuple[str, ...] = ()
    not_albums: tuple[str, ...] = ()
    not_below: tuple[PathName, ...] = ()
    not_tracks: tuple[int, ...] = ()
    added_since: float | None = None
    other_artists: bool = False
    other_albums: bool = False
    per_artist: int | None = None
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    music_only: bool | None = None


NO_FILTERS = Filters()


def passing(view: LibraryView, filters: Filters, query: Sequence[Track] = ()) -> NDArray[np.int64] | None:
    """Return the sorted ids of the tracks that pass, or None if all do. `per_artist` is ignored here.

    Args:
        view: The library.
        filters: The conditions.
        query: The tracks of the query.

    Raises:
        QueryError: The library has no such name (the message suggests the nearest), a range is empty, or tempo or key
            is given but no track was measured.
    """
    if filters == NO_FILTERS:
        return None
    conditions = _conditions(filters, query)
    _check(view, filters)
    ids = None
    if conditions != Conditions():
        with view.read() as connection:
            ids = tracks_meeting(connection, conditions)
    for chosen in (of_genres(view, filters.genres), _of_moods(view, filters.moods), _of_tags(view, filters.tags)):
        if chosen is not None:
            ids = chosen if ids is None else np.intersect1d(ids, chosen)
    excluded = _excluded(view, filters)
    if len(excluded):
        ids = without(_every_id(view) if ids is None else ids, excluded)
    return ids


def music_by_default(view: LibraryView, filters: Filters) -> Filters:
    """Return the filters for playlists: music only, unless they set it or the encoder cannot detect music."""
    chosen = filters.music_only
    return replace(filters, music_only=knows_music(view) if chosen is None else chosen)


def left_out(view: LibraryView, filters: Filters) -> int:
    """Return the number of tracks left out as not being music."""
    return len(not_music(view)) if filters.music_only else 0


class ArtistCap:
    """A limit on the tracks of one artist. A track of several artists counts for each; one without an artist passes.

    Args:
        most: Of one artist; None for any number.
        taken: Tracks that count from the start.
    """

    def __init__(self, most: int | None, taken: Iterable[Track] = ()) -> None:
        self.most = most
        self.counts = Counter(group for track in taken for group in groups_of(track, "artist"))

    def takes(self, track: Track | None) -> bool:
        """Return whether there is room for a track; if so, count it."""
        groups = groups_of(track, "artist") if track is not None and self.most is not None else ()
        if self.most is not None and any(self.counts[group] >= self.most for group in groups):
            return False
        self.counts.update(groups)
        return True


def _conditions(filters: Filters, query: Sequence[Track]) -> Conditions:
    artists = {name for track in query for text in (track.artist, track.album_artist) for name in artist_names(text)}
    albums = {track.album for track in query if track.album}
    return Conditions(
        years=filters.years,
        durations=filters.durations,
        tempos=filters.tempos,
        keys=tuple(clean(key) for key in filters.keys),
        below=_folder(filters.below) if filters.below is not None else None,
        added_since=filters.added_since,
        artists=filters.artists,
        albums=filters.albums,
        not_artists=(*filters.not_artists, *(sorted(artists) if filters.other_artists else ())),
        not_albums=(*filters.not_albums, *(sorted(albums) if filters.other_albums else ())),
        not_below=tuple(_folder(folder) for folder in filters.not_below),
    )


def _folder(name: PathName) -> bytes:
    path = absolute_path(name)
    if b"\0" in path:
        raise InvalidError(f"expected a folder's name, found {displayable(path)!r}", hint="name one without NUL bytes")
    return path


def _excluded(view: LibraryView, filters: Filters) -> NDArray[np.int64]:
    """Return the ids of tracks excluded by id, genre, mood or tag, or as not being music."""
    parts = [np.array([number for number in filters.not_tracks if 0 <= number <= LARGEST_ID], np.int64)]
    labelled = (
        of_genres(view, filters.not_genres),
        _of_moods(view, filters.not_moods),
        _of_tags(view, filters.not_tags),
    )
    for unwanted in (*labelled, not_music(view) if filters.music_only else None):
        if unwanted is not None:
            parts.append(unwanted)
    return np.concatenate(parts)


def _every_id(view: LibraryView) -> NDArray[np.int64]:
    def read() -> NDArray[np.int64]:
        with view.read() as connection:
            return tracks_meeting(connection, Conditions())

    return view.cached_tags("every id", read)


def _check(view: LibraryView, filters: Filters) -> None:
    _check_numbers(filters)
    artists, albums = (*filters.artists, *filters.not_artists), (*filters.albums, *filters.not_albums)
    for kind, names in (("artist", artists), ("album", albums)):
        if names:
            with view.read() as connection:
                known = names_of(connection, kind)
            _refuse_unknown(kind, names, known)
    if filters.tempos != ANY or filters.keys:
        with view.read() as connection:
            measured = any_measured(connection)
        if not measured:
            raise QueryError(
                "no track's tempo and key are known yet", hint="measure them: engine index --features PATH"
            )
    _refuse_unknown("mood", (*filters.moods, *filters.not_moods), view.file.moods)


def _check_numbers(filters: Filters) -> None:
    ranges = {"years": filters.years, "durations": filters.durations, "tempos": filters.tempos}
    for what, ends in (ranges | {"a time of addition": (filters.added_since, None)}).items():
        if any(isinstance(end, int) and not -LARGEST < end < LARGEST for end in ends):
            raise InvalidError(f"expected {what} of at most 18 digits, found a larger number", hint="give smaller ones")
        if any(end is not None and math.isnan(end) for end in ends):
            raise InvalidError(f"expected {what} as numbers, found NaN", hint="leave it out for no limit")
    for what, (low, high) in ranges.items():
        if low is not None and high is not None and low > high:
            raise InvalidError(f"expected {what} from low to high, found {low:.15g} to {high:.15g}", hint="swap them")
    if filters.per_artist is not None and not filters.per_artist >= 1:
        raise InvalidError(
            f"expected 1 or more tracks of an artist, found {filters.per_artist}", hint="leave it out for no limit"
        )
    if len(filters.not_below) > MOST_FOLDERS:
        raise InvalidError(
            f"expected at most {MOST_FOLDERS:,} folders to exclude, found {len(filters.not_below):,}",
            hint="exclude folders above them",
        )


def _refuse_unknown(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    folded = {fold(name) for name in known}
    for name in names:
        if fold(name) not in folded:
            raise unknown_name(kind, name, known)


def _of_moods(view: LibraryView, wanted: Sequence[str]) -> NDArray[np.int64] | None:
    if not wanted:
        return None
    chosen = {fold(name) for name in wanted}
    labels = predicted_labels(view)
    return labels.track_ids[np.isin(labels.moods, [i for i, mood in enumerate(view.file.moods) if mood in chosen])]


def _of_tags(view: LibraryView, wanted: Sequence[str]) -> NDArray[np.int64] | None:
    return carriers(view, wanted) if wanted else None
