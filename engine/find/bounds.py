"""Upper bounds of the scores of all tracks of a large library, so that few must be scored.

Columns of rounded log-odds (`engine.search.tag_columns`) give for each track and tag an interval of z-scores. A term
grows or falls with each, so that a table of 256 numbers holds its bound for every code; looking a code up takes under a
nanosecond. Likeness to a target is in no column; it takes from a score and never adds, so that the bounds hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.find.reading import Term
from engine.find.term_scores import log_sigmoid, term_score
from engine.indexer.vectors.exact import contains
from engine.search.tag_columns import ColumnPart, TagColumns, edges
from engine.search.tag_scores import Floats, Ids, TagModel

SPARSE = 4  # where fewer than one track in so many may be returned, the others' bounds are not computed
SAMPLE = 16_384  # bounds from which the largest ones are estimated
STEPS, STEEPEST = 4_096, 32.0  # a table of log sigma for mixtures: steps of the z-scores from -STEEPEST to STEEPEST
BELOW = np.float32(-np.inf)

Places = NDArray[np.intp]


class Bounds:
    """Upper bounds of scores by terms.

    Args:
        columns: The library's.
        model: Its tags.
        terms: To score by.
        allowed: The only tracks that count, in any order; None for all.
        alone: Nothing is wanted: see `term_score`.

    Attributes:
        track_ids: (M,).
        values: Upper bounds (M,); minus infinity for tracks that do not count.
    """

    def __init__(
        self, columns: TagColumns, model: TagModel, terms: Sequence[Term], allowed: Ids | None, *, alone: bool
    ) -> None:
        self._model, self._terms, self._alone = model, terms, alone
        found = [self._of_part(part, allowed) for part in columns.parts]
        self.track_ids: Ids = np.concatenate([ids for ids, _ in found])
        self.values: Floats = np.concatenate([values for _, values in found])

    def largest(self, count: int) -> Places:
        """Return the places of the `count` largest bounds, or of fewer if fewer tracks count."""
        sample = self.values[:: max(1, len(self.values) // SAMPLE)]
        rank = 4 + 4 * count * len(sample) // max(1, len(self.values))
        places = self.from_(float(np.partition(sample, -rank)[-rank])) if rank < len(sample) else self.from_(-np.inf)
        if len(places) < count:
            places = self.from_(-np.inf)
        if len(places) > count:
            places = places[np.argpartition(self.values[places], -count)[-count:]]
        return places

    def from_(self, least: float) -> Places:
        """Return the places of the bounds that are `least` or more."""
        return np.flatnonzero((self.values >= least) & (self.values > BELOW))

    def _of_part(self, part: ColumnPart, allowed: Ids | None) -> tuple[Ids, Floats]:
        ids, passing = part.codes.track_ids, part.live
        if allowed is not None:
            passing = passing & contains(ids, allowed)
        few = np.count_nonzero(passing) * SPARSE < len(ids)
        rows = np.flatnonzero(passing) if few else None
        values = np.zeros(len(ids) if rows is None else len(rows), np.float32)
        for term in self._terms:
            values += self._of_term(part, term, rows)
        if rows is not None:
            return ids[rows], values
        if allowed is not None or not part.all_live:
            values[~passing] = BELOW
        return ids, values

    def _of_term(self, part: ColumnPart, term: Term, rows: Places | None) -> Floats:
        if term.weight < 0:
            parts = [
                self._look_up(part, tag, rows, term_score(self._edges(part, tag)[0], term.weight, alone=self._alone))
                for tag, share in term.tags
                if share > 0
            ]
            return np.minimum.reduce(parts)
        if len(term.tags) == 1:
            ((tag, _),) = term.tags
            upper = self._edges(part, tag)[1]
            return self._look_up(part, tag, rows, term_score(upper, term.weight, alone=self._alone))
        mixed: Floats = np.add.reduce(
            [self._look_up(part, tag, rows, share * self._edges(part, tag)[int(share > 0)]) for tag, share in term.tags]
        )
        return _bounded(mixed, term.weight)

    def _edges(self, part: ColumnPart, tag: str) -> tuple[Floats, Floats]:
        """Return the least and largest z-score (256,) of each code."""
        place = self._model.tags.index(tag)
        lower, upper = (
            (edge - self._model.mean[place]) / self._model.deviation[place] for edge in edges(part.codes, place)
        )
        return lower, upper

    def _look_up(self, part: ColumnPart, tag: str, rows: Places | None, table: Floats) -> Floats:
        codes = part.column(self._model.tags.index(tag))
        found: Floats = np.take(table.astype(np.float32), codes if rows is None else codes[rows])
        return found


def _bounded(z: Floats, weight: float) -> Floats:
    """Return an upper bound of `term_score` of a wanted mixture for z (M,), which is overwritten."""
    z += STEEPEST
    z *= STEPS / (2 * STEEPEST)
    np.clip(z, 0, STEPS - 1, out=z)
    upper = np.arange(1, STEPS + 1, dtype=np.float32) * (2 * STEEPEST / STEPS) - STEEPEST
    table = weight * log_sigmoid(upper)
    table[-1] = 0
    found: Floats = np.take(table.astype(np.float32), z.astype(np.uint16))
    return found
