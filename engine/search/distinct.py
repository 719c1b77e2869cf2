"""The nearest tracks, each recording once: `similar --no-duplicates`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.duplicates.grouping import repeated
from engine.errors import QueryError
from engine.search.filters import Filters
from engine.search.query_vector import Query
from engine.search.ranking import Ranking, nearest
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Neighbour

LOOK_FACTOR, LOOK_MORE = 2, 10  # beyond the k nearest, for better files of the recordings among them


def nearest_distinct(view: LibraryView, query: Query, k: int, filters: Filters, ranking: Ranking) -> list[Neighbour]:
    """As `nearest`, without the recordings that are searched from, and with only the best file of each other one.

    It is as if the other files were not in the library. The best is that of `duplicates`: whole, lossless, then by bit
    rate. It is looked for among the 2 k + 10 nearest, which are fingerprinted on first use where they sound like one
    another.

    Raises:
        QueryError: k, a filter or the ranking makes no sense.
        LibraryError: There is nothing to compare with, or fingerprints cannot be stored.
    """
    if k < 1:
        raise QueryError(f"expected k of 1 or more, found {k}")
    origins = {*query.embedding.identical_ids, *(track.id for track in query.tracks)}
    files = [seed.path for seed in query.seeds if seed.track_id is None]
    identical_ids = query.embedding.identical_ids
    plain = replace(ranking, variety=0.0)
    while True:
        left = replace(query, embedding=replace(query.embedding, identical_ids=identical_ids))
        found = nearest(view, left, LOOK_FACTOR * k + LOOK_MORE, filters, plain)
        looked_at = {each.track_id for each in found}
        if ranking.variety:  # the seed stays, so that the same ones are drawn again where they may be
            found = nearest(view, left, k, filters, ranking)
            looked_at |= {each.track_id for each in found}
        again = repeated(view, looked_at, origins, files)
        if not again & {each.track_id for each in found[:k]}:
            return found[:k]
        identical_ids |= again  # others move up, so look again; every round leaves out one track at least
