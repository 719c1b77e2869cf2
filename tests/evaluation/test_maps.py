"""Plane maps: what PCA and t-SNE keep."""

import numpy as np
import pytest

from engine.evaluation.maps import MIN_CLIPS, pca_map, standardised, subsample, tsne_map


def test_pca_keeps_a_plane() -> None:
    """Points that lie in a plane of twelve dimensions retain their distances, and the axes explain all variance."""
    random = np.random.default_rng(0)
    plane = np.linalg.qr(random.standard_normal((12, 2)))[0]
    flat = random.standard_normal((30, 2)) * [3, 1]
    found = pca_map(flat @ plane.T, "x")
    distances = [np.linalg.norm(points[:, None] - points[None], axis=2) for points in (flat, found.points)]
    np.testing.assert_allclose(*distances, atol=1e-9)
    shares = [int(axis.split("(")[1].split("%")[0]) for axis in found.axes]
    assert sum(shares) == 100
    assert shares[0] > shares[1] > 0


def test_equal_clips_have_a_map() -> None:
    """Clips that are all alike lie on one point, and nothing is NaN."""
    found = pca_map(np.ones((6, 4)), "x")
    assert np.abs(found.points).max() < 1e-9
    assert found.axes[0] == "first component (0% of the variance)"


def test_tsne_keeps_who_is_near() -> None:
    """Clips of three far groups have their nearest neighbours in their own group; the map can be made again."""
    random = np.random.default_rng(0)
    groups = np.arange(60) % 3
    values = 20 * random.standard_normal((3, 80))[groups] + random.standard_normal((60, 80))
    points = tsne_map(values, "x").points
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(60)
    assert np.array_equal(groups[distances.argmin(axis=1)], groups)
    assert np.array_equal(points, tsne_map(values, "x").points)


def test_the_fewest_clips_have_a_tsne_map() -> None:
    """The perplexity shrinks for few clips, and the title names it."""
    found = tsne_map(np.random.default_rng(0).standard_normal((MIN_CLIPS, 3)), "signatures")
    assert found.points.shape == (MIN_CLIPS, 2)
    assert np.isfinite(found.points).all()
    assert found.title == "signatures, perplexity 1"


def test_standardised_columns() -> None:
    """Columns of any unit get mean 0 and deviation 1; a constant one becomes 0."""
    found = standardised(np.random.default_rng(0).standard_normal((50, 3)) * [1, 1000, 0] + [5, -3, 7])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 0], atol=1e-9)


@pytest.mark.parametrize("count", [10, 5000])
def test_many_clips_are_thinned(count: int) -> None:
    """Of more clips than can be placed a draw is taken: in order, without repeats, the same every time."""
    chosen = subsample(count, 100)
    assert len(chosen) == min(count, 100)
    assert (np.diff(chosen) > 0).all()
    assert chosen.max() < count
    assert np.array_equal(chosen, subsample(count, 100))
