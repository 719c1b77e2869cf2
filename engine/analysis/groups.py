"""The nearest artists or albums: each is the mean signature of its tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import GROUPS, Track, group_name, group_names, tracks_by_ids
from engine.errors import QueryError
from engine.filters import Filters, passing
from engine.opened import OpenLibrary
from engine.results import GroupMatch
from engine.seeds import Sought

if TYPE_CHECKING:
    from engine.indexer.vectors import Snapshot

ROWS_AT_ONCE = 65_536
SMALLEST_NORM = 1e-9

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """The artists or albums of a snapshot's N tracks.

    Attributes:
        numbers: (N,), the group of each row; -1 for none.
        by_name: The number of each of the G groups.
        counts: (G,), tracks of each.
        norms: (G,), of the sum of their signatures.
    """

    numbers: Ints
    by_name: dict[tuple[str, str], int]
    counts: Ints
    norms: NDArray[np.float64]


def nearest_groups(opened: OpenLibrary, sought: Sought, kind: str, k: int, filters: Filters) -> tuple[GroupMatch, ...]:
    """The k nearest artists or albums, by the mean signature of their tracks that pass; the seeds' own are left out.

    Args:
        opened: The library.
        sought: What is searched for.
        kind: "artist" or "album" (of one artist).
        k: How many at most.
        filters: `per_artist` is not looked at.

    Raises:
        QueryError: The kind, k or a filter makes no sense.
    """
    if kind not in GROUPS:
        raise QueryError(f"expected to group by {' or '.join(GROUPS)}, found {kind!r}")
    if k < 1:
        raise QueryError(f"expected k of 1 or more, found {k}")
    snapshot = opened.filled_store().snapshot()
    groups: Groups = opened.kept(f"groups by {kind}", snapshot, lambda: _make_groups(opened, snapshot, kind))
    own = {groups.by_name.get(group_name(track, kind) or ("", ""), -1) for track in sought.tracks}
    fits = (groups.numbers >= 0) & ~np.isin(groups.numbers, list(own))
    fits &= ~np.isin(snapshot.track_ids, list(sought.heard.itself))
    allowed = passing(opened, filters, sought.tracks)
    if allowed is not None:
        fits &= np.isin(snapshot.track_ids, allowed)
    rows = np.flatnonzero(fits)
    numbers, cosines = groups.numbers[rows], (snapshot.vectors @ sought.heard.signature)[rows]
    counts = np.bincount(numbers, minlength=len(groups.counts))
    likeness = np.bincount(numbers, cosines, len(counts)) / _norms(snapshot, groups, rows, counts)
    found = np.flatnonzero(counts)
    best = found[np.argsort(-likeness[found], kind="stable")[:k]]
    nearest = {number: rows[numbers == number][np.argmax(cosines[numbers == number])] for number in best.tolist()}
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, snapshot.track_ids[list(nearest.values())].tolist())
    named = [(number, tracks.get(int(snapshot.track_ids[row]))) for number, row in nearest.items()]
    known = [(number, track) for number, track in named if track is not None]
    return tuple(
        _match(rank, float(likeness[number]), int(counts[number]), track, kind)
        for rank, (number, track) in enumerate(known, start=1)
    )


def _make_groups(opened: OpenLibrary, snapshot: Snapshot, kind: str) -> Groups:
    from engine.indexer.snapshot import places_in  # here: FAISS takes a while to load

    with opened.database.read() as connection:
        named = group_names(connection, kind)
    numbers = np.append(named.numbers, -1)[places_in(named.track_ids, snapshot.track_ids)]  # -1 is in place -1
    counts = np.bincount(numbers[numbers >= 0], minlength=len(named.names))
    by_name = {name: number for number, name in enumerate(named.names)}
    return Groups(numbers, by_name, counts, _sum_norms(snapshot, np.flatnonzero(numbers >= 0), numbers, len(counts)))


def _norms(snapshot: Snapshot, groups: Groups, rows: Ints, counts: Ints) -> NDArray[np.float64]:
    """(G,) norms of the sums of the signatures of some rows; those of whole groups are known."""
    partly = (counts > 0) & (counts < groups.counts)
    norms = groups.norms.copy()
    if partly.any():
        own = rows[partly[groups.numbers[rows]]]
        norms[partly] = _sum_norms(snapshot, own, groups.numbers, len(counts))[partly]
    return np.maximum(norms, SMALLEST_NORM)


def _sum_norms(snapshot: Snapshot, rows: Ints, numbers: Ints, count: int) -> NDArray[np.float64]:
    """(G,) norms of the sum of each group's signatures, of these rows only."""
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    sums = np.zeros((count, snapshot.vectors.shape[1]), np.float32)
    for at in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[at : at + ROWS_AT_ONCE]
        own, starts = np.unique(numbers[part], return_index=True)
        sums[own] += np.add.reduceat(snapshot.vectors[part], starts, axis=0)
    norms: NDArray[np.float64] = np.linalg.norm(sums, axis=1).astype(np.float64)
    return norms


def _match(rank: int, likeness: float, count: int, track: Track, kind: str) -> GroupMatch:
    artist = (track.artist or track.album_artist) if kind == "artist" else (track.album_artist or track.artist)
    album = track.album if kind == "album" else None
    return GroupMatch(rank, artist, album, min(1.0, max(0.0, likeness)), count, track.id, track.name)
