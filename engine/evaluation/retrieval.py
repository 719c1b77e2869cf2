"""How well signatures find what sounds alike: precision among nearest neighbours, an artist's other songs, hubs.

Two protocols, because one number would flatter. Labels are looked for among clips of the same data set and of other
artists: data sets differ in how they sound, and an artist's own songs are an easy find. Artists and hubs are looked for
among all clips, without a filter. Hubness: Radovanovic, Nanopoulos, Ivanovic 2010 (skewness of the k-occurrence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.neighbors import NearestNeighbors

from engine.evaluation.figures import Figure, bootstrapped, mean_over_clips, share_of_successes

PRECISION_AT = (5, 10)
ARTIST_HIT_AT = 5
OCCURRENCE_AT = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest clips of each clip by cosine, nearest first.

    Attributes:
        indices: (N, k).
        found: (N, k), False where there are fewer than k to choose from; `indices` means nothing there.
    """

    indices: NDArray[np.intp]
    found: NDArray[np.bool_]


def nearest(signatures: NDArray[np.floating], count: int) -> Neighbours:
    """The `count` nearest other clips of each of N signatures (N, D)."""
    n = len(signatures)
    count = min(count, n - 1)
    if count < 1:
        return Neighbours(np.zeros((n, 0), np.intp), np.zeros((n, 0), np.bool_))
    model = NearestNeighbors(n_neighbors=count, metric="cosine", algorithm="brute")
    indices = model.fit(np.asarray(signatures, np.float64)).kneighbors(return_distance=False)
    return Neighbours(indices, np.ones(indices.shape, np.bool_))


def nearest_of_others(
    signatures: NDArray[np.floating], artists: Sequence[str], datasets: Sequence[str], count: int
) -> Neighbours:
    """The `count` nearest clips of the same data set and of another artist; an empty artist is like no other."""
    groups = artist_groups(artists)
    indices = np.zeros((len(groups), count), np.intp)
    found = np.zeros((len(groups), count), np.bool_)
    for dataset in sorted(set(datasets)):
        pool = np.flatnonzero(np.asarray(datasets) == dataset)
        largest = np.unique(groups[pool], return_counts=True)[1].max()
        near = nearest(signatures[pool], count + int(largest) - 1)
        others = groups[pool][near.indices] != groups[pool][:, None]  # (n, count + largest - 1)
        first = np.argsort(~others, axis=1, kind="stable")[:, :count]  # others come first, in their order
        width = first.shape[1]
        indices[pool, :width] = pool[np.take_along_axis(near.indices, first, axis=1)]
        found[pool, :width] = np.take_along_axis(others, first, axis=1)
    return Neighbours(indices, found)


def artist_groups(artists: Sequence[str]) -> NDArray[np.intp]:
    """A number for each clip's artist (N,); clips without one have each their own."""
    keys = [artist or f"\0{i}" for i, artist in enumerate(artists)]  # no artist's name holds a NUL
    return np.unique(keys, return_inverse=True)[1]


def label_precision(neighbours: Neighbours, allowed: NDArray[np.bool_], count: int) -> Figure | None:
    """Precision at `count`: the share of a clip's nearest that have a label (N, C) in common with it.

    A clip without any neighbour is no query; None when there is no query.
    """
    indices, found = neighbours.indices[:, :count], neighbours.found[:, :count]
    queries = found.any(axis=1)
    if not queries.any():
        return None
    shared = (allowed[indices] & allowed[:, None, :]).any(axis=2) & found  # (N, count)
    return mean_over_clips(f"precision at {count}", shared[queries].sum(axis=1) / found[queries].sum(axis=1))


def artist_hit(
    signatures: NDArray[np.floating], artists: Sequence[str], queries: NDArray[np.intp] | None = None
) -> Figure | None:
    """Share of clips whose artist has another clip, and that find one among their five nearest; all are candidates.

    Args:
        signatures: (N, D).
        artists: N keys, empty where unknown.
        queries: Positions of the clips that ask; all by default.
    """
    groups = artist_groups(artists)
    asking = np.arange(len(groups)) if queries is None else queries
    asking = asking[np.bincount(groups)[groups][asking] > 1]
    if not len(asking):
        return None
    near = nearest(signatures, ARTIST_HIT_AT).indices[asking]
    hits = (groups[near] == groups[asking][:, None]).any(axis=1)
    return share_of_successes(f"same artist within {ARTIST_HIT_AT}", int(hits.sum()), len(asking))


def hubness(signatures: NDArray[np.floating]) -> tuple[Figure, ...]:
    """Skewness of the 10-occurrence, and the share of orphans, which are in nobody's ten; nothing below 12 clips.

    Intervals treat each clip's occurrence as one observation: without some of the queries, others would be orphans.
    """
    n = len(signatures)
    if n < OCCURRENCE_AT + 2:
        return ()
    occurrence = np.bincount(nearest(signatures, OCCURRENCE_AT).indices.ravel(), minlength=n).astype(np.float64)
    orphans = share_of_successes("orphans", int((occurrence == 0).sum()), n)
    if np.ptp(occurrence) == 0:
        return (Figure("hub skewness", 0.0, n, 0.0, 0.0), orphans)
    figure = bootstrapped("hub skewness", float(skew(occurrence)), n, lambda w: resampled_skewness(w, occurrence))
    return (figure, orphans)


def resampled_skewness(weights: Floats, values: Floats) -> Floats:
    """Skewness (R,) of values (N,) in resamples with these weights (R, N); NaN where all are equal."""
    centred = values[None] - (weights @ values / len(values))[:, None]  # (R, N)
    second, third = ((weights * centred**power).mean(axis=1) for power in (2, 3))
    return np.where(second > 0, third / np.where(second > 0, second, 1) ** 1.5, np.nan)
