"""Retrieval metrics of signatures: label precision among nearest neighbours, same-artist hits, and hubness.

Candidates differ by metric. Label precision excludes clips of other data sets and of the same artist: data sets differ
in recording conditions, and an artist's own songs are easy to retrieve, so either would inflate it. Same-artist hits
and hubness use all clips. Hubness: Radovanovic, Nanopoulos, Ivanovic 2010 (skewness of the k-occurrence).
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
    """The nearest clips of each of N clips by cosine, nearest first.

    Attributes:
        indices: Positions of the neighbours, (N, k).
        valid: (N, k), False where there are fewer than k candidates; `indices` is undefined there.
    """

    indices: NDArray[np.intp]
    valid: NDArray[np.bool_]


def nearest(signatures: NDArray[np.floating], count: int) -> Neighbours:
    """Return the `count` nearest other clips of each of N signatures (N, D)."""
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
    """Return the `count` nearest clips of the same data set by another artist; an empty artist equals no other."""
    groups = artist_groups(artists)
    indices = np.zeros((len(groups), count), np.intp)
    valid = np.zeros((len(groups), count), np.bool_)
    for dataset in sorted(set(datasets)):
        pool = np.flatnonzero(np.asarray(datasets) == dataset)
        largest = np.unique(groups[pool], return_counts=True)[1].max()  # clips of the most frequent artist
        near = nearest(signatures[pool], count + int(largest) - 1)  # enough even if all its clips come first
        others = groups[pool][near.indices] != groups[pool][:, None]  # (n, count + largest - 1)
        first = np.argsort(~others, axis=1, kind="stable")[:, :count]  # other artists first, order preserved
        width = first.shape[1]
        indices[pool, :width] = pool[np.take_along_axis(near.indices, first, axis=1)]
        valid[pool, :width] = np.take_along_axis(others, first, axis=1)
    return Neighbours(indices, valid)


def artist_groups(artists: Sequence[str]) -> NDArray[np.intp]:
    """Return a number for each clip's artist, (N,); clips without an artist get unique numbers."""
    keys = [artist or f"\0{i}" for i, artist in enumerate(artists)]  # no artist's name contains NUL
    return np.unique(keys, return_inverse=True)[1]


def label_precision(neighbours: Neighbours, allowed: NDArray[np.bool_], count: int) -> Figure | None:
    """Compute precision at `count`: the share of a clip's nearest neighbours that share one of its labels (N, C).

    Clips without a neighbour are not counted. Return None if none is left.
    """
    indices, valid = neighbours.indices[:, :count], neighbours.valid[:, :count]
    queries = valid.any(axis=1)
    if not queries.any():
        return None
    shared = (allowed[indices] & allowed[:, None, :]).any(axis=2) & valid  # (N, count)
    return mean_over_clips(f"precision at {count}", shared[queries].sum(axis=1) / valid[queries].sum(axis=1))


def artist_hit(
    signatures: NDArray[np.floating], artists: Sequence[str], queries: NDArray[np.intp] | None = None
) -> Figure | None:
    """Compute the share of clips with a clip of the same artist among their five nearest of all clips.

    Only clips whose artist has another clip are queries. Return None if there are none.

    Args:
        signatures: (N, D).
        artists: N keys, empty if unknown.
        queries: Positions of the clips to query; all by default.
    """
    groups = artist_groups(artists)
    queries = np.arange(len(groups)) if queries is None else queries
    queries = queries[np.bincount(groups)[groups][queries] > 1]
    if not len(queries):
        return None
    near = nearest(signatures, ARTIST_HIT_AT).indices[queries]
    hits = (groups[near] == groups[queries][:, None]).any(axis=1)
    return share_of_successes(f"same artist within {ARTIST_HIT_AT}", int(hits.sum()), len(queries))


def hubness(signatures: NDArray[np.floating]) -> tuple[Figure, ...]:
    """Compute the skewness of the 10-occurrence, and the share of orphans; nothing below 12 clips.

    The 10-occurrence of a clip is the number of clips that have it among their ten nearest; orphans have none.
    Intervals resample occurrences rather than queries: removing queries would create orphans.
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
    """Compute the skewness (R,) of values (N,) in resamples with weights (R, N); NaN where all are equal."""
    centred = values[None] - (weights @ values / len(values))[:, None]  # (R, N)
    second, third = ((weights * centred**power).mean(axis=1) for power in (2, 3))
    return np.where(second > 0, third / np.where(second > 0, second, 1) ** 1.5, np.nan)
