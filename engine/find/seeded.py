"""Descriptions combined with a seed: tracks like it "but with female vocals", and playlists that drift.

`nearest_but` scores the tracks nearest to the query by the terms of a description and by their nearness. Nearness is
one more wanted term (`engine.find.scoring`): its z-score is that of the cosine among typical tracks of the library.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidError
from engine.find.finding import capped, understand
from engine.find.plan import target_of
from engine.find.scoring import Scorer
from engine.search.answers import matches_of, query_result
from engine.search.filters import Filters, passing
from engine.search.query_vector import Query
from engine.search.ranking import Neighbour
from engine.search.results import QueryResult
from engine.search.tag_scores import Floats, Ids
from engine.session import LibraryView

NEAR, NEAR_FACTOR = 500, 20  # tracks that count as near the seed: at least so many, and so many for each of the answer
SEED_WEIGHT = 2.0  # of nearness among the terms


@dataclass(frozen=True, eq=False)
class Drift:
    """How well each of N tracks fits a description: values (N,), and the words that matched nothing."""

    values: Floats
    ignored: tuple[str, ...]


def nearest_but(view: LibraryView, query: Query, text: str, k: int, filters: Filters) -> QueryResult:
    """Return the k tracks near a query that fit a description best; similarities are to the query alone.

    Raises:
        QueryError: Nothing in the text was understood, or k or a filter is out of range.
    """
    if k < 1:
        raise InvalidError(f"expected k of 1 or more, found {k}", hint="ask for one track or more")
    plan = understand(view, text)
    chosen = passing(view, filters, query.tracks)
    if chosen is not None:
        plan.restrict(chosen)
    embedding = query.embedding
    pool = max(NEAR, NEAR_FACTOR * k)
    near = view.snapshot.nearest(embedding.signature, pool, embedding.identical_ids, plan.allowed)
    scorer = Scorer(view, plan.terms, [*plan.targets, target_of(view, embedding.signature, SEED_WEIGHT)])
    best = scorer.of(near.track_ids, len(near.track_ids)).track_ids
    cosines = dict(zip(near.track_ids.tolist(), near.cosines.tolist(), strict=True))
    kept = best[capped(view, best, k, filters.per_artist)].tolist()
    matches = matches_of(view, [Neighbour(i, cosines[i]) for i in kept])
    return query_result(view, query, matches=matches, understood=tuple(plan.understood), ignored=tuple(plan.ignored))


def drift_of(view: LibraryView, text: str, ids: Ids) -> Drift:
    """Return how well tracks with ids (N,) fit a description; those without tags get the least value.

    Raises:
        QueryError: Nothing in the text was understood, or it only names tracks or years.
    """
    plan = understand(view, text)
    if not plan.terms:
        raise InvalidError(f"expected a sound to drift towards, found {text!r}", hint='for example "ever calmer"')
    scored = Scorer(view, plan.terms, plan.targets).of(ids, len(ids))
    places = dict(zip(scored.track_ids.tolist(), scored.scores.tolist(), strict=True))
    least = min(places.values(), default=0.0)
    values = np.array([places.get(track_id, least) for track_id in ids.tolist()], np.float32)
    return Drift(values, tuple(plan.ignored))
