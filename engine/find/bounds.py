"""Upper bounds on the scores of all tracks of a large library, so that only a few need exact scores.

Columns of rounded log-odds (`engine.search.tag_columns`) give an interval of z-scores for each track and tag. A term is
monotonic in each z-score, so a table of 256 numbers holds its bound for every code; a lookup takes under a nanosecond.
Every term's contribution is at most 0: the sum of some terms' bounds is itself a bound, and a track whose sum is below
the required score is dropped before the next column is read. The terms that lower the scores most are read first.
Similarity to a target has no column; its contribution is at most 0 as well, so the bounds hold without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.find.reading import Term
from engine.find.term_scores import log_sigmoid, term_score
from engine.indexer.vectors.exact import contains
from engine.search.tag_columns import ColumnPart, TagColumns, edges
from engine.search.tag_scores import Floats, Ids, TagModel

SAMPLE = 32_768  # tracks
SHRUNK = 0.7  # share of the tracks below which the others are dropped before the next column
BLOCK = 65_536  # tracks whose bounds are computed at once, in the processor's cache
STEPS, STEEPEST = 4_096, 32.0  # a table of log sigma for mixtures: steps of the z-scores from -STEEPEST to STEEPEST

Places = NDArray[np.intp]

LOG_SIGMOIDS = log_sigmoid(np.arange(1, STEPS + 1, dtype=np.float32) * (2 * STEEPEST / STEPS) - STEEPEST)  # upper edges
LOG_SIGMOIDS[-1] = 0  # and all above


@dataclass(frozen=True, eq=False)
class Bounded:
    """M tracks: ids (M,), and upper bounds of their scores (M,)."""

    track_ids: Ids
    values: Floats

    def largest(self, count: int) -> Ids:
        """Return the ids of the tracks with the `count` largest bounds, in any order."""
        if len(self.values) <= count:
            return self.track_ids
        return self.track_ids[np.argpartition(self.values, -count)[-count:]]

    def from_(self, least: float) -> Ids:
        """Return the ids of the tracks whose bounds are `least` or more."""
        return self.track_ids[self.values >= least]


class Bounds:
    """Upper bounds of scores by terms.

    Args:
        columns: The library's.
        model: Its tags.
        terms: To score by.
        allowed: Ids of the only candidates, in any order; None for all.
        alone: No term or target is wanted; see `term_score`.
    """

    def __init__(
        self, columns: TagColumns, model: TagModel, terms: Sequence[Term], allowed: Ids | None, *, alone: bool
    ) -> None:
        self._parts = [
            _Part(part.codes.track_ids, _passing(part, allowed), [_bound(part, model, term, alone) for term in terms])
            for part in columns.parts
        ]
        self._order = list(range(len(terms)))

    def sample(self) -> Bounded:
        """Return the bounds of about SAMPLE evenly spaced tracks; sort the terms by mean bound per column."""
        taken, found = np.zeros(len(self._order)), []
        for part in self._parts:
            some = part.rows[:: max(1, len(part.rows) // SAMPLE)]
            values = np.zeros(len(some), np.float32)
            for place, term in enumerate(part.terms):
                own = term.of(some)
                taken[place] += own.sum() / len(term.columns)
                values += own
            found.append(Bounded(part.track_ids[some], values))
        self._order = np.argsort(taken).tolist()
        return _joined(found)

    def at_least(self, least: float) -> Bounded:
        """Return all tracks whose bounds are `least` or more."""
        found = [Bounded(np.zeros(0, np.int64), np.zeros(0, np.float32))]
        for part in self._parts:
            for start in range(0, len(part.rows), BLOCK):
                rows, values = self._of_block(part, start, least)
                found.append(Bounded(part.track_ids[rows], values))
        return _joined(found)

    def _of_block(self, part: _Part, start: int, least: float) -> tuple[Places, Floats]:
        rows = part.rows[start : start + BLOCK]
        values = np.zeros(len(rows), np.float32)
        for place in self._order:
            values += part.terms[place].of(rows)
            kept = np.flatnonzero(values >= least)
            if len(kept) < SHRUNK * len(values):
                rows, values = rows[kept], values[kept]
        return rows, values


@dataclass(frozen=True, eq=False)
class _TermBound:
    """The bound of one term: for each of its tags a column and a table (256,) that maps codes to values.

    Attributes:
        weight: Of a wanted mixture, whose tables hold z-scores to sum; None if they hold bounds, of which the least
            is used.
    """

    columns: list[NDArray[np.uint8]]
    tables: list[Floats]
    weight: float | None

    def of(self, rows: Places) -> Floats:
        """Return the bounds (M,) of some rows."""
        first, *rest = (np.take(table, column[rows]) for column, table in zip(self.columns, self.tables, strict=True))
        found: Floats = first
        for values in rest:
            if self.weight is None:
                np.minimum(found, values, out=found)
            else:
                found += values
        return found if self.weight is None else _of_mixture(found, self.weight)


@dataclass(frozen=True, eq=False)
class _Part:
    """Track ids (P,), the candidate rows, and the bounds of all terms."""

    track_ids: Ids
    rows: Places
    terms: list[_TermBound]


def _bound(part: ColumnPart, model: TagModel, term: Term, alone: bool) -> _TermBound:
    mixed = term.weight > 0 and len(term.tags) > 1
    columns, tables = [], []
    for tag, share in term.tags:
        if term.weight < 0 and share < 0:
            continue
        place = model.tags.index(tag)
        upper = (term.weight > 0) == (share > 0)
        edge = edges(part.codes, place)[int(upper)]
        z = ((edge - model.mean[place]) / model.deviation[place]).astype(np.float32)
        columns.append(part.column(place))
        tables.append(share * z if mixed else term_score(z, term.weight, alone=alone).astype(np.float32))
    return _TermBound(columns, tables, term.weight if mixed else None)


def _passing(part: ColumnPart, allowed: Ids | None) -> Places:
    """Return the rows of the candidates."""
    if allowed is None:
        return part.live_rows
    return np.flatnonzero(part.live & contains(part.codes.track_ids, allowed))


def _joined(parts: Sequence[Bounded]) -> Bounded:
    return Bounded(np.concatenate([part.track_ids for part in parts]), np.concatenate([part.values for part in parts]))


def _of_mixture(z: Floats, weight: float) -> Floats:
    """Return an upper bound of `term_score` of a wanted mixture for z (M,), which is overwritten."""
    z += STEEPEST
    z *= STEPS / (2 * STEEPEST)
    np.clip(z, 0, STEPS - 1, out=z)
    found: Floats = np.take(np.float32(weight) * LOG_SIGMOIDS, z.astype(np.uint16))
    return found
