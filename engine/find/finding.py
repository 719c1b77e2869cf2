"""Find tracks by a description: read it, plan, score, and answer with the tags that each track matched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from engine.db import tracks_by_ids
from engine.errors import InvalidError
from engine.find.embedding import near_phrase
from engine.find.names import NameLookup
from engine.find.parsing import read
from engine.find.plan import Plan, make_plan
from engine.find.results import FindResult, FoundByWords, MatchedTag
from engine.find.scoring import Scored, Scorer
from engine.search.answers import matches_of
from engine.search.filters import ArtistCap, Filters, passing
from engine.search.phrases import table_of
from engine.search.ranking import Neighbour
from engine.search.tag_scores import Ids, tag_model
from engine.session import LibraryView

CAP_FACTOR = 5  # how many times more tracks are scored when too many are of one artist
CARRIED = 0.5  # level above which a track counts as carrying a tag


def find(view: LibraryView, text: str, k: int, filters: Filters) -> FindResult:
    """Return the k tracks that fit a description best; see `Engine.find`."""
    if k < 1:
        raise InvalidError(f"expected k of 1 or more, found {k}", hint="ask for one track or more")
    plan = understand(view, text)
    chosen = _passing(view, filters)
    if chosen is not None:
        plan.restrict(chosen)
    ranked = _ranked(view, plan, k, filters.per_artist)
    return FindResult(text, tuple(plan.understood), tuple(plan.ignored), ranked)


def understand(view: LibraryView, text: str) -> Plan:
    """Return the plan for a description.

    Raises:
        QueryError: Nothing in the text was understood, or it is empty, too long or contradictory.
        LibraryError: The library has no signatures.
    """
    view.require_signatures()
    model = tag_model(view)
    with view.read() as connection:
        reading = read(text, table_of(model.tags), NameLookup(connection), near_phrase)
    plan = make_plan(view, reading)
    _check(text, plan, contradictory=bool(reading.terms))
    return plan


def _passing(view: LibraryView, filters: Filters) -> Ids | None:
    """Return `passing`, cached: successive descriptions often share filters, which cost more than the search."""
    last: dict[str, tuple[str, Ids | None]] = view.cached_tags("filters of the last description", dict)
    key, held = repr(filters), last.get("filters")
    if held is not None and held[0] == key:
        return held[1]
    found = passing(view, filters)
    last["filters"] = (key, found)
    return found


def _check(text: str, plan: Plan, *, contradictory: bool) -> None:
    """Raise InvalidError if nothing of a description is left to search for."""
    if plan.understood:
        return
    if contradictory:
        raise InvalidError(
            f"the words {', '.join(plan.ignored)!r} cancel each other out", hint="leave out one side of each"
        )
    words = ", ".join(plan.ignored) or " ".join(text.split())
    raise InvalidError(
        f"found nothing to search for in {words!r}",
        hint='describe the sound in English, for example "calm piano, no vocals"',
    )


def _ranked(view: LibraryView, plan: Plan, k: int, per_artist: int | None) -> tuple[FoundByWords, ...]:
    if not plan.terms and not plan.targets:
        return _listed(view, plan, k, per_artist)
    scorer, count = Scorer(view, plan.terms, plan.targets), k
    while True:
        scored = scorer.best(count, plan.allowed)
        kept = capped(view, scored.track_ids, k, per_artist)
        if len(kept) >= k or len(scored.track_ids) < count:
            break
        count *= CAP_FACTOR
    similarities = np.exp(scored.scores / scorer.total)
    found = [Neighbour(int(scored.track_ids[row]), float(similarities[row])) for row in kept]
    tags = {int(scored.track_ids[row]): _matched(scorer, scored, row) for row in kept}
    return _answers(view, found, tags)


def _listed(view: LibraryView, plan: Plan, k: int, per_artist: int | None) -> tuple[FoundByWords, ...]:
    """Return the tracks of a description of names and years only, in the order of their ids."""
    ids = view.snapshot.known(view.snapshot.ids if plan.allowed is None else plan.allowed)
    kept = ids[capped(view, ids, k, per_artist)]
    return _answers(view, [Neighbour(track_id, 1.0) for track_id in kept.tolist()], {})


def capped(view: LibraryView, ids: Ids, k: int, per_artist: int | None) -> list[int]:
    """Return the first k places that stay within the limit of tracks per artist."""
    if per_artist is None:
        return list(range(min(k, len(ids))))
    with view.read() as connection:
        tracks = tracks_by_ids(connection, ids.tolist())
    cap = ArtistCap(per_artist)
    return [place for place, track_id in enumerate(ids.tolist()) if cap.takes(tracks.get(track_id))][:k]


def _matched(scorer: Scorer, scored: Scored, row: int) -> tuple[MatchedTag, ...]:
    """Return the wanted tags that a track carries, the strongest first."""
    wanted = {tag for term in scorer.terms for tag, share in term.tags if term.weight * share > 0 and term.weight > 0}
    found = []
    for place, tag in enumerate(scorer.tags):
        z = float(scored.levels[row, place])
        level = 0.5 * (1 + math.erf(z / math.sqrt(2)))  # the share of a normal distribution below z
        if tag in wanted and level > CARRIED:
            found.append(MatchedTag(tag, scorer.probability(tag, z), level))
    return tuple(sorted(found, key=lambda match: (-match.level, match.tag)))


def _answers(
    view: LibraryView, found: Sequence[Neighbour], tags: Mapping[int, tuple[MatchedTag, ...]]
) -> tuple[FoundByWords, ...]:
    matches = matches_of(view, found)
    return tuple(FoundByWords(**vars(match), tags=tags.get(match.track_id, ())) for match in matches)
