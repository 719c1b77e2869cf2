"""The nearest tracks, each recording once: `similar --no-duplicates`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.duplicates.grouping import repeated
from engine.errors import QueryError
from engine.search.filters import Filters
from engine.search.query_vector import Query
from engine.search.ranking import Ranking, nearest
from engine.session import LibrarySession

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Neighbour

LOOK_FACTOR, LOOK_MORE = 2, 10  # beyond the k nearest, for better files of the recordings among them


def nearest_distinct(
    session: LibrarySession, sought: Query, k: int, filters: Filters, ranking: Ranking
) -> list[Neighbour]:
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
    ranking = ranking.settled()
    origins = {*sought.heard.itself, *(track.id for track in sought.tracks)}
    files = [seed.path for seed in sought.seeds if seed.track_id is None]
    itself = sought.heard.itself
    plain = replace(ranking, variety=0.0)
    while True:
        left = replace(sought, heard=replace(sought.heard, itself=itself))
        found = nearest(session, left, LOOK_FACTOR * k + LOOK_MORE, filters, plain)
        looked_at = {each.track_id for each in found}
        if ranking.variety:  # the seed stays, so that the same ones are drawn again where they may be
            found = nearest(session, left, k, filters, ranking)
            looked_at |= {each.track_id for each in found}
        again = repeated(session, looked_at, origins, files)
        if not again & {each.track_id for each in found[:k]}:
            return found[:k]
        itself |= again  # others move up, so look again; every round leaves out one track at least
