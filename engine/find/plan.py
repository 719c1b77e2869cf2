"""Turn a reading into a plan: scoring terms, candidate tracks, and the words understood and ignored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from engine.db import any_measured, tracks_by_names
from engine.find.names import titled
from engine.find.reading import Condition, Name, Reading, Term
from engine.find.scoring import Target
from engine.search.filters import Filters, passing
from engine.search.results import UnderstoodWords
from engine.search.tag_scores import Floats, Ids
from engine.session import LibraryView
from engine.util.sampling import drawn

DECADE_TAGS = {1960: "60s", 1970: "70s", 1980: "80s", 1990: "90s", 2000: "00s"}  # of the sound, by MusiCNN
SAMPLE = 1_000  # tracks whose cosines are typical
LEAST_DEVIATION = 0.02  # of cosines
CANCELLED = 1e-6  # weight below which a term cancels out


@dataclass
class Plan:
    """A search plan for a description.

    Attributes:
        terms, targets: To score by.
        allowed: Ids of the only candidates, ascending; None for all.
        any_of: Ids of the tracks of each wanted year, tempo, artist and so on, by kind, until `settle` is called.
        understood, ignored: For the user.
    """

    terms: tuple[Term, ...] = ()
    targets: list[Target] = field(default_factory=list)
    allowed: Ids | None = None
    any_of: defaultdict[str, list[Ids]] = field(default_factory=lambda: defaultdict(list))
    understood: list[UnderstoodWords] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def restrict(self, ids: Ids) -> None:
        """Choose from these tracks only."""
        self.allowed = ids if self.allowed is None else np.intersect1d(self.allowed, ids)

    def settle(self) -> None:
        """Restrict to the tracks that are any of each wanted kind: by one of two artists, from one of two years."""
        for found in self.any_of.values():
            self.restrict(found[0] if len(found) == 1 else np.unique(np.concatenate(found)))
        self.any_of.clear()


def make_plan(view: LibraryView, reading: Reading) -> Plan:
    """Return the plan for a reading: contradictions cancel, years and tempi become conditions where they are known."""
    plan = Plan(ignored=list(reading.ignored))
    terms = list(reading.terms)
    years = [condition for condition in reading.conditions if condition.kind == "year"]
    terms += _by_year(view, plan, years)
    for condition in reading.conditions:
        if condition.kind == "tempo":
            _by_tempo(view, plan, condition)
    for name in reading.names:
        _by_name(view, plan, name)
    plan.settle()
    plan.terms, cancelled = _merged(terms)
    plan.ignored += cancelled
    plan.understood = [*_of_terms(plan.terms), *plan.understood]
    return plan


def _merged(terms: list[Term]) -> tuple[tuple[Term, ...], list[str]]:
    """Return terms with one entry for each mixture, and the words of those that cancel out ("loud, not loud").

    A repetition counts once, by its larger weight.
    """
    merged: dict[object, Term] = {}
    for term in terms:
        there = merged.get(term.tags)
        if there is None:
            merged[term.tags] = term
        else:
            weights = (there.weight, term.weight)
            weight = max(weights, key=abs) if min(weights) > 0 or max(weights) < 0 else sum(weights)
            merged[term.tags] = replace(there, words=f"{there.words}, {term.words}", weight=weight)
    kept = tuple(term for term in merged.values() if abs(term.weight) > CANCELLED)
    return kept, [term.words for term in merged.values() if abs(term.weight) <= CANCELLED]


def _of_terms(terms: tuple[Term, ...]) -> Iterator[UnderstoodWords]:
    for term in terms:
        for tag, share in term.tags:
            if term.weight > 0 or share > 0:  # of an unwanted mixture only the tags in its favour count
                yield UnderstoodWords(term.words, tag, round(term.weight * share, 3))


def _by_year(view: LibraryView, plan: Plan, conditions: list[Condition]) -> list[Term]:
    """Restrict to any of several years; return terms for the decades that no year tag covers."""
    terms = []
    for condition in conditions:
        ids = _of_years(view, condition.first, condition.last)
        tag = DECADE_TAGS.get(int(condition.first)) if condition.last > condition.first else None
        if len(ids):
            if condition.wanted:
                plan.any_of["year"].append(ids)
            else:
                plan.restrict(np.setdiff1d(view.snapshot.ids, ids))
            span = f"{condition.first:g}" + (f"-{condition.last:g}" if condition.last > condition.first else "")
            plan.understood.append(UnderstoodWords(condition.words, f"year {span}", 1.0 if condition.wanted else -1.0))
        elif tag in view.file.words:
            terms.append(Term(condition.words, ((str(tag), 1.0),), 1.0 if condition.wanted else -1.0))
        else:
            plan.ignored.append(condition.words)
    return terms


def _of_years(view: LibraryView, first: float, last: float) -> Ids:
    """Return the ids of the tracks of these years, ascending; cached, since the database query is slow."""
    found = view.cached_tags(f"years {first:g}-{last:g}", lambda: passing(view, Filters(years=(first, last))))
    return np.zeros(0, np.int64) if found is None else found


def _by_tempo(view: LibraryView, plan: Plan, condition: Condition) -> None:
    """Restrict to a tempo, if any track was measured."""
    with view.read() as connection:
        measured = any_measured(connection)
    if not measured:
        plan.ignored.append(condition.words)
        return
    ids = passing(view, Filters(tempos=(condition.first, condition.last)))
    if ids is not None and condition.wanted:
        plan.any_of["tempo"].append(ids)
    elif ids is not None:
        plan.restrict(np.setdiff1d(view.snapshot.ids, ids))
    tag = f"tempo {condition.first:g}-{condition.last:g}"
    plan.understood.append(UnderstoodWords(condition.words, tag, 1.0 if condition.wanted else -1.0))


def _by_name(view: LibraryView, plan: Plan, name: Name) -> None:
    """Restrict to the tracks of a name, or to all others; with "like", make them a target instead."""
    ids = _named(view, name)
    kind, wanted = "like" if name.like else name.kind, name.weight > 0
    if name.like:
        target = _target(view, ids, name.weight)
        if target is None:
            plan.ignored.append(name.words)
            return
        plan.targets.append(target)
        plan.restrict(np.setdiff1d(view.snapshot.ids, ids))
    elif wanted:
        plan.any_of[name.kind].append(ids)
    else:
        plan.restrict(np.setdiff1d(view.snapshot.ids, ids))
    plan.understood += [UnderstoodWords(name.words, f"{kind} {value}", round(name.weight, 3)) for value in name.values]


def _named(view: LibraryView, name: Name) -> Ids:
    if name.kind == "genre":
        ids = passing(view, Filters(genres=name.values))
        return np.zeros(0, np.int64) if ids is None else ids
    with view.read() as connection:
        if name.kind == "title":
            return np.array(titled(connection, name.values), np.int64)
        return np.array([track.id for track in tracks_by_names(connection, "artist", name.values)], np.int64)


def _target(view: LibraryView, ids: Ids, weight: float) -> Target | None:
    """Return the mean signature of some tracks as a target; None if none has a signature."""
    snapshot = view.snapshot
    known = drawn(snapshot.known(ids), SAMPLE)
    if not len(known):
        return None
    return target_of(view, snapshot.take(known).mean(axis=0), weight)


def target_of(view: LibraryView, vector: Floats, weight: float) -> Target:
    """Return a vector (D,) as a target, with the mean and deviation of typical cosines to it."""
    snapshot = view.snapshot
    unit = (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
    cosines = snapshot.scores(unit, drawn(snapshot.known(snapshot.ids), SAMPLE))
    return Target(unit, float(cosines.mean()), max(float(cosines.std()), LEAST_DEVIATION), weight)
