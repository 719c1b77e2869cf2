"""How well tracks fit the terms of a description: the sum of `engine.find.term_scores`, and of nearness to targets.

Up to COLUMNS_FROM tracks, all are scored. In larger libraries bounds (`engine.find.bounds`) limit the candidates: if T
is the k-th best score of some tracks, only tracks with a bound of T or more can be among the k best (the threshold
algorithm, Fagin et al. 2003). T comes from the best of a sample first, then from the tracks with the largest bounds;
the rest at T or above are scored last. The result equals that of scoring all tracks. Where targets make the bounds
loose, the tracks nearest to them are scored first as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.find.bounds import Bounds
from engine.find.reading import Term
from engine.find.term_scores import log_sigmoid, term_score
from engine.indexer.vectors.store import BATCH_ROWS
from engine.search.tag_columns import COLUMNS_FROM, tag_columns
from engine.search.tag_scores import Floats, Ids, TagModel, all_norms, norms_of, tag_model
from engine.session import LibraryView

FIRST, FIRST_FACTOR = 64, 4  # tracks scored first: at least so many, and so many for each track of the answer
DIRECT = 2_000  # allowed tracks that are scored without bounds
FEW = 400  # tracks whose norms are read one by one
ROUNDING = 1e-3  # of a score


@dataclass(frozen=True, eq=False)
class Target:
    """A direction of signatures to score similarity to, in addition to the terms.

    Attributes:
        direction: Unit vector (D,).
        mean, deviation: Of the cosines of typical tracks of the library to it.
        weight: As a term's.
    """

    direction: Floats
    mean: float
    deviation: float
    weight: float


@dataclass(frozen=True, eq=False)
class Scored:
    """M tracks: ids (M,), scores (M,), and z-scores (M, T) of the tags of `Scorer.tags`."""

    track_ids: Ids
    scores: Floats
    levels: Floats

    def top(self, count: int) -> Scored:
        """Return the `count` best, best first, ties by id."""
        kept = np.arange(len(self.scores))
        if count < len(kept):
            kept = np.flatnonzero(self.scores >= np.partition(self.scores, -count)[-count])
        order = kept[np.lexsort((self.track_ids[kept], -self.scores[kept]))][:count]
        return Scored(self.track_ids[order], self.scores[order], self.levels[order])


class Scorer:
    """Scores tracks for the terms of one description.

    Attributes:
        tags: The T tags that occur in the terms.
    """

    def __init__(self, view: LibraryView, terms: Sequence[Term], targets: Sequence[Target] = ()) -> None:
        self.view, self.terms, self.targets = view, tuple(terms), tuple(targets)
        self.tags = tuple(dict.fromkeys(tag for term in terms for tag, _ in term.tags))
        self._model: TagModel = tag_model(view)
        self._positions = self._model.positions(self.tags)
        self._weights = [*(term.weight for term in self.terms), *(target.weight for target in self.targets)]
        self._alone = max(self._weights, default=0) <= 0
        self._mixtures = np.zeros((len(self.terms), len(self.tags)), np.float32)
        for row, term in enumerate(self.terms):
            for tag, share in term.tags:
                self._mixtures[row, self.tags.index(tag)] = share

    @property
    def total(self) -> float:
        """The sum of the weights in a score; dividing by it makes scores of different descriptions comparable."""
        wanted = [weight for weight in self._weights if weight > 0]
        return sum(wanted) or -sum(self._weights)

    def probability(self, tag: str, z: float) -> float:
        """Return the probability that corresponds to a z-score of a tag."""
        place = self._model.tags.index(tag)
        logit = z * float(self._model.deviation[place]) + float(self._model.mean[place])
        return 0.5 * math.tanh(0.5 * logit) + 0.5

    def best(self, count: int, allowed: Ids | None = None) -> Scored:
        """Return the `count` tracks with the largest scores; fewer if there are fewer.

        Args:
            count: Tracks wanted.
            allowed: The only tracks that may be returned, in any order; None for all.
        """
        snapshot = self.view.snapshot
        if snapshot.count > COLUMNS_FROM and (allowed is None or len(allowed) > DIRECT):
            return self._by_bounds(count, allowed)
        if allowed is None:
            return self._of_all(count)
        known = snapshot.known(allowed)
        return self.of(known, count, None if len(known) <= FEW else self._norms(known))

    def of(self, ids: Ids, count: int, norms: Floats | None = None) -> Scored:
        """Return the best `count` of tracks with ids (M,) that have signatures; those without tags are left out."""
        signatures = self.view.snapshot.take(ids)
        return self._score(ids, signatures, norms_of(self.view, ids, signatures) if norms is None else norms).top(count)

    def _of_all(self, count: int) -> Scored:
        parts = [
            self._score(batch.ids, batch.signatures, self._norms(batch.ids)).top(count)
            for batch in self.view.snapshot.batches()
        ]
        return _joined(parts).top(count)

    def _norms(self, ids: Ids) -> Floats:
        """Return the norms (M,) of tracks; NaN for those without tags."""
        if self.view.snapshot.count > COLUMNS_FROM:
            return tag_columns(self.view).norms(ids)
        return all_norms(self.view).of(ids)

    def _by_bounds(self, count: int, allowed: Ids | None) -> Scored:
        """Return the same as `_of_all`, with the help of bounds."""
        if not self.terms and len(self.targets) == 1 and self.targets[0].weight > 0:
            near = self.view.snapshot.nearest(self.targets[0].direction, count, (), allowed).track_ids
            return self._of_known(near, count)
        bounds = Bounds(tag_columns(self.view), self._model, self.terms, allowed, alone=self._alone)
        first = max(FIRST, FIRST_FACTOR * count)
        ids = [bounds.sample().largest(first)]
        for target in self.targets:
            ids.append(self.view.snapshot.nearest(target.direction, first, (), allowed).track_ids)
        scored = self._of_known(np.unique(np.concatenate(ids)), count)
        bounded = bounds.at_least(_last(scored, count))
        ids.append(bounded.largest(first))
        scored = self._of_known(np.unique(np.concatenate(ids)), count)
        rest = np.setdiff1d(bounded.from_(_last(scored, count)), np.concatenate(ids))
        parts = [self._of_known(rest[at : at + BATCH_ROWS], count) for at in range(0, len(rest), BATCH_ROWS)]
        return _joined([scored, *parts]).top(count)

    def _of_known(self, ids: Ids, count: int) -> Scored:
        known = self.view.snapshot.known(ids)  # columns may know a track that was added since
        return self.of(known, count, self._norms(known))

    def _score(self, ids: Ids, signatures: Floats, norms: Floats) -> Scored:
        tagged = np.isfinite(norms)
        if not tagged.all():  # a copy of 100,000 signatures takes as long as the rest
            ids, signatures, norms = ids[tagged], signatures[tagged], norms[tagged]
        levels = self._model.levels(signatures, norms, self._positions)
        scores = np.zeros(len(ids), np.float32)
        for term, mixture in zip(self.terms, self._mixtures, strict=True):
            z = levels @ mixture if term.weight > 0 else levels[:, mixture > 0].max(axis=1)
            scores += term_score(z, term.weight, alone=self._alone)
        for target in self.targets:
            near = (signatures @ target.direction - target.mean) / target.deviation
            scores += abs(target.weight) * log_sigmoid(near if target.weight > 0 else -near)
        return Scored(ids, scores, levels)


def _last(scored: Scored, count: int) -> float:
    """Return a lower bound on the `count`-th best score, from the tracks scored so far."""
    return float(scored.scores[-1]) - ROUNDING if len(scored.scores) == count else -math.inf


def _joined(parts: Sequence[Scored]) -> Scored:
    ids, scores, levels = ([getattr(part, name) for part in parts] for name in ("track_ids", "scores", "levels"))
    return Scored(np.concatenate(ids), np.concatenate(scores), np.concatenate(levels))
