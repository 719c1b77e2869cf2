"""Sorted ids: reproducible samples, and differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def drawn(ids: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most `most` of some sorted ids, sorted; the same ids give the same sample."""
    if len(ids) <= most:
        return ids
    return np.sort(np.random.default_rng(0).choice(ids, most, replace=False, shuffle=False))


def without(ids: NDArray[np.int64], excluded: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sorted ids (N,) that are not excluded (M,), sorted: M lookups, where np.setdiff1d sorts all N."""
    places = np.searchsorted(ids, excluded)
    inside = places < len(ids)
    places, wanted = places[inside], excluded[inside]
    kept = np.ones(len(ids), bool)
    kept[places[ids[places] == wanted]] = False
    return ids[kept]
