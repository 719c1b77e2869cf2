"""The nearest tracks: filtered, corrected for hubs, capped by artist, as varied as asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import tracks_by_ids
from engine.errors import QueryError
from engine.search.filters import ArtistCap, Filters, passing
from engine.search.hubness import local_scale
from engine.search.query_vector import Query
from engine.search.variety import drawn_order, settle_seed
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Neighbour, Snapshot

# Nearest tracks that are put into order, and how many for one that is asked for, whichever is more. Correcting for
# hubs moves tracks into an answer of ten from among the first thirty, hardly ever from beyond.
SMALLEST_POOL, POOL_FACTOR = 50, 5
DIVERSE_POOL, DIVERSE_FACTOR = 200, 10  # the same where they are chosen to differ


@dataclass(frozen=True)
class Ranking:
    """How the nearest are put into order.

    Attributes:
        diverse: 0 is the nearest first; up to 1, how much an answer's likeness to those before it counts against it
            (maximal marginal relevance, Carbonell and Goldstein 1998: 1 - lambda).
        hubs: Leave in place what is near to everything (`engine.search.hubness`).
        variety: 0 is the same answer each time; up to 1, how freely it is drawn among the near ones
            (`engine.search.variety`).
        seed: What decides the draw; None for a fresh one, which the answer names.
    """

    diverse: float = 0.0
    hubs: bool = False
    variety: float = 0.0
    seed: int | None = None

    def settled(self) -> Ranking:
        """The ranking with a seed if it draws, and without one if it does not; raises QueryError where it cannot."""
        return replace(self, seed=settle_seed(self.variety, self.seed))


DEFAULT_RANKING = Ranking()


def nearest(view: LibraryView, query: Query, k: int, filters: Filters, ranking: Ranking) -> list[Neighbour]:
    """The k nearest that pass, in order; fewer where fewer pass. Cosines are what they are, whatever the order.

    Raises:
        QueryError: k or a filter makes no sense.
        LibraryError: There is nothing to compare with.
    """
    if k < 1:
        raise QueryError(f"expected k of 1 or more, found {k}")
    if not 0 <= ranking.diverse <= 1:
        raise QueryError(f"expected a diversity from 0 to 1, found {ranking.diverse:g}")
    snapshot = view.filled_snapshot
    allowed = passing(view, filters, query.tracks)
    pool = max(DIVERSE_POOL, DIVERSE_FACTOR * k) if ranking.diverse else max(SMALLEST_POOL, POOL_FACTOR * k)
    while True:
        found = snapshot.search(query.embedding.signature, pool, query.embedding.identical_ids, allowed)
        picked = _pick(view, snapshot, query, found, k, filters.per_artist, ranking)
        if len(picked) >= k or len(found) < pool:  # else the cap on an artist may have left out too many
            return picked
        pool *= POOL_FACTOR


def _pick(
    view: LibraryView,
    snapshot: Snapshot,
    query: Query,
    found: list[Neighbour],
    k: int,
    per_artist: int | None,
    ranking: Ranking,
) -> list[Neighbour]:
    if not found:
        return []
    ids = [neighbour.track_id for neighbour in found]
    cosines = np.array([neighbour.cosine for neighbour in found], np.float32)
    close, vectors = cosines, np.zeros((0, 0), np.float32)
    if ranking.diverse or not ranking.hubs:
        vectors = snapshot.take(np.array(ids, np.int64))
    if not ranking.hubs:
        close = local_scale(view).closeness(query.embedding.signature, vectors, cosines)
    place = {row: rank for rank, row in enumerate(np.argsort(-close, kind="stable").tolist())}  # the nearest first
    ordered = drawn_order(close, ranking.variety, ranking.seed) if ranking.variety else list(place)
    fits = _cap(view, ids, per_artist)
    if not ranking.diverse:
        return [found[i] for i in sorted(islice(filter(fits, ordered), k), key=place.__getitem__)]
    drawn = max(k, len(ordered) // 2) if ranking.variety else len(ordered)
    first = sorted(ordered[:drawn], key=place.__getitem__)
    order: Iterable[int] = _diverse(vectors, cosines, first, ranking.diverse, fits)
    return [found[i] for i in islice(chain(order, filter(fits, ordered[drawn:])), k)]


def _cap(view: LibraryView, track_ids: Sequence[int], per_artist: int | None) -> Callable[[int], bool]:
    """Says of each candidate, once and in the order of the answer, whether its artist may be there once more."""
    if per_artist is None:
        return lambda _: True
    with view.read() as connection:
        tracks = tracks_by_ids(connection, track_ids)
    cap = ArtistCap(per_artist)
    return lambda i: cap.takes(tracks.get(track_ids[i]))


def _diverse(
    vectors: NDArray[np.float32],
    cosines: NDArray[np.float32],
    ordered: list[int],
    weight: float,
    fits: Callable[[int], bool],
) -> Iterator[int]:
    """Candidates by (1 - weight) * likeness to the query - weight * greatest likeness to one before; the first is
    the nearest."""
    left = list(ordered)
    likest = np.full(len(left), -1.0, np.float32)  # of each that is left, to those taken
    taken = False
    while left:
        scores = (1 - weight) * cosines[left] - weight * likest
        place = int(np.argmax(scores)) if taken else 0
        chosen = left.pop(place)
        likest = np.delete(likest, place)
        if not fits(chosen):
            continue
        taken = True
        likest = np.maximum(likest, vectors[left] @ vectors[chosen])
        yield chosen
