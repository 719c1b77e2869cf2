"""How well tracks fit the terms of a description.

A term is a mixture of tags with weight w. With z the mixture of its tags' z-scores (`engine.search.tag_scores`):

    a wanted term adds       w log sigma(z),      sigma the logistic function: every wanted term must hold
    an unwanted one takes    |w| max(0, z - 1),   z the largest of its tags': only what stands out is unwanted

On the AllMusic moods and genres of 104 valid clips of 4QAED, average precision of pairs that must both hold is 0.204
for this sum, 0.200 for the sum of z, 0.201 for that of log p, 0.183 for that of p (chance 0.025); of one label
without another 0.261 where the first alone has 0.256 and a linear subtraction 0.187 to 0.247
(`scripts/studies/words.py`). A description of unwanted terms only ranks by -z.

Up to EXACT_UP_TO tracks all are scored. Beyond, log sigma is replaced by its slope: the score is then linear in the
log-odds, and these in r s (norm times signature), so that the tracks of largest score lie near one direction

    v = sum_terms w' sum_tags a_t w_t / deviation_t,      w' = w, halved for unwanted terms

and the vector index names the POOL nearest to v, which are scored exactly. No second index is stored.
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
POOL, POOL_FACTOR = 500, 10  # candidates beyond that: at least so many, and so many for each track of the answer
UNWANTED_FROM = 1.0  # z-score above which an unwanted tag counts
UNWANTED_SLOPE = 0.5  # of an unwanted term in the direction
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
            return self.of(known, count, all_norms(self.view).of(known) if len(known) > POOL else None)
        pool = max(POOL, POOL_FACTOR * count)
        near = snapshot.nearest(self._direction(), pool, (), known)
        return self.of(near.track_ids, count)

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
        ids, signatures, norms = ids[tagged], signatures[tagged], norms[tagged]
        levels = self._model.levels(signatures, norms, self._positions)
        scores = np.zeros(len(ids), np.float32)
        wanted = max(self._weights) > 0
        for term, mixture in zip(self.terms, self._mixtures, strict=True):
            if term.weight > 0:
                scores += term.weight * _log_sigmoid(levels @ mixture)
            elif wanted:
                scores += term.weight * np.maximum(0, levels[:, mixture > 0].max(axis=1) - UNWANTED_FROM)
            else:
                scores -= term.weight * _log_sigmoid(-levels[:, mixture > 0].max(axis=1))
        for target in self.targets:
            near = (signatures @ target.direction - target.mean) / target.deviation
            scores += abs(target.weight) * _log_sigmoid(near if target.weight > 0 else -near)
        return Scored(ids, scores, levels)

    def _direction(self) -> Floats:
        weights = np.array([t.weight if t.weight > 0 else t.weight * UNWANTED_SLOPE for t in self.terms], np.float32)
        slopes = self._model.head.weight[self._positions] / self._model.deviation[self._positions, None]
        towards = (weights @ self._mixtures) @ slopes if len(weights) else np.zeros(slopes.shape[1], np.float32)
        scale = float(np.linalg.norm(slopes, axis=1).mean()) if len(slopes) else 1.0
        towards = towards + sum(scale * target.weight * target.direction for target in self.targets)
        unit: Floats = (towards / max(float(np.linalg.norm(towards)), ROOM)).astype(np.float32)
        return unit


def _log_sigmoid(z: Floats) -> Floats:
    """Return log(1 / (1 + exp(-z)))."""
    found: Floats = -np.logaddexp(np.float32(0), -z)
    return found
