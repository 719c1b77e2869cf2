"""Hubness correction by local scaling: demote tracks that are near to everything.

Local scaling (Zelnik-Manor and Perona 2004; for music, Schnitzer et al. 2012, section 3.1): a distance d is
divided by the local scales of both tracks, exp(-d^2 / (s_x s_y)). A hub has many near neighbours, so its scale is small
and its distances grow. Here s is the distance to the 20th nearest of at most 500 tracks drawn from the library, so the
cost of a track does not grow with the library.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.runtime.threads import ONE_BLAS_THREAD
from engine.session import LibraryView
from engine.util.sampling import drawn

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot

SAMPLE = 500  # tracks that scales are measured against
NEIGHBOUR = 20  # rank of the neighbour whose distance is a track's scale
ROWS_AT_ONCE = 65_536
FEW = 2000  # signatures for which a second thread costs more than it saves
SMALLEST_SCALE = 1e-6

Floats = NDArray[np.float32]


def local_scale(view: LibraryView) -> LocalScale:
    """Return the scales of the library's signatures; there must be at least one."""
    return view.cached("local scale", lambda: LocalScale(draw_sample(view.snapshot)))


def local_scales(view: LibraryView) -> Floats:
    """Return the scale (N,) of every track, in the order of the snapshot's `ids`."""
    return view.cached("local scales", lambda: _scale_all(view.snapshot, local_scale(view)))


def draw_sample(snapshot: VectorSnapshot) -> Floats:
    """Return at most SAMPLE signatures (S, D), the same for the same tracks."""
    return snapshot.take(drawn(np.sort(snapshot.ids), SAMPLE))


def _scale_all(snapshot: VectorSnapshot, scale: LocalScale) -> Floats:
    parts = [scale.of(batch.signatures) for batch in snapshot.batches(ROWS_AT_ONCE)]
    return np.concatenate([np.zeros(0, np.float32), *parts])


class LocalScale:
    """Local scales against one sample of a library.

    Args:
        sample: (S, D) unit signatures that scales are measured against.
    """

    def __init__(self, sample: Floats) -> None:
        self._sample = sample

    def closeness(self, query: Floats, vectors: Floats, cosines: Floats) -> Floats:
        """Return -d^2 / (s_query s_track), (M,), of signatures (M, D) with cosines (M,) to a query (D,)."""
        scales = self.of(np.concatenate([query[None], vectors]))
        return -np.square(1 - cosines) / (scales[0] * scales[1:])

    def of(self, vectors: Floats) -> Floats:
        """Return the distances (M,) to the 20th nearest of the sample, which may contain the track itself."""
        place = min(NEIGHBOUR, len(self._sample) - 1)
        scales = np.empty(len(vectors), np.float32)
        with ONE_BLAS_THREAD if len(vectors) <= FEW else nullcontext():
            for at in range(0, len(vectors), ROWS_AT_ONCE):
                distances = 1 - vectors[at : at + ROWS_AT_ONCE] @ self._sample.T  # (rows, sample)
                scales[at : at + ROWS_AT_ONCE] = np.partition(distances, place, axis=1)[:, place]
        return np.maximum(scales, SMALLEST_SCALE)
