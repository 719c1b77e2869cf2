"""Reproducible samples of ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def drawn(ids: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most `most` of some sorted ids, sorted; the same ids give the same sample."""
    if len(ids) <= most:
        return ids
    return np.sort(np.random.default_rng(0).choice(ids, most, replace=False, shuffle=False))
