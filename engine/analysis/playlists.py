"""Playlists: a radio from seeds, a path from one track to another, a list in its smoothest order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.analysis.neighbours import Ranking, nearest
from engine.analysis.ordering import path_rows, smooth_order
from engine.db import Track, tracks_by_ids, vectors_of_tracks
from engine.db.values import named, shown
from engine.errors import AudioError, QueryError
from engine.filters import ArtistCap, Filters, passing
from engine.m3u8 import Entry
from engine.opened import OpenLibrary
from engine.query import Heard, Question, TrackName
from engine.seeds import Sought, group_of

LONGEST = 5_000  # tracks in a playlist


@dataclass(frozen=True)
class PlaylistTrack:
    """A track of a playlist: `similarity` is max(0, cosine), to the seeds or to the track before, 1 for the first.

    `track_id` is None for a file outside the library.
    """

    track_id: int | None
    path: str
    artist: str | None
    title: str | None
    similarity: float


@dataclass(frozen=True)
class Playlist:
    """Tracks in play order; `problems` has one line about each that was named and is left out."""

    tracks: tuple[PlaylistTrack, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Stop:
    """A track that was named, and its signature (D,)."""

    question: Question
    heard: Heard

    @property
    def identity(self) -> int | bytes:
        """What tells it from other tracks."""
        track = self.question.track
        return track.id if track else self.question.path


@dataclass(frozen=True, eq=False)
class _Placed:
    """A track in its place, its similarity still to be told, and its signature (D,)."""

    track: PlaylistTrack
    vector: NDArray[np.float32]


def radio(opened: OpenLibrary, sought: Sought, n: int, filters: Filters, ranking: Ranking) -> Playlist:
    """The n tracks nearest to the seeds, from the nearest on in the smoothest order, so that it drifts gently.

    Raises:
        QueryError: n, a filter or the ranking makes no sense.
        LibraryError: There is nothing to compare with.
    """
    _check_length(min(n, opened.filled_store().snapshot().state.count))
    found = nearest(opened, sought, n, filters, ranking)
    ids = [neighbour.track_id for neighbour in found]
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, ids)
        stored = vectors_of_tracks(connection, opened.encoder_id, opened.coverage, tracks)
    vectors = {int(track_id): vector for track_id, vector in zip(stored.track_ids, stored.vectors, strict=True)}
    known = [neighbour for neighbour in found if neighbour.track_id in vectors]  # the rest was removed just now
    order = smooth_order(np.array([vectors[neighbour.track_id] for neighbour in known])) if known else []
    return Playlist(tuple(_listed(tracks[known[i].track_id], known[i].cosine) for i in order))


def path_between(opened: OpenLibrary, start: TrackName, end: TrackName, n: int, filters: Filters) -> Playlist:
    """n different tracks from one to another in even steps; fewer only where fewer exist that pass.

    The two ends need not pass the filters. A path from a track to itself is that one track.

    Raises:
        QueryError: An end is no track or gives no signature, n is too small or too large, or a filter makes no sense.
        LibraryError: There is nothing to compare with.
    """
    if n < 1:
        raise QueryError(f"expected n of 1 or more, found {n}")
    snapshot = opened.filled_store().snapshot()
    stops = [_end(opened, start), _end(opened, end)]
    if stops[0].identity == stops[1].identity:
        return Playlist(_in_steps([_placed(stops[0])]))
    if n == 1:
        raise QueryError("expected n of 2 or more, found 1; a path to another track holds both of them")
    ends = [stop.question.track for stop in stops if stop.question.track]
    allowed = passing(opened, filters, ends)
    known = snapshot.track_ids if allowed is None else np.intersect1d(allowed, snapshot.track_ids)
    ids = np.setdiff1d(known, np.fromiter(stops[0].heard.itself | stops[1].heard.itself, np.int64))
    signatures = [stop.heard.signature for stop in stops]
    if filters.per_artist is not None:
        ids = _capped(opened, ids, filters.per_artist, ends, np.array(signatures))
    places = min(n - 2, len(ids))
    _check_length(places + 2)
    rows = np.flatnonzero(np.isin(snapshot.track_ids, ids))
    chosen = rows[path_rows(signatures[0], signatures[1], snapshot.vectors[rows], places)]
    between = snapshot.track_ids[chosen].tolist()
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, between)
    vectors = zip(between, snapshot.vectors[chosen], strict=True)
    middle = [_Placed(_listed(tracks[track_id]), vector) for track_id, vector in vectors if track_id in tracks]
    return Playlist(_in_steps([_placed(stops[0]), *middle, _placed(stops[1])]))


def in_order(opened: OpenLibrary, names: Sequence[TrackName]) -> Playlist:
    """The same tracks in the smoothest order; the first stays first. Each comes once; what cannot be heard is left out.

    Raises:
        QueryError: None of them can be heard, or there are too many.
    """
    _check_length(len(names))
    stops: dict[int | bytes, _Stop] = {}
    problems = []
    for name in names:
        try:
            stop = _Stop(*opened.hear(name, segments=False))
        except (QueryError, AudioError) as error:
            problems.append(f"{error}; left out")
            continue
        if stop.identity in stops:
            problems.append(f"{shown(stop.question.path)} is named twice; once is kept")
        stops.setdefault(stop.identity, stop)
    if not stops:
        raise QueryError("; ".join(problems[:1]) or "expected tracks to put into order, found none; name some")
    listed = list(stops.values())
    order = smooth_order(np.array([stop.heard.signature for stop in listed]))
    return Playlist(_in_steps([_placed(listed[i]) for i in order]), tuple(problems))


def entries(opened: OpenLibrary, playlist: Playlist) -> list[Entry]:
    """What a playlist file says of each track."""
    with opened.database.read() as connection:
        known = tracks_by_ids(connection, [track.track_id for track in playlist.tracks if track.track_id is not None])
    return [_entry(track, known.get(track.track_id or 0)) for track in playlist.tracks]


def _entry(track: PlaylistTrack, known: Track | None) -> Entry:
    path = os.fsencode(track.path)
    seconds = known.duration_seconds if known else _from_file(path).seconds
    return Entry(path, seconds, track.artist, track.title)


def _check_length(tracks: int) -> None:
    if tracks > LONGEST:
        raise QueryError(f"expected a playlist of at most {LONGEST:,} tracks, found {tracks:,}; ask for fewer")


def _end(opened: OpenLibrary, name: TrackName) -> _Stop:
    if group_of(name) is not None:
        raise QueryError(f"expected one track for the end of a path, found {name!r}; name one of its tracks")
    return _Stop(*opened.hear(name, segments=False))


def _capped(
    opened: OpenLibrary, ids: NDArray[np.int64], most: int, ends: Iterable[Track], signatures: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Of each artist, so many tracks at most, the ends counted: those that are nearest to the two ends together."""
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, ids.tolist())
    snapshot = opened.store().snapshot()
    rows = np.flatnonzero(np.isin(snapshot.track_ids, ids))
    near = (snapshot.vectors[rows] @ signatures.T).sum(axis=1)
    cap = ArtistCap(most, ends)
    nearest = snapshot.track_ids[rows[np.argsort(-near, kind="stable")]].tolist()
    kept = [track_id for track_id in nearest if cap.takes(tracks.get(track_id))]
    return np.sort(np.array(kept, np.int64))


def _in_steps(placed: Sequence[_Placed]) -> tuple[PlaylistTrack, ...]:
    """The tracks with their similarity to the one before."""
    chain = np.array([each.vector for each in placed])
    cosines = [1.0, *np.einsum("nd,nd->n", chain[:-1], chain[1:]).tolist()]
    return tuple(
        replace(each.track, similarity=_similarity(cosine)) for each, cosine in zip(placed, cosines, strict=True)
    )


def _placed(stop: _Stop) -> _Placed:
    question = stop.question
    if question.track is not None:
        return _Placed(_listed(question.track), stop.heard.signature)
    said = _from_file(question.path)
    return _Placed(PlaylistTrack(None, named(question.path), said.artist, said.title, 1.0), stop.heard.signature)


def _listed(track: Track, cosine: float = 1.0) -> PlaylistTrack:
    return PlaylistTrack(track.id, track.name, track.artist, track.title, _similarity(cosine))


def _similarity(cosine: float) -> float:
    return min(1.0, max(0.0, cosine))  # float32 rounding may pass 1


def _from_file(path: bytes) -> Entry:
    """What a file outside the library says of itself."""
    from engine.indexer.decode import AudioFile
    from engine.indexer.tags import read_tags

    try:
        with AudioFile.open(path) as audio:
            tags = read_tags(audio.info.metadata)
            return Entry(path, audio.info.duration_seconds, tags.artist, tags.title)
    except AudioError:
        return Entry(path)
