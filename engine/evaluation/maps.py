"""Two-dimensional maps of clips: PCA preserves variance, t-SNE preserves neighbourhoods.

t-SNE: van der Maaten and Hinton 2008. Its axes have no unit, and distances between its groups mean little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]

MIN_CLIPS = 5  # of a map
MAX_CLIPS = 2000  # t-SNE becomes slow beyond; larger sets are subsampled
PERPLEXITY = 30.0
COMPONENTS = 50  # principal components computed before t-SNE, as its authors do
SEED = 0


@dataclass(frozen=True, eq=False)
class Map:
    """Points of N clips in a plane, (N, 2), axis labels, and a title."""

    points: Floats
    axes: tuple[str, str]
    title: str


def standardised(values: Floats) -> Floats:
    """Scale each column of (N, F) to mean 0 and deviation 1; constant columns become 0."""
    return np.asarray(StandardScaler().fit_transform(values))


def pca_map(values: Floats, title: str) -> Map:
    """Map values (N, F), N and F >= 2, to their first two principal components; axes name the explained variance."""
    model = PCA(2, random_state=SEED)
    with np.errstate(invalid="ignore", divide="ignore"):  # identical clips have no variance to explain
        points = model.fit_transform(values)
        first, second = np.nan_to_num(model.explained_variance_ratio_)
    axes = (f"first component ({first:.0%} of the variance)", f"second component ({second:.0%} of the variance)")
    return Map(points, axes, title)


def tsne_map(values: Floats, title: str, seed: int = SEED) -> Map:
    """Map values (N, F), N >= MIN_CLIPS, by t-SNE; deterministic for a seed."""
    from sklearn.manifold import TSNE

    if min(values.shape) > COMPONENTS:
        values = PCA(COMPONENTS, random_state=seed).fit_transform(values)
    perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed).fit_transform(values)
    return Map(
        np.asarray(points, np.float64),
        ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)"),
        f"{title}, perplexity {perplexity:.0f}",
    )


def subsample(count: int, limit: int = MAX_CLIPS) -> NDArray[np.intp]:
    """Return sorted positions of at most `limit` of `count` clips, drawn with a fixed seed."""
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, limit, replace=False))
