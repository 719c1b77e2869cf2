"""Neighbours against a plain computation of the same definitions, and against values worked out by hand."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.evaluation.retrieval import (
    artist_groups,
    artist_hit,
    hubness,
    label_precision,
    nearest,
    nearest_of_others,
    resampled_skewness,
)

CLIPS = 140


def unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of length 1."""
    return values / np.linalg.norm(values, axis=1, keepdims=True)


class Collection:
    """Random clips of three data sets, with artists that are near themselves and labels that are near, too."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        artist = random.integers(0, 45, CLIPS)
        self.artists = [f"artist {i}" for i in artist]
        self.datasets = [f"set {i}" for i in artist % 3]
        self.allowed = random.random((45, 6))[artist] + 0.3 * random.random((CLIPS, 6)) > 0.9
        self.allowed[np.arange(CLIPS), artist % 6] = True
        self.signatures = unit(random.standard_normal((45, 8))[artist] + random.standard_normal((CLIPS, 8)))

    def ranked(self, query: int) -> list[int]:
        """All other clips, nearest first."""
        cosines = [float(self.signatures[query] @ other) for other in self.signatures]
        return sorted((i for i in range(CLIPS) if i != query), key=lambda i: -cosines[i])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [5, 10])
def test_precision_is_the_plain_computation(seed: int, count: int) -> None:
    """Per data set, without the query's artist: the mean share of the nearest that share a label."""
    c = Collection(seed)
    near = nearest_of_others(c.signatures, c.artists, c.datasets, 10)
    shares = []
    for query in range(CLIPS):
        others = [i for i in c.ranked(query) if c.datasets[i] == c.datasets[query] and c.artists[i] != c.artists[query]]
        shares.append(np.mean([bool((c.allowed[i] & c.allowed[query]).any()) for i in others[:count]]))
    figure = label_precision(near, c.allowed, count)
    assert figure is not None
    assert (figure.value, figure.clips) == (pytest.approx(np.mean(shares)), CLIPS)
    assert figure.low < figure.value < figure.high
    assert figure.name == f"precision at {count}"


@pytest.mark.parametrize("seed", range(3))
def test_artist_hits_are_the_plain_computation(seed: int) -> None:
    """Of the clips whose artist has another one, the share that find one among the five nearest of all clips."""
    c = Collection(seed)
    queries = [i for i in range(CLIPS) if c.artists.count(c.artists[i]) > 1]
    hits = [any(c.artists[j] == c.artists[i] for j in c.ranked(i)[:5]) for i in queries]
    figure = artist_hit(c.signatures, c.artists)
    assert figure is not None
    assert (figure.value, figure.clips) == (pytest.approx(np.mean(hits)), len(queries))
    chosen = np.array([i for i in range(CLIPS) if c.datasets[i] == "set 1"])
    part = artist_hit(c.signatures, c.artists, chosen)
    assert part is not None
    expected = [hit for i, hit in zip(queries, hits, strict=True) if c.datasets[i] == "set 1"]
    assert (part.value, part.clips) == (pytest.approx(np.mean(expected)), len(expected))


@pytest.mark.parametrize("seed", range(3))
def test_hubness_is_the_plain_computation(seed: int) -> None:
    """Skewness of how often a clip is among others' ten nearest, and the share that never is."""
    c = Collection(seed)
    occurrence = Counter(i for query in range(CLIPS) for i in c.ranked(query)[:10])
    counts = np.array([occurrence[i] for i in range(CLIPS)], float)
    centred = counts - counts.mean()
    hubs, orphans = hubness(c.signatures)
    assert hubs.value == pytest.approx((centred**3).mean() / (centred**2).mean() ** 1.5)
    assert hubs.low < hubs.value < hubs.high
    assert (orphans.value, orphans.clips) == (pytest.approx((counts == 0).mean()), CLIPS)


def test_a_hub_shows() -> None:
    """One clip in the middle of a sphere's points is near to all of them: the skewness is large."""
    points = np.random.default_rng(0).standard_normal((60, 40))
    alone = hubness(unit(points + [1.5] * 40))[0].value
    hub = hubness(unit(np.vstack([points + [1.5] * 40, np.ones(40)])))[0].value
    assert hub > alone + 1


def test_few_clips_have_no_hubs() -> None:
    """Below twelve clips everybody is in everybody's ten: nothing to measure."""
    assert hubness(unit(np.random.default_rng(0).standard_normal((11, 4)))) == ()
    assert len(hubness(unit(np.random.default_rng(0).standard_normal((12, 4))))) == 2


def test_precision_counts_other_artists_only() -> None:
    """Of the five nearest clips of other artists, the share with a common label; a clip without others is left out."""
    signatures = np.array([[1, 0.0], [1, 0.1], [1, 0.2], [0.1, 1]])
    allowed = np.array([[True, False], [True, False], [False, True], [True, True]])
    near = nearest_of_others(signatures, ["ada", "ada", "ben", "cleo"], ["x"] * 4, 5)
    figure = label_precision(near, allowed, 5)
    assert figure is not None
    assert figure.value == pytest.approx(np.mean([0.5, 0.5, 1 / 3, 1.0]))
    assert label_precision(nearest_of_others(signatures, ["ada"] * 4, ["x"] * 4, 5), allowed, 5) is None
    lonely = label_precision(nearest_of_others(signatures, ["a", "b", "c", "d"], ["x", "x", "y", "z"], 5), allowed, 5)
    assert lonely is not None
    assert (lonely.value, lonely.clips) == (1.0, 2)


def test_clips_without_an_artist_are_strangers() -> None:
    """An empty artist is no artist that clips have in common."""
    signatures = unit(np.random.default_rng(0).standard_normal((6, 3)))
    assert len(set(artist_groups(["", "", "ada", "ada", ""]).tolist())) == 4
    assert nearest_of_others(signatures, [""] * 6, ["x"] * 6, 5).valid.all()
    assert artist_hit(signatures, [""] * 6) is None


@pytest.mark.parametrize("clips", [1, 2, 4])
def test_few_clips_have_few_neighbours(clips: int) -> None:
    """A clip is never its own neighbour, and one alone has none."""
    near = nearest(unit(np.random.default_rng(0).standard_normal((clips, 3))), 5)
    assert near.indices.shape == (clips, clips - 1)
    assert (near.indices != np.arange(clips)[:, None]).all()
    assert not nearest_of_others(np.ones((1, 3)), ["ada"], ["x"], 5).valid.any()


def test_skewness_of_a_resample_is_that_of_the_clips_drawn() -> None:
    """A weight of two counts a clip twice; equal values have no skewness."""
    values = np.array([1.0, 2.0, 9.0, 4.0])
    drawn = np.array([1.0, 1.0, 9.0, 4.0])
    centred = drawn - drawn.mean()
    found = resampled_skewness(np.array([[2.0, 0, 1, 1], [4, 0, 0, 0]]), values)
    assert found[0] == pytest.approx((centred**3).mean() / (centred**2).mean() ** 1.5)
    assert np.isnan(found[1])
