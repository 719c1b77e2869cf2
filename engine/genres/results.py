"""The result of `Engine.genres`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.genres.attention import AttentionStatistics


@dataclass(frozen=True)
class GenreSummary:
    """One genre.

    Attributes:
        genre: Its name.
        kind: Of its centroid: "library" (ten tagged tracks or more) or "reference" (ships with the encoder).
        tracks: How many tracks of the library are tagged with it and have a signature.
        nearest: The two genres at the smallest distance, nearest first; fewer where there are not three genres.
        attention: Over those tracks.
    """

    genre: str
    kind: str
    tracks: int
    nearest: tuple[str, ...]
    attention: AttentionStatistics


@dataclass(frozen=True)
class GenreEquation:
    """a - b + c = d, four different genres.

    `error` is |a - b + c - d| over the mean Euclidean distance between two centroids, all of them unit vectors.
    """

    a: str
    b: str
    c: str
    d: str
    error: float


@dataclass(frozen=True)
class GenreRelations:
    """All genres that have a centroid: the encoder's, then those that only the library's tags name.

    Attributes:
        genres: Of each, what is known.
        distances: 1 - cosine of every two centroids (0 to 2), rows and columns in the order of `genres`.
        equations: Those under the threshold, the smallest error first. a and c stand in the order of `genres`, as they
            may be swapped; b and d do not.
    """

    genres: tuple[GenreSummary, ...]
    distances: tuple[tuple[float, ...], ...]
    equations: tuple[GenreEquation, ...]
