"""Projections of signatures to two or three dimensions: PCA, t-SNE, UMAP. All are deterministic.

PCA preserves variance as well as so few axes can, and reports its share. t-SNE (van der Maaten and Hinton 2008) and
UMAP (McInnes, Healy and Melville 2018) preserve neighbourhoods: their axes have no unit, and gaps between groups mean
little.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidError

METHODS = ("pca", "umap", "tsne")
DIMENSIONS = (2, 3)
FEWEST = 5  # tracks for t-SNE and UMAP; PCA places any number
MOST_FOR_TSNE = 100_000  # 20,000 tracks take two minutes of one core, and time grows slightly faster than N
PERPLEXITY = 30.0
NEIGHBOURS = 15
COMPONENTS = 50  # of PCA before t-SNE, as its authors do
SEED = 0


@dataclass(frozen=True, eq=False)
class Places:
    """The coordinates of N tracks.

    Attributes:
        coordinates: (N, 2) or (N, 3).
        shares: Share of the variance on each axis, 0 to 1; None unless the method is PCA.
    """

    coordinates: NDArray[np.float64]
    shares: tuple[float, ...] | None


def check_method(method: str, dims: int) -> None:
    """Raise QueryError for an unknown method or number of dimensions."""
    if method not in METHODS:
        raise InvalidError(
            f"expected a method of {', '.join(METHODS)}, found {method!r}", hint="pca takes seconds at any size"
        )
    if dims not in DIMENSIONS:
        raise InvalidError(f"expected 2 or 3 dims, found {dims!r}", hint="2 is flat, 3 can be rotated")


def place(vectors: NDArray[np.float32], method: str, dims: int, threads: int) -> Places:
    """Project unit signatures (N, D), N >= 1.

    Args:
        vectors: The signatures.
        method: One of METHODS.
        dims: 2 or 3.
        threads: Most threads of NumPy and scikit-learn. UMAP uses one, because it is not deterministic with more.

    Raises:
        QueryError: Too few or too many tracks for the method.
    """
    from threadpoolctl import threadpool_limits

    check_method(method, dims)
    _check_number(len(vectors), method)
    with threadpool_limits(threads):
        if method == "pca":
            return _pca(vectors, dims)
        return Places(_tsne(vectors, dims, threads) if method == "tsne" else _umap(vectors, dims), None)


def _check_number(tracks: int, method: str) -> None:
    if method != "pca" and tracks < FEWEST:
        raise InvalidError(
            f"expected {FEWEST} tracks or more for {method}, found {tracks}", hint="the method pca places any number"
        )
    if method == "tsne" and tracks > MOST_FOR_TSNE:
        raise InvalidError(
            f"expected at most {MOST_FOR_TSNE:,} tracks for tsne, found {tracks:,}",
            hint="the method umap places more in less time, pca in seconds",
        )


def _pca(vectors: NDArray[np.float32], dims: int) -> Places:
    """Compute PCA exactly, from the covariance: one float64 copy of the signatures (200 MB for 100,000 of 256)."""
    from sklearn.decomposition import PCA

    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0)
    coordinates, shares = np.zeros((len(vectors), dims)), np.zeros(dims)
    kept = min(dims, *vectors.shape)
    if not np.allclose(centred, 0):
        model = PCA(kept, svd_solver="covariance_eigh", copy=False)
        coordinates[:, :kept] = model.fit_transform(centred)
        shares[:kept] = model.explained_variance_ratio_
    else:
        shares[0] = 1.0  # one track, or identical ones: nothing is lost
    return Places(coordinates, tuple(shares.tolist()))


def _tsne(vectors: NDArray[np.float32], dims: int, threads: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    values = _pca(vectors, COMPONENTS).coordinates if min(vectors.shape) > COMPONENTS else vectors
    model = TSNE(
        dims,
        perplexity=min(PERPLEXITY, (len(values) - 1) / 3),
        init="pca",
        learning_rate="auto",
        random_state=SEED,
        n_jobs=threads,
    )
    return np.asarray(model.fit_transform(values), np.float64)


def _umap(vectors: NDArray[np.float32], dims: int) -> NDArray[np.float64]:
    """Use Euclidean distance, which ranks unit vectors as the cosine does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # UMAP warns of TensorFlow, which it does not need, and of its defaults
        from umap import UMAP

        neighbours = min(NEIGHBOURS, len(vectors) - 1)
        model = UMAP(neighbours, dims, init="pca", random_state=SEED, n_jobs=1)
        return np.asarray(model.fit_transform(vectors), np.float64)
