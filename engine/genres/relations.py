"""Relations between genres: centroids, nearest genres, genre equations, attention by genre.

Source: Sridhar 2024, sections 3.2 (a genre is the mean of its signatures), 3.2.2 (equations), 3.3 (two nearest), 3.4.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.db import segment_blocks, tracks_by_genre
from engine.errors import InvalidError, LibraryError
from engine.genres.attention import SHORTEST_TRACK, MeasuredTracks, measure_attention
from engine.genres.results import GenreEquation, GenreRelations, GenreSummary
from engine.models.numpy_heads import segment_seconds
from engine.search.centroids import MINIMUM_TRACKS, genre_members, library_centroids
from engine.session import LibraryView

NEAREST = 2

Floats = NDArray[np.float64]


def relate_genres(view: LibraryView, threshold: float, plot: str | os.PathLike[str] | None = None) -> GenreRelations:
    """Compute the relations between a library's genres; see `Engine.genres`."""
    if not threshold > 0:
        raise InvalidError(f"expected a threshold above 0, found {threshold}", hint="1.25 is the default")
    centroids = library_centroids(view)
    if not centroids:
        raise LibraryError(
            f"expected a genre with a centroid, found none: {view.encoder_id} ships without, and no genre is the "
            f"tag of {MINIMUM_TRACKS} tracks",
            hint="tag your files and index again: engine index PATH",
        )
    names = [centroid.genre for centroid in centroids]
    vectors = np.stack([centroid.vector for centroid in centroids]).astype(np.float64)  # (G, D)
    distances = cosine_distances(vectors)
    nearest = nearest_genres(names, distances)
    members, attention = _members(view), _attention(view)
    summaries = [
        GenreSummary(
            c.genre, c.kind, len(members.get(c.genre, ())), near, attention.mean_over(members.get(c.genre, ()))
        )
        for c, near in zip(centroids, nearest, strict=True)
    ]
    relations = GenreRelations(
        tuple(summaries), tuple(map(tuple, distances.tolist())), genre_equations(names, vectors, threshold)
    )
    if plot is not None:
        from engine.genres.picture import draw_genres

        draw_genres(plot, relations, vectors)
    return relations


def cosine_distances(vectors: Floats) -> Floats:
    """Return 1 - cosine between unit rows (G, D) -> (G, G), from 0 to 2, 0 on the diagonal."""
    distances = (1 - vectors @ vectors.T).clip(0, 2)
    np.fill_diagonal(distances, 0)
    return (distances + distances.T) / 2


def nearest_genres(names: Sequence[str], distances: Floats) -> list[tuple[str, ...]]:
    """Return the names of the two nearest other genres of each, from distances (G, G); ties by name."""
    others = [sorted((row[j], name) for j, name in enumerate(names) if j != i) for i, row in enumerate(distances)]
    return [tuple(name for _, name in near[:NEAREST]) for near in others]


def genre_equations(names: Sequence[str], vectors: Floats, threshold: float) -> tuple[GenreEquation, ...]:
    """Return every a - b + c = d under a threshold, smallest error first; see `GenreEquation`.

    Args:
        names: Of G genres.
        vectors: Unit centroids, (G, D).
        threshold: Of the error; above 0.
    """
    pairs = np.array(list(combinations(range(len(names)), 2)), np.int64).reshape(-1, 2)  # (P, 2), each pair once
    distances = np.linalg.norm(vectors[pairs[:, 0]] - vectors[pairs[:, 1]], axis=1)
    mean = distances.mean() if len(distances) else 0.0
    if not mean > 0:  # fewer than two genres, or all alike
        return ()
    sums = _sums(pairs, vectors, float(mean), threshold)
    found = [GenreEquation(names[a], names[b], names[c], names[d], error) for a, b, c, d, error in sums]
    return tuple(sorted(found, key=lambda equation: (equation.error, equation.a, equation.b, equation.c, equation.d)))


def _sums(
    pairs: NDArray[np.int64], vectors: Floats, mean: float, threshold: float
) -> Iterator[tuple[int, int, int, int, float]]:
    """Return indices of a, b, c, d and their error |a + c - (b + d)| / mean: b, d in both orders, a, c in one."""
    products = vectors @ vectors.T  # (G, G)
    squares = products[pairs[:, 0]] + products[pairs[:, 1]]  # (P, G): a pair's sum with each genre
    squares = np.take_along_axis(squares, pairs, 1).sum(axis=1)  # (P,): with itself
    for (a, c), square in zip(pairs.tolist(), squares, strict=True):
        together = (products[a] + products[c])[pairs].sum(axis=1)  # (P,): with every other pair's sum
        errors = np.sqrt((square + squares - 2 * together).clip(0)) / mean
        disjoint = ~np.isin(pairs, (a, c)).any(axis=1)
        for place in np.flatnonzero(disjoint & (errors < threshold)):
            b, d = pairs[place].tolist()
            yield a, b, c, d, float(errors[place])
            yield a, d, c, b, float(errors[place])


def _members(view: LibraryView) -> dict[str, NDArray[np.int64]]:
    """Return the track ids of each genre that have a signature."""
    snapshot = view.snapshot
    with view.read() as connection:
        tags = tracks_by_genre(connection)
    return genre_members({tag: snapshot.known(ids) for tag, ids in tags.items()}, view.file.genres)


def _attention(view: LibraryView) -> MeasuredTracks:
    with view.read() as connection:
        blocks = segment_blocks(connection, view.encoder_id, view.coverage, SHORTEST_TRACK)
        return measure_attention(blocks, segment_seconds(view.file))
