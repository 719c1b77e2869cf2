"""A part that stands for the whole where the whole is too much to read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def drawn(ids: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of some rising ids, rising: the same ids give the same ones."""
    if len(ids) <= most:
        return ids
    return np.sort(np.random.default_rng(0).choice(ids, most, replace=False, shuffle=False))
