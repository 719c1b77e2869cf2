"""Why two tracks are alike, by aspect: the cosine of each, compared with the library's own pairs.

Cosines of different aspects are not comparable: a quarter of all pairs may exceed 0.5 in mood words, one in a hundred
in rhythm. So each cosine is given with its percentile, the share of the library's pairs of tracks that are less alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.explain.results import AspectExplanation, AspectLikeness
from engine.search.aspect_view import AspectView
from engine.search.query_vector import query_from_reference
from engine.search.references import TrackName
from engine.session import LibraryView
from engine.util.sampling import drawn

SAMPLE = 500  # tracks, whose 125,000 pairs are the library's distribution
SAME, SIMILAR, OTHER = 0.95, 0.75, 0.5  # percentiles: from SAME "same", from SIMILAR "similar", below OTHER "other"
NAMES = {"timbre": "sound", "rhythm": "groove", "harmony": "harmony", "mood": "mood"}

Floats = NDArray[np.float32]


def explain_aspects(view: LibraryView, by: AspectView, a: TrackName, b: TrackName) -> AspectExplanation:
    """Return how alike two tracks are in each aspect; see `Engine.explain_aspects`."""
    cosines = by.cosines(query_from_reference(view, a), query_from_reference(view, b))
    likenesses = tuple(
        AspectLikeness(name, min(1.0, max(0.0, cosine)), _percentile(by, name, cosine))
        for name, cosine in cosines.items()
    )
    return AspectExplanation(likenesses, summary_of(likenesses))


def summary_of(likenesses: Sequence[AspectLikeness]) -> str:
    """Return one line such as "same groove, similar harmony, other sound", the closest aspect first."""
    ordered = sorted(likenesses, key=lambda each: -each.percentile)
    words = [f"{word} {NAMES[each.aspect]}" for each in ordered if (word := _word(each.percentile))]
    return ", ".join(words) or "no aspect stands out"


def _word(percentile: float) -> str:
    if percentile >= SAME:
        return "same"
    if percentile >= SIMILAR:
        return "similar"
    return "other" if percentile < OTHER else ""


def _percentile(by: AspectView, name: str, cosine: float) -> float:
    pairs: Floats = by.cached(f"pairs of {name}", lambda: _pairs(by.matrix(name)))
    return float(np.searchsorted(pairs, cosine) / len(pairs)) if len(pairs) else 0.5


def _pairs(vectors: Floats) -> Floats:
    """Return the cosines of all pairs of a sample of unit vectors (N, D), sorted."""
    sample = vectors[drawn(np.arange(len(vectors)), SAMPLE)]
    return np.sort((sample @ sample.T)[np.triu_indices(len(sample), 1)])
