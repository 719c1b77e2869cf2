"""How well tracks fit the terms of a description.

A term is a mixture of tags with weight w. With z the mixture of its tags' z-scores (`engine.search.tag_scores`):

    a wanted term adds       w log sigma(z),      sigma the logistic function: every wanted term must hold
    an unwanted one takes    |w| max(0, z - 1.5) / 4,   z the largest of its tags': only what stands out is unwanted

On the AllMusic moods and genres of 104 valid clips of 4QAED, average precision of pairs that must both hold is 0.204
for this sum, 0.200 for the sum of z, 0.201 for that of log p, 0.183 for that of p (chance 0.025). Of one label without
another it is 0.258, where the first alone has 0.256; without the threshold it is 0.183, since labels go together
(`scripts/descriptions.py`). A description of unwanted terms only ranks by -z.

Up to EXACT_UP_TO tracks all are scored. Beyond, the vector index names candidates: with log sigma replaced by its slope
g at some z, the score is linear in the log-odds and so in r s (norm times signature), so that the tracks of largest
score lie near the direction

    v = sum_terms g sum_tags a_t w_t / deviation_t,      g = w at first

The NEAR tracks nearest to v, scored with the library's median norm, give other z and so another g and v; the last round
takes the mean signature of the best instead. Of all rounds' tracks the KEPT best are scored with their own norms. No
second index is stored. Against the exact answer in a library of 100,000, 10 descriptions lose 0.02 of their score on
average, and 0.55 of the twenty best tracks are the same (`scripts/bench/find.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.find.parsing import Term
from engine.search.tag_scores import Floats, Ids, TagModel, all_norms, norms_of, tag_model
from engine.session import LibraryView

EXACT_UP_TO = 100_000
ROUNDS = 3  # searches of the vector index
NEAR, NEAR_FACTOR = 300, 5  # tracks of a round: at least so many, and so many for each track of the answer
KEPT, KEPT_FACTOR = 400, 5  # candidates that are scored exactly
BEST = 20  # candidates that steer the next round
UNWANTED_FROM, UNWANTED_SLOPE = 1.5, 0.25  # z-score above which an unwanted tag counts, and how much
ROOM = 1e-9


@dataclass(frozen=True, eq=False)
class Target:
    """Something to sound like, beside the terms.

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
        self._mixtures = np.zeros((len(self.terms), len(self.tags)), np.float32)
        for row, term in enumerate(self.terms):
            for tag, share in term.tags:
                self._mixtures[row, self.tags.index(tag)] = share

    @property
    def total(self) -> float:
        """The sum of the weights that a score is made of: the divisor that makes scores of descriptions comparable."""
        wanted = [weight for weight in self._weights if weight > 0]
        return sum(wanted) or -sum(self._weights)

    def probability(self, tag: str, z: float) -> float:
        """Return the probability that belongs to a z-score of a tag."""
        place = self._model.tags.index(tag)
        logit = z * float(self._model.deviation[place]) + float(self._model.mean[place])
        return 0.5 * math.tanh(0.5 * logit) + 0.5

    def best(self, count: int, allowed: Ids | None = None) -> Scored:
        """Return the `count` tracks with the largest scores, or fewer if fewer are there; exact up to EXACT_UP_TO.

        Args:
            count: Tracks wanted.
            allowed: The only tracks that may be returned, in any order; None for all.
        """
        snapshot = self.view.snapshot
        if allowed is None and snapshot.count <= EXACT_UP_TO:
            return self._of_all(count)
        known = None if allowed is None else snapshot.known(allowed)
        if known is not None and len(known) <= EXACT_UP_TO:
            return self.of(known, count, all_norms(self.view).of(known) if len(known) > KEPT else None)
        return self.of(self._candidates(count, known), count)

    def of(self, ids: Ids, count: int, norms: Floats | None = None) -> Scored:
        """Return the best `count` of tracks with ids (M,) that have signatures; those without tags are left out."""
        signatures = self.view.snapshot.take(ids)
        return self._score(ids, signatures, norms_of(self.view, ids, signatures) if norms is None else norms).top(count)

    def _of_all(self, count: int) -> Scored:
        norms = all_norms(self.view)
        parts = [
            self._score(batch.ids, batch.signatures, norms.of(batch.ids)).top(count)
            for batch in self.view.snapshot.batches()
        ]
        ids, scores, levels = ([getattr(part, name) for part in parts] for name in ("track_ids", "scores", "levels"))
        return Scored(np.concatenate(ids), np.concatenate(scores), np.concatenate(levels)).top(count)

    def _score(self, ids: Ids, signatures: Floats, norms: Floats) -> Scored:
        tagged = np.isfinite(norms)
        if not tagged.all():  # a copy of 100,000 signatures takes as long as the rest
            ids, signatures, norms = ids[tagged], signatures[tagged], norms[tagged]
        levels = self._model.levels(signatures, norms, self._positions)
        scores = np.zeros(len(ids), np.float32)
        wanted = max(self._weights) > 0
        for term, mixture in zip(self.terms, self._mixtures, strict=True):
            if term.weight > 0:
                scores += term.weight * _log_sigmoid(levels @ mixture)
            elif wanted:
                scores += (
                    term.weight * UNWANTED_SLOPE * np.maximum(0, levels[:, mixture > 0].max(axis=1) - UNWANTED_FROM)
                )
            else:
                scores -= term.weight * _log_sigmoid(-levels[:, mixture > 0].max(axis=1))
        for target in self.targets:
            near = (signatures @ target.direction - target.mean) / target.deviation
            scores += abs(target.weight) * _log_sigmoid(near if target.weight > 0 else -near)
        return Scored(ids, scores, levels)

    def _candidates(self, count: int, allowed: Ids | None) -> Ids:
        """Return the ids of tracks among which the best `count` probably are."""
        snapshot, near, kept = self.view.snapshot, max(NEAR, NEAR_FACTOR * count), max(KEPT, KEPT_FACTOR * count)
        direction = self._direction(self._slopes(np.zeros(len(self.terms), np.float32), first=True))
        ids, signatures = np.zeros(0, np.int64), np.zeros((0, snapshot.dimensions), np.float32)
        for left in reversed(range(ROUNDS)):
            found = snapshot.nearest(direction, near, (), allowed)
            new = ~np.isin(found.track_ids, ids)
            ids, signatures = np.append(ids, found.track_ids[new]), np.append(signatures, found.signatures[new], axis=0)
            scored = self._score(ids, signatures, np.full(len(ids), self._model.norm, np.float32))
            best = np.argsort(-scored.scores)[:BEST]
            if left == 1:
                direction = _unit(signatures[best].mean(axis=0))
            elif left:
                direction = self._direction(self._slopes((scored.levels[best] @ self._mixtures.T).mean(axis=0)))
        return ids[np.argsort(-scored.scores)[:kept]]

    def _slopes(self, z: Floats, *, first: bool = False) -> Floats:
        """Return the derivative (terms,) of the score by the z-score of each term; at first, of wanted ones only."""
        weights = np.array([term.weight for term in self.terms], np.float32)
        if max(self._weights) < 0:
            return weights
        falling: Floats = np.where(z > UNWANTED_FROM, UNWANTED_SLOPE * weights, 0)
        return np.where(weights > 0, weights if first else weights / (1 + np.exp(z)), falling).astype(np.float32)

    def _direction(self, slopes: Floats) -> Floats:
        """Return the unit vector (D,) along which the score grows fastest, from slopes by term."""
        by_tag = self._model.head.weight[self._positions] / self._model.deviation[self._positions, None]  # (T, D)
        towards = (slopes @ self._mixtures) @ by_tag
        scale = float(np.linalg.norm(by_tag, axis=1).mean()) if len(by_tag) else 1.0
        return _unit(towards + sum(scale * target.weight * target.direction for target in self.targets))


def _unit(vector: Floats) -> Floats:
    unit: Floats = (vector / max(float(np.linalg.norm(vector)), ROOM)).astype(np.float32)
    return unit


def _log_sigmoid(z: Floats) -> Floats:
    """Return log(1 / (1 + exp(-z)))."""
    found: Floats = -np.logaddexp(np.float32(0), -z)
    return found
