"""Rank with each recording once: `similar --no-duplicates`."""

from __future__ import annotations

from dataclasses import replace

from engine.duplicates.grouping import repeated
from engine.errors import InvalidError
from engine.search.filters import Filters
from engine.search.query_vector import Query
from engine.search.ranking import Neighbour, Ranking, nearest
from engine.session import LibraryView

POOL_FACTOR, POOL_EXTRA = 2, 10  # candidates beyond k, among which better files of a recording are found


def nearest_distinct(view: LibraryView, query: Query, k: int, filters: Filters, ranking: Ranking) -> list[Neighbour]:
    """Rank as `nearest`, without the query's own recordings and with the best file of each other recording only.

    The best file is that of `duplicates`: whole, lossless, then by bit rate, among the 2 k + 10 nearest. Candidates
    close to each other are fingerprinted on first use.

    Raises:
        QueryError: k, a filter or the ranking is out of range.
        LibraryError: There is nothing to compare with, or fingerprints cannot be stored.
    """
    if k < 1:
        raise InvalidError(f"expected k of 1 or more, found {k}", hint="ask for one track or more")
    origins = {*query.embedding.identical_ids, *(track.id for track in query.tracks)}
    files = [seed.path for seed in query.seeds if seed.track_id is None]
    identical_ids = query.embedding.identical_ids
    plain = replace(ranking, variety=0.0)
    while True:
        left = replace(query, embedding=replace(query.embedding, identical_ids=identical_ids))
        found = nearest(view, left, POOL_FACTOR * k + POOL_EXTRA, filters, plain)
        examined = {each.track_id for each in found}
        if ranking.variety:  # the same seed draws the same tracks again, except those excluded since
            found = nearest(view, left, k, filters, ranking)
            examined |= {each.track_id for each in found}
        again = repeated(view, examined, origins, files)
        if not again & {each.track_id for each in found[:k]}:
            return found[:k]
        identical_ids |= again  # others move up; each round excludes a track, so the loop ends
