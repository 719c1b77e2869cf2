"""The tracks of a path: candidates near its places, then an even chain of them (`engine.playlists.ordering`).

In a small library every track is a candidate. In a large one, searches around the places find the candidates, so that
the cost of a path does not grow with the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import Track, tracks_by_ids
from engine.playlists.ordering import Places, path_rows, pool_size
from engine.search.filters import ArtistCap
from engine.search.hubness import local_scale
from engine.search.variety import thinned
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot

CONSIDERED_WHOLE = 50_000  # tracks
SEARCHES = 32  # most places of a path to search around
OVERLAP = 2  # times as many neighbours as needed, since places share some
WIDER = 4  # factor by which to widen the searches if too few candidates pass

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Choice:
    """The tracks that may be in a path.

    Attributes:
        allowed: Sorted track ids; None for all.
        excluded: Track ids.
        per_artist: Most tracks of one artist, or None.
        ends: Tracks that count towards `per_artist`.
        variety, seed: See `engine.search.variety`.
    """

    allowed: Ids | None
    excluded: frozenset[int]
    per_artist: int | None
    ends: Sequence[Track]
    variety: float = 0.0
    seed: int | None = None

    def count(self, snapshot: VectorSnapshot) -> int:
        """Return an upper bound of the number of candidates."""
        return snapshot.count if self.allowed is None else min(len(self.allowed), snapshot.count)


def tracks_between(
    view: LibraryView, snapshot: VectorSnapshot, stops: Floats, count: int, choice: Choice
) -> list[list[int]]:
    """Return the ids of a total of `count` tracks between each stop (S, D) and the next; fewer if fewer qualify."""
    if count == 0:
        return [[] for _ in stops[1:]]
    ids = _candidates(view, snapshot, stops, count, choice)
    count = min(count, len(ids))
    if choice.variety:
        ids = ids[thinned(len(ids), count, choice.variety, choice.seed)]
    legs = path_rows(stops, snapshot.take(ids), count, local_scale(view).of)
    return [ids[np.array(rows, np.intp)].tolist() for rows in legs]


def _candidates(view: LibraryView, snapshot: VectorSnapshot, stops: Floats, count: int, choice: Choice) -> Ids:
    wanted = pool_size(count)
    while True:
        whole = snapshot.count <= max(CONSIDERED_WHOLE, WIDER * wanted)
        ids = _all(snapshot, choice) if whole else _near(snapshot, stops, count, wanted, choice)
        if choice.per_artist is not None:
            ids = _capped(view, snapshot, ids, choice.per_artist, choice.ends, stops)
        if whole or len(ids) >= count:
            return ids
        wanted *= WIDER


def _all(snapshot: VectorSnapshot, choice: Choice) -> Ids:
    known = snapshot.ids if choice.allowed is None else snapshot.known(choice.allowed)
    return np.setdiff1d(known, np.fromiter(choice.excluded, np.int64))


def _near(snapshot: VectorSnapshot, stops: Floats, count: int, wanted: int, choice: Choice) -> Ids:
    """Return about `wanted` candidates, the nearest to places spread over the path."""
    points = Places.between(stops, max(1, min(count, SEARCHES))).weights @ stops  # (P, D)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    each = OVERLAP * -(-wanted // len(points))
    found = [snapshot.nearest(point, each, choice.excluded, choice.allowed) for point in points]
    return np.unique(np.concatenate([near.track_ids for near in found]))


def _capped(
    view: LibraryView, snapshot: VectorSnapshot, ids: Ids, most: int, ends: Iterable[Track], stops: Floats
) -> Ids:
    """Limit the tracks of each artist, the ends counted, to those nearest to the stops together."""
    with view.read() as connection:
        tracks = tracks_by_ids(connection, ids.tolist())
    near = (snapshot.take(ids) @ stops.T).sum(axis=1)
    cap = ArtistCap(most, ends)
    nearest = ids[np.argsort(-near, kind="stable")].tolist()
    kept = [track_id for track_id in nearest if cap.takes(tracks.get(track_id))]
    return np.sort(np.array(kept, np.int64))
