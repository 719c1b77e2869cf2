"""Where signatures are placed, by each method."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import QueryError
from engine.map.projection import FEWEST, METHODS, MOST_FOR_TSNE, place


def groups(each: int = 30, dimensions: int = 64) -> NDArray[np.float32]:
    """Unit vectors around two directions: (2 each, dimensions), the first group first."""
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(2, dimensions), each, axis=0)
    vectors = centres + 0.05 * random.standard_normal(centres.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def apart(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances between all of (N, F) points, (N, N)."""
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def test_line() -> None:
    """Points on a line keep their distances on the first axis, which explains all of the variance."""
    along = np.random.default_rng(1).normal(size=50)
    vectors = (3 + np.outer(along, np.linspace(-1, 2, 16))).astype(np.float32)
    placed = place(vectors, "pca", 2, threads=1)
    assert placed.shares is not None
    assert placed.shares == pytest.approx((1, 0), abs=1e-6)
    assert apart(placed.coordinates[:, :1]) == pytest.approx(apart(vectors.astype(np.float64)), abs=1e-4)


def test_plane() -> None:
    """Points of a plane keep all their distances on two axes, and the third axis is zero."""
    random = np.random.default_rng(2)
    vectors = (random.normal(size=(40, 2)) @ random.normal(size=(2, 256))).astype(np.float32)
    placed = place(vectors, "pca", 3, threads=1)
    assert placed.shares is not None
    assert sum(placed.shares[:2]) == pytest.approx(1, abs=1e-6)
    assert apart(placed.coordinates) == pytest.approx(apart(vectors.astype(np.float64)), rel=1e-3, abs=1e-3)


def test_shares_are_of_the_whole() -> None:
    """What the axes keep is a share of the variance of all dimensions, the larger axis first."""
    vectors = (np.random.default_rng(3).normal(size=(4000, 4)) * [4, 2, 1, 1]).astype(np.float32)
    placed = place(vectors, "pca", 2, threads=1)
    assert placed.shares == pytest.approx((16 / 22, 4 / 22), abs=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_groups(method: str) -> None:
    """Two groups stay apart: nearly all have a neighbour of their own group. A second run gives the same places.

    Methods that need neighbours refuse fewer than five tracks, name pca, and place five. All of it is one test, since
    each process that runs UMAP compiles it first.
    """
    vectors = groups()
    for dims in (2, 3):
        placed = place(vectors, method, dims, threads=1)
        assert placed.coordinates.shape == (len(vectors), dims)
        assert (placed.shares is None) == (method != "pca")
        distances = apart(placed.coordinates) + np.diag(np.full(len(vectors), np.inf))
        assert ((distances.argmin(axis=1) < 30) == (np.arange(60) < 30)).mean() > 0.9
        assert (place(vectors, method, dims, threads=1).coordinates == placed.coordinates).all()
    if method != "pca":
        with pytest.raises(QueryError, match=r"5 tracks or more.*found 4.*pca"):
            place(groups(2), method, 2, threads=1)
        assert place(groups(3)[:FEWEST], method, 3, threads=1).coordinates.shape == (FEWEST, 3)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two(count: int, dims: int) -> None:
    """One track lies at zero; two lie as far apart as they are; nothing of the variance is lost."""
    vectors = groups(1)[:count]
    placed = place(vectors, "pca", dims, threads=1)
    assert placed.coordinates.shape == (count, dims)
    assert placed.shares is not None
    assert sum(placed.shares) == pytest.approx(1)
    assert apart(placed.coordinates) == pytest.approx(apart(vectors.astype(np.float64)), abs=1e-6)


def test_all_alike() -> None:
    """Tracks that are all alike lie at one place, and nothing of the variance is lost."""
    placed = place(np.repeat(groups(1)[:1], 7, axis=0), "pca", 2, threads=1)
    assert placed.shares == (1, 0)
    assert not placed.coordinates.any()


def test_too_many() -> None:
    """t-SNE refuses more than it places in some minutes, and says what to do instead."""
    with pytest.raises(QueryError, match=r"at most 100,000.*found 100,001.*umap"):
        place(np.zeros((MOST_FOR_TSNE + 1, 2), np.float32), "tsne", 2, threads=1)


@pytest.mark.parametrize(("method", "dims"), [("svd", 2), ("pca", 4), ("pca", 1)])
def test_unknown(method: str, dims: int) -> None:
    """Another method or number of axes is refused."""
    with pytest.raises(QueryError, match="expected"):
        place(groups(3), method, dims, threads=1)
