"""Playlists: a radio from seeds, a path from one track to another, a list in its smoothest order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import AudioFeatures, Track, get_audio_features, tracks_by_ids
from engine.db.text import displayable
from engine.errors import AudioError, InvalidError, LibraryError, QueryError
from engine.playlists.m3u8 import Entry
from engine.playlists.mixing import mix_order, mix_steps
from engine.playlists.ordering import smooth_order
from engine.playlists.paths import Choice, tracks_between
from engine.playlists.results import Playlist, PlaylistTrack
from engine.search.embeddings import EmbeddedTrack, embed
from engine.search.filters import Filters, left_out, music_by_default, passing
from engine.search.query_vector import Query, group_of
from engine.search.ranking import Ranking, nearest
from engine.search.references import TrackName
from engine.search.variety import settle_seed
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot
    from engine.search.aspect_view import AspectView

LONGEST = 5_000  # tracks in a playlist
MIX_POOL = 4  # tracks to choose from for each of a mix
NOTHING = AudioFeatures(None, None, None)
SAME_ENDS = "both ends are the same track; a path from a track to itself is that one track"


@dataclass(frozen=True, eq=False)
class _Placed:
    """A track in its place, before its similarity is known, and its signature (D,)."""

    track: PlaylistTrack
    vector: NDArray[np.float32]


def radio(view: LibraryView, query: Query, n: int, filters: Filters, ranking: Ranking) -> Playlist:
    """Return the n tracks nearest to the seeds, in the smoothest order that starts with the nearest.

    Raises:
        QueryError: n, a filter or the ranking is out of range.
        LibraryError: The library has no signatures to compare with.
    """
    _check_length(min(n, view.filled_snapshot.count))
    ranking = replace(ranking, seed=settle_seed(ranking.variety, ranking.seed))
    filters = music_by_default(view.encoded, filters)
    found = nearest(view, query, n, filters, ranking)
    ids = [neighbour.track_id for neighbour in found]
    with view.read() as connection:
        tracks = tracks_by_ids(connection, ids)
    known = [neighbour for neighbour in found if neighbour.track_id in tracks]  # others have since been removed
    order = smooth_order(view.snapshot.take(np.array([each.track_id for each in known]))) if known else []
    listed = tuple(listed_track(tracks[known[i].track_id], known[i].cosine) for i in order)
    return Playlist(listed, seed=ranking.seed, not_music=left_out(view.encoded, filters))


def path_between(
    view: LibraryView, names: Sequence[TrackName], n: int, filters: Filters, variety: float = 0.0,
    seed: int | None = None, by: AspectView | None = None,
) -> Playlist:  # fmt: skip
    """Return n different tracks from the first named one over the others to the last; fewer if fewer pass the filters.

    The named tracks need not pass. A path from a track to itself is that one track. Steps are those of signatures, or
    of the vectors that `by` compares.

    Raises:
        QueryError: A name is not a track, gives no signature or occurs twice; n, a filter, the variety or the seed is
            out of range.
        LibraryError: The library has no signatures to compare with.
    """
    if n < 1:
        raise InvalidError(f"expected n of 1 or more, found {n}", hint="ask for one track or more")
    seed, filters = settle_seed(variety, seed), music_by_default(view, filters)
    searched = by or view
    snapshot = searched.filled_snapshot
    stops = [by.represent(stop) if by else stop for stop in (_end(view, name) for name in names)]
    if len(stops) == 2 and stops[0].resolved.identity == stops[1].resolved.identity:
        return Playlist(_in_steps([_placed(view, stops[0])]), notes=(SAME_ENDS,), seed=seed)
    _check_stops(stops, n)
    ends = [stop.resolved.track for stop in stops if stop.resolved.track]
    excluded = frozenset().union(*(stop.identical_ids for stop in stops))
    choice = Choice(passing(view, filters, ends), excluded, filters.per_artist, ends, variety, seed)
    between = min(n - len(stops), choice.count(snapshot))
    _check_length(between + len(stops))
    signatures = np.array([stop.embedding.signature for stop in stops])
    legs = tracks_between(searched, snapshot, signatures, between, choice)
    placed = [_placed(view, stops[0])]
    for ids, stop in zip(legs, stops[1:], strict=True):
        placed += [*_placed_tracks(view, snapshot, ids), _placed(view, stop)]
    return replace(_stepped(placed, seed=seed), not_music=left_out(view, filters))


def radio_mix(view: LibraryView, query: Query, n: int, filters: Filters, ranking: Ranking) -> Playlist:
    """Return n of the measured tracks near to the seeds, in a DJ's order that starts with the nearest.

    Raises:
        QueryError: n, a filter or the ranking is out of range.
        LibraryError: The library has no signatures to compare with, or no track near was measured.
    """
    _check_length(min(n, view.filled_snapshot.count))
    ranking = replace(ranking, seed=settle_seed(ranking.variety, ranking.seed))
    filters = music_by_default(view.encoded, filters)
    found = nearest(view, query, MIX_POOL * n, filters, ranking)
    with view.read() as connection:
        tracks = tracks_by_ids(connection, [each.track_id for each in found])
        features = get_audio_features(connection, tracks)
    known = [each for each in found if each.track_id in tracks and features.get(each.track_id, NOTHING).tempo]
    if not known:
        raise LibraryError(
            "no track near these seeds has a measured tempo to mix by",
            hint="measure tempo and key once: engine index --features PATH",
        )
    measured = [features[each.track_id] for each in known]
    vectors = view.snapshot.take(np.array([each.track_id for each in known]))
    order = mix_order(measured, vectors, count=n)
    listed = tuple(listed_track(tracks[known[i].track_id], known[i].cosine) for i in order)
    steps = mix_steps([measured[i] for i in order])
    return Playlist(listed, seed=ranking.seed, not_music=left_out(view.encoded, filters), mix=steps)


def mixed(view: LibraryView, made: Playlist, *, fixed_end: bool) -> Playlist:
    """Return the tracks of a path or a list in a DJ's order that starts with the first; with `fixed_end` ends stay."""
    ids = [track.track_id for track in made.tracks]
    names = [track.path if track.track_id is None else track.track_id for track in made.tracks]
    embedded = [embed(view, name, segments=False) for name in names]
    with view.read() as connection:
        features = get_audio_features(connection, [track_id for track_id in ids if track_id is not None])
    measured = [features.get(track.track_id or 0, NOTHING) for track in made.tracks]
    order = mix_order(measured, np.array([each.embedding.signature for each in embedded]), fixed_end=fixed_end)
    placed = [_Placed(made.tracks[i], embedded[i].embedding.signature) for i in order]
    tracks = _in_steps(placed)
    worst = min((track.similarity for track in tracks[1:]), default=None)
    return replace(made, tracks=tracks, worst_step=worst, mix=mix_steps([measured[i] for i in order]))


def in_order(view: LibraryView, names: Sequence[TrackName]) -> Playlist:
    """Return the tracks in the smoothest order that starts with the first; repeats and unreadable files are left out.

    Raises:
        QueryError: No track can be read, or there are too many.
    """
    _check_length(len(names))
    stops: dict[int | bytes, EmbeddedTrack] = {}
    problems, failure = [], None
    for name in names:
        try:
            stop = embed(view, name, segments=False)
        except (QueryError, AudioError) as error:
            problems.append(f"{error.message}; left out")
            failure = failure or error
            continue
        if stop.resolved.identity in stops:
            problems.append(f"{displayable(stop.resolved.path)} is named twice; used once")
        stops.setdefault(stop.resolved.identity, stop)
    if not stops:
        raise failure or InvalidError("expected tracks to put into order, found none", hint="name some")
    listed = list(stops.values())
    order = smooth_order(np.array([stop.embedding.signature for stop in listed]))
    return _stepped([_placed(view, listed[i]) for i in order], problems)


def entries(view: LibraryView, playlist: Playlist) -> list[Entry]:
    """Return the playlist file's entry of each track."""
    with view.read() as connection:
        known = tracks_by_ids(connection, [track.track_id for track in playlist.tracks if track.track_id is not None])
    return [_entry(view, track, known.get(track.track_id or 0)) for track in playlist.tracks]


def _entry(view: LibraryView, track: PlaylistTrack, known: Track | None) -> Entry:
    path = os.fsencode(track.path)
    seconds = known.duration_seconds if known else _from_file(view, path).seconds
    return Entry(path, seconds, track.artist, track.title)


def _check_length(tracks: int) -> None:
    if tracks > LONGEST:
        raise InvalidError(f"expected a playlist of at most {LONGEST:,} tracks, found {tracks:,}", hint="ask for fewer")


def _end(view: LibraryView, name: TrackName) -> EmbeddedTrack:
    if group_of(name) is not None:
        raise InvalidError(f"expected one track for the end of a path, found {name!r}", hint="name one of its tracks")
    return embed(view, name, segments=False)


def _check_stops(stops: Sequence[EmbeddedTrack], n: int) -> None:
    """Raise QueryError if two stops are one track, or if the path is too short for its stops."""
    met: set[int | bytes] = set()
    for stop in stops:
        if stop.resolved.identity in met:
            raise InvalidError(
                f"expected different tracks along a path, found {displayable(stop.resolved.path)} twice",
                hint="name each once",
            )
        met.add(stop.resolved.identity)
    if n < len(stops):
        held = "both of them" if len(stops) == 2 else "all that it leads over"
        raise InvalidError(
            f"expected n of {len(stops)} or more, found {n}", hint=f"a path to another track holds {held}"
        )


def _placed_tracks(view: LibraryView, snapshot: VectorSnapshot, ids: list[int]) -> list[_Placed]:
    with view.read() as connection:
        tracks = tracks_by_ids(connection, ids)
    vectors = zip(ids, snapshot.take(np.array(ids, np.int64)), strict=True)
    return [_Placed(listed_track(tracks[track_id]), vector) for track_id, vector in vectors if track_id in tracks]


def _stepped(placed: Sequence[_Placed], problems: Iterable[str] = (), seed: int | None = None) -> Playlist:
    tracks = _in_steps(placed)
    worst = min((track.similarity for track in tracks[1:]), default=None)
    return Playlist(tracks, tuple(problems), worst_step=worst, seed=seed)


def _in_steps(placed: Sequence[_Placed]) -> tuple[PlaylistTrack, ...]:
    """Return the tracks with their similarity to the one before."""
    chain = np.array([each.vector for each in placed])
    cosines = [1.0, *np.einsum("nd,nd->n", chain[:-1], chain[1:]).tolist()]
    return tuple(
        replace(each.track, similarity=_similarity(cosine)) for each, cosine in zip(placed, cosines, strict=True)
    )


def _placed(view: LibraryView, stop: EmbeddedTrack) -> _Placed:
    resolved = stop.resolved
    if resolved.track is not None:
        return _Placed(listed_track(resolved.track), stop.embedding.signature)
    entry = _from_file(view, resolved.path)
    return _Placed(
        PlaylistTrack(None, os.fsdecode(resolved.path), entry.artist, entry.title, 1.0), stop.embedding.signature
    )


def listed_track(track: Track, cosine: float = 1.0) -> PlaylistTrack:
    """Return a track of the library as one of a playlist."""
    return PlaylistTrack(track.id, track.name, track.artist, track.title, _similarity(cosine))


def _similarity(cosine: float) -> float:
    return min(1.0, max(0.0, cosine))  # float32 rounding may pass 1


def _from_file(view: LibraryView, path: bytes) -> Entry:
    """Read artist, title and length of a file outside the library."""
    from engine.indexer.audio.tags import read_tags
    from engine.indexer.pipeline.decoding import read_info

    try:
        info = view.decoders.call(read_info, path)
    except AudioError:
        return Entry(path)
    tags = read_tags(info.metadata)
    return Entry(path, info.duration_seconds, tags.artist, tags.title)
