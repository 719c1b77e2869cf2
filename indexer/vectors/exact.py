"""Exact parts of every search: sets of ids, cosines, and the k best of some candidates."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from engine.indexer.vectors.store import Floats, Ids, Nearest

SORT_ALL = 4  # up to SORT_ALL * k candidates, skip the partial sort
ROUNDING = 2e-6  # largest difference between two float32 computations of a cosine
SAMPLE = 16_384  # scores from which the k-th largest of many is estimated
SPARSE = 16  # largest id per number of ids for which a lookup table costs less than sorting


def as_sorted(ids: Collection[int] | Ids) -> Ids:
    """Return ids sorted and unique; an array that already is both is returned itself."""
    listed = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64, len(ids))
    return listed if (np.diff(listed) > 0).all() else np.unique(listed)


def contains(sorted_ids: Ids, wanted: Ids) -> NDArray[np.bool_]:
    """Return a mask (N,) of the sorted ids (N,) that are wanted; uses a lookup table where ids have few gaps."""
    last = int(sorted_ids[-1]) if len(sorted_ids) else 0
    if last > SPARSE * len(sorted_ids):
        return np.isin(sorted_ids, wanted)
    table = np.zeros(last + 1, bool)
    table[wanted[(wanted >= 0) & (wanted <= last)]] = True
    return table[sorted_ids]


def positions(sorted_ids: Ids, wanted: Ids) -> NDArray[np.intp]:
    """Return the positions (M,) of wanted ids (M,) in the sorted ids, -1 for those that are missing."""
    if not len(sorted_ids):
        return np.full(len(wanted), -1, np.intp)
    found = np.minimum(np.searchsorted(sorted_ids, wanted), len(sorted_ids) - 1)
    return np.where(sorted_ids[found] == wanted, found, -1)


def cosines(signatures: Floats, query: Floats) -> Floats:
    """Return cosines (M,) of unit rows (M, D) to a unit vector (D,), on one thread.

    A BLAS product wakes threads for it, and its last bits depend on M.
    """
    if not len(signatures):
        return np.zeros(0, np.float32)  # D is 0 in a store that never held a signature
    found: Floats = np.einsum("nd,d->n", signatures, query)
    return found


def shortlist(scores: Floats, k: int) -> NDArray[np.intp]:
    """Return indices (M,) of the k largest of scores (N,), of all that might tie with them, or of all if N is small."""
    if len(scores) <= SORT_ALL * k:
        return np.arange(len(scores))
    low = _low_limit(scores, k)
    rows = np.flatnonzero(scores >= low - ROUNDING)
    if np.count_nonzero(scores[rows] >= low) < k:  # an unlucky sample
        rows = np.arange(len(scores))
    found = scores[rows]
    return rows[found >= np.partition(found, len(found) - k)[len(found) - k] - ROUNDING]


def _low_limit(scores: Floats, k: int) -> float:
    """Return a limit that probably more than k of scores (N,) reach: partially sorting a million is slow."""
    sample = scores[:: max(1, len(scores) // SAMPLE)]
    rank = 8 + 4 * k * len(sample) // len(scores)
    return float(np.partition(sample, len(sample) - rank)[len(sample) - rank]) if rank < len(sample) else -np.inf


def best(ids: Ids, signatures: Floats, query: Floats, k: int) -> Nearest:
    """Return the k nearest of some candidates, ids (M,) and signatures (M, D), best first, ties by id.

    Sums are made in float64, so that a cosine does not depend on the other candidates.
    """
    if not len(ids):
        return Nearest(ids, np.zeros(0, np.float32), signatures)  # D is 0 in a store that never held a signature
    scores = np.einsum("nd,d->n", signatures, query, dtype=np.float64).astype(np.float32)
    order = np.lexsort((ids, -scores))[:k]
    return Nearest(ids[order], scores[order], signatures[order])
