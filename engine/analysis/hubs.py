"""Hubness correction: a track that is near to everything is nearer to nothing than it looks.

Local scaling (Zelnik-Manor and Perona 2004; for music, Schnitzer et al. 2012, section 3.1): a distance counts relative
to how near the neighbours of both tracks are, exp(-d^2 / (s_x s_y)). Here s is a track's distance to its 20th nearest
of at most 500 tracks drawn from the library, so that it costs the same for each track however large the library is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE = 500  # tracks that scales are measured against
NEIGHBOUR = 20  # the one whose distance is a track's scale
ROWS_AT_ONCE = 65_536
SMALLEST_SCALE = 1e-6

Floats = NDArray[np.float32]


class LocalScale:
    """Scales of a library's tracks.

    Args:
        vectors: (N, D) unit signatures.
    """

    def __init__(self, vectors: Floats) -> None:
        random = np.random.default_rng(0)  # the same tracks give the same answers
        count = len(vectors)
        chosen = random.choice(count, SAMPLE, replace=False) if count > SAMPLE else np.arange(count)
        self._sample = vectors[np.sort(chosen)]
        parts = [self._scales(vectors[at : at + ROWS_AT_ONCE]) for at in range(0, count, ROWS_AT_ONCE)]
        self.scales = np.concatenate(parts) if parts else np.zeros(0, np.float32)  # (N,)

    def closeness(self, query: Floats, rows: NDArray[np.intp], cosines: Floats) -> Floats:
        """-d^2 / (s_query s_row) for some of the tracks, given their cosines (M,) with a unit vector (D,)."""
        return -np.square(1 - cosines) / (self._scales(query[None]) * self.scales[rows])

    def _scales(self, vectors: Floats) -> Floats:
        """Distances (M,) to the 20th nearest of the sample, of which the nearest may be the track itself."""
        distances = 1 - vectors @ self._sample.T  # (M, sample)
        place = min(NEIGHBOUR, distances.shape[1] - 1)
        return np.maximum(np.partition(distances, place, axis=1)[:, place], SMALLEST_SCALE)
