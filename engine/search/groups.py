"""The nearest artists or albums by the mean signature of their tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import GROUPS, Track, group_names, groups_of, tracks_by_ids
from engine.db.text import artist_names, fold
from engine.errors import InvalidError
from engine.indexer.vectors.exact import positions
from engine.search.filters import Filters, passing
from engine.search.query_vector import Query
from engine.search.results import GroupMatch
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot

ROWS_AT_ONCE = 65_536
SMALLEST_NORM = 1e-9

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """The artists or albums of a snapshot's tracks.

    Attributes:
        rows: Rows of the snapshot, (M,); the row of a track of several artists occurs several times.
        numbers: The group of each of these rows, (M,).
        by_name: The number of each of the G groups.
        counts: Tracks of each group, (G,).
        norms: Norm of the sum of each group's signatures, (G,).
    """

    rows: Ints
    numbers: Ints
    by_name: dict[tuple[str, str], int]
    counts: Ints
    norms: NDArray[np.float64]


def nearest_groups(view: LibraryView, query: Query, kind: str, k: int, filters: Filters) -> tuple[GroupMatch, ...]:
    """Return the k artists or albums with the nearest mean signature of passing tracks; the query's own are left out.

    Args:
        view: The library.
        query: The query.
        kind: "artist" or "album" (of one artist).
        k: Most groups.
        filters: `per_artist` is ignored.

    Raises:
        QueryError: The kind, k or a filter is out of range.
    """
    if kind not in GROUPS:
        raise InvalidError(f"expected to group by {' or '.join(GROUPS)}, found {kind!r}", hint="name one of the two")
    if k < 1:
        raise InvalidError(f"expected k of 1 or more, found {k}", hint="ask for one or more")
    snapshot = view.filled_snapshot
    groups: Groups = view.cached_tags(f"groups by {kind}", lambda: _make_groups(view, snapshot, kind))
    own = {groups.by_name.get(name, -1) for track in query.tracks for name in groups_of(track, kind)}
    fits = ~np.isin(snapshot.ids, list(query.embedding.identical_ids))
    allowed = passing(view, filters, query.tracks)
    if allowed is not None:
        fits &= np.isin(snapshot.ids, allowed)
    members = fits[groups.rows] & ~np.isin(groups.numbers, list(own))
    rows, numbers = groups.rows[members], groups.numbers[members]
    cosines = snapshot.scores(query.embedding.signature)[rows]
    counts = np.bincount(numbers, minlength=len(groups.counts))
    likeness = np.bincount(numbers, cosines, len(counts)) / _norms(snapshot, groups, rows, numbers, counts)
    found = np.flatnonzero(counts)
    best = found[np.argsort(-likeness[found], kind="stable")[:k]]
    nearest = {number: rows[numbers == number][np.argmax(cosines[numbers == number])] for number in best.tolist()}
    with view.read() as connection:
        tracks = tracks_by_ids(connection, snapshot.ids[list(nearest.values())].tolist())
    named = [(number, tracks.get(int(snapshot.ids[row]))) for number, row in nearest.items()]
    known = [(number, track) for number, track in named if track is not None]
    names = list(groups.by_name)
    return tuple(
        _match(rank, float(likeness[number]), int(counts[number]), track, kind, names[number][0])
        for rank, (number, track) in enumerate(known, start=1)
    )


def _make_groups(view: LibraryView, snapshot: VectorSnapshot, kind: str) -> Groups:
    with view.read() as connection:
        named = group_names(connection, kind)
    order = np.argsort(snapshot.ids)
    places = positions(snapshot.ids[order], named.track_ids)
    rows, numbers = order[places[places >= 0]], named.numbers[places >= 0]
    counts = np.bincount(numbers, minlength=len(named.names))
    by_name = {name: number for number, name in enumerate(named.names)}
    return Groups(rows, numbers, by_name, counts, _sum_norms(snapshot, rows, numbers, len(counts)))


def _norms(snapshot: VectorSnapshot, groups: Groups, rows: Ints, numbers: Ints, counts: Ints) -> NDArray[np.float64]:
    """Return norms (G,) of the sums of the given rows' signatures; norms of whole groups are cached."""
    partly = (counts > 0) & (counts < groups.counts)
    norms = groups.norms.copy()
    if partly.any():
        own = partly[numbers]
        norms[partly] = _sum_norms(snapshot, rows[own], numbers[own], len(counts))[partly]
    return np.maximum(norms, SMALLEST_NORM)


def _sum_norms(snapshot: VectorSnapshot, rows: Ints, numbers: Ints, count: int) -> NDArray[np.float64]:
    """Return the norm (G,) of each group's sum of signatures, given rows and their groups, (m,) each."""
    order = np.argsort(numbers, kind="stable")
    rows, numbers = rows[order], numbers[order]
    sums = np.zeros((count, snapshot.dimensions), np.float32)
    for at in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[at : at + ROWS_AT_ONCE]
        own, starts = np.unique(numbers[at : at + ROWS_AT_ONCE], return_index=True)
        sums[own] += np.add.reduceat(snapshot.take(snapshot.ids[part]), starts, axis=0)
    norms: NDArray[np.float64] = np.linalg.norm(sums, axis=1).astype(np.float64)
    return norms


def _match(rank: int, likeness: float, count: int, track: Track, kind: str, name: str) -> GroupMatch:
    artist = track.album_artist or track.artist
    if kind == "artist":  # the track may have several
        spelled = artist_names(track.artist or track.album_artist)
        artist = next((each for each in spelled if fold(each) == name), name)
    album = track.album if kind == "album" else None
    return GroupMatch(rank, artist, album, min(1.0, max(0.0, likeness)), count, track.id, track.name)
