"""Plane maps of many numbers a clip: PCA keeps distances as well as a plane can, t-SNE keeps who is near.

t-SNE: van der Maaten and Hinton 2008. Its axes have no unit, and the gaps between its groups mean little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]

FEWEST = 5  # clips that make a map
MOST = 2000  # clips that t-SNE places in reasonable time; of more, a draw
PERPLEXITY = 30.0
COMPONENTS = 50  # to which the numbers are brought before t-SNE, as its authors do
SEED = 0


@dataclass(frozen=True, eq=False)
class Map:
    """Places of N clips in a plane: points (N, 2), what the axes are called, and a title."""

    points: Floats
    axes: tuple[str, str]
    title: str


def standardised(values: Floats) -> Floats:
    """Each column (N, F) to mean 0 and deviation 1; one without deviation becomes 0."""
    return np.asarray(StandardScaler().fit_transform(values))


def pca_map(values: Floats, title: str) -> Map:
    """The first two principal components of values (N, F), N and F at least 2, and how much they explain."""
    model = PCA(2, random_state=SEED)
    with np.errstate(invalid="ignore", divide="ignore"):  # clips that are all alike have no variance to explain
        points = model.fit_transform(values)
        first, second = np.nan_to_num(model.explained_variance_ratio_)
    axes = (f"first component ({first:.0%} of the variance)", f"second component ({second:.0%} of the variance)")
    return Map(points, axes, title)


def tsne_map(values: Floats, title: str, seed: int = SEED) -> Map:
    """A t-SNE map of values (N, F), N at least FEWEST; the same values and seed give the same map."""
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


def draw_clips(count: int, most: int = MOST) -> NDArray[np.intp]:
    """Positions of at most `most` of `count` clips, at random but always the same, in order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, most, replace=False))
