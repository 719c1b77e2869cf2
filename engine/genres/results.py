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
        tracks: Tracks of the library with this tag and a signature.
        nearest: The two nearest genres, nearest first; fewer if there are fewer than three genres.
        attention: Statistics over those tracks.
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
    """All genres with a centroid: the encoder's, then those that only the library's tags name.

    Attributes:
        genres: A summary of each.
        distances: 1 - cosine between centroids (0 to 2), rows and columns in the order of `genres`.
        equations: Those under the threshold, smallest error first. a and c, which commute, are in the order of
            `genres`; b and d occur in both orders.
    """

    genres: tuple[GenreSummary, ...]
    distances: tuple[tuple[float, ...], ...]
    equations: tuple[GenreEquation, ...]
