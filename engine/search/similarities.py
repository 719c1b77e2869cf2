"""The similarity of given tracks to one track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.search.query_vector import query_from_reference
from engine.search.references import TrackName
from engine.session import LibraryView


def similarities(view: LibraryView, track: TrackName, others: Sequence[int]) -> dict[int, float]:
    """Return max(0, cosine) of each of the other tracks that has a signature; see `Engine.similarities`."""
    query = query_from_reference(view, track).embedding
    ids = view.snapshot.known(np.array(others, np.int64))
    if not len(ids):
        return {}
    cosines = np.clip(view.snapshot.scores(query.signature, ids), 0.0, 1.0)
    return {int(identifier): float(cosine) for identifier, cosine in zip(ids, cosines, strict=True)}
