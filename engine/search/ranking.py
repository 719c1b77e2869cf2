"""Ranking: the nearest tracks, filtered, corrected for hubs, diversified, limited by artist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import tracks_by_ids
from engine.errors import InvalidError
from engine.search.filters import NO_FILTERS, ArtistCap, Filters, passing
from engine.search.hubness import local_scale
from engine.search.query_vector import Query
from engine.search.variety import drawn_order
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Nearest

# Candidates to re-rank: a minimum, and a number for each track of the answer. Hub correction moves tracks into an
# answer of ten from the first thirty candidates, hardly ever from beyond.
SMALLEST_POOL, POOL_FACTOR = 50, 5
DIVERSE_POOL, DIVERSE_FACTOR = 200, 10  # the same for diversified answers


@dataclass(frozen=True)
class Ranking:
    """How candidates are ranked.

    Attributes:
        diverse: 0 (nearest first) to 1: the penalty for likeness to tracks ranked before (maximal marginal relevance,
            Carbonell and Goldstein 1998: 1 - lambda).
        hubs: Do not demote hub tracks (`engine.search.hubness`).
        variety: 0 (the same answer each time) to 1: the temperature of a random draw (`engine.search.variety`).
        seed: Of the draw; None for a fresh one, which the answer returns.
    """

    diverse: float = 0.0
    hubs: bool = False
    variety: float = 0.0
    seed: int | None = None


DEFAULT_RANKING = Ranking()


@dataclass(frozen=True)
class Neighbour:
    """A track and the cosine of its signature with the query's."""

    track_id: int
    cosine: float


def nearest(view: LibraryView, query: Query, k: int, filters: Filters, ranking: Ranking) -> list[Neighbour]:
    """Return the k best-ranked tracks that pass the filters, or fewer if fewer pass, with their plain cosines.

    Raises:
        QueryError: k, diverse or a filter is out of range.
    """
    if k < 1:
        raise InvalidError(f"expected k of 1 or more, found {k}", hint="ask for one track or more")
    if not 0 <= ranking.diverse <= 1:
        raise InvalidError(f"expected a diversity from 0 to 1, found {ranking.diverse:g}", hint="0 is plain similarity")
    snapshot = view.snapshot
    allowed = None if filters == NO_FILTERS else passing(view.encoded, filters, query.tracks)
    pool = max(DIVERSE_POOL, DIVERSE_FACTOR * k) if ranking.diverse else max(SMALLEST_POOL, POOL_FACTOR * k)
    while True:
        found = snapshot.nearest(query.embedding.signature, pool, query.embedding.identical_ids, allowed)
        picked = _pick(view, query, found, k, filters.per_artist, ranking)
        if len(picked) >= k or len(found.track_ids) < pool:  # else the cap on an artist may have left out too many
            return list(map(Neighbour, found.track_ids[picked].tolist(), found.cosines[picked].tolist()))
        pool *= POOL_FACTOR


def _pick(
    view: LibraryView, query: Query, found: Nearest, k: int, per_artist: int | None, ranking: Ranking
) -> list[int]:
    """Return the rows of at most k candidates, in the order of the answer."""
    closeness = found.cosines
    if not ranking.hubs and len(closeness):
        scale = local_scale(view)
        closeness = scale.closeness(query.embedding.signature, found.signatures, found.cosines)
    by_closeness = np.argsort(-closeness, kind="stable")
    ordered = drawn_order(closeness, ranking.variety, ranking.seed) if ranking.variety else by_closeness.tolist()
    rank = np.argsort(by_closeness).tolist()  # of each row; the inverse permutation
    fits = _cap(view, found.track_ids, per_artist)
    if not ranking.diverse:
        return sorted(islice(filter(fits, ordered), k), key=rank.__getitem__)
    drawn = max(k, len(ordered) // 2) if ranking.variety else len(ordered)
    first = sorted(ordered[:drawn], key=rank.__getitem__)
    order: Iterable[int] = _diverse(found.signatures, found.cosines, first, ranking.diverse, fits)
    return list(islice(chain(order, filter(fits, ordered[drawn:])), k))


def _cap(view: LibraryView, track_ids: NDArray[np.int64], per_artist: int | None) -> Callable[[int], bool]:
    """Return a predicate to call once for each candidate, in rank order: whether its artist is below the limit."""
    if per_artist is None:
        return lambda _: True
    with view.read() as connection:
        tracks = tracks_by_ids(connection, track_ids)
    cap = ArtistCap(per_artist)
    return lambda row: cap.takes(tracks.get(int(track_ids[row])))


def _diverse(
    vectors: NDArray[np.float32],
    cosines: NDArray[np.float32],
    ordered: list[int],
    weight: float,
    fits: Callable[[int], bool],
) -> Iterator[int]:
    """Yield candidates by maximal marginal relevance, the nearest first.

    The score is (1 - weight) * cosine to the query - weight * greatest cosine to a candidate yielded before.
    """
    left = list(ordered)
    redundancy = np.full(len(left), -1.0, np.float32)  # greatest cosine to those taken
    taken = False
    while left:
        scores = (1 - weight) * cosines[left] - weight * redundancy
        place = int(np.argmax(scores)) if taken else 0
        chosen = left.pop(place)
        redundancy = np.delete(redundancy, place)
        if not fits(chosen):
            continue
        taken = True
        redundancy = np.maximum(redundancy, vectors[left] @ vectors[chosen])
        yield chosen
