"""Genre centroids: the library's own where enough tracks are tagged, else those that ship with the encoder.

Source: Sridhar 2024, section 3.2 (the mean of a genre's signatures), normalised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import tracks_by_genre
from engine.models.labels import GENRES, tag_names
from engine.models.weights_files import reference_centroids
from engine.search.results import CentroidDistance
from engine.session import LibraryView
from engine.util.sampling import drawn

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot

MINIMUM_TRACKS = 10
MOST_TRACKS = 1_000  # of a genre in its mean: bounds the work in a large library

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Centroid:
    """A genre's unit vector (D,), from "library" or "reference"."""

    genre: str
    vector: NDArray[np.float32]
    kind: str


def library_centroids(view: LibraryView) -> list[Centroid]:
    """Return the genres' centroids: the library's own if enough tracks are tagged, else the encoder's."""
    return view.cached("centroids", lambda: _read_centroids(view))


def genre_members(tags: Mapping[str, Ids], genres: Sequence[str] = GENRES) -> dict[str, Ids]:
    """Return track ids by genre: the encoder's genres, and other tags with MINIMUM_TRACKS tracks or more.

    Args:
        tags: Track ids by raw genre tag.
        genres: An encoder's.
    """
    members: dict[str, list[Ids]] = defaultdict(list)
    for tag, ids in tags.items():
        for name in tag_names(tag, genres):
            members[name].append(ids)
    joined = {name: np.sort(np.concatenate(parts)) for name, parts in members.items()}
    return {name: ids for name, ids in joined.items() if name in genres or len(ids) >= MINIMUM_TRACKS}


def make_centroids(
    tags: Mapping[str, Ids], snapshot: VectorSnapshot, reference: NDArray[np.float32], genres: Sequence[str] = GENRES
) -> list[Centroid]:
    """Compute the centroids of a library.

    Args:
        tags: Track ids by raw genre tag.
        snapshot: The signatures.
        reference: Unit rows (G, D) in the order of `genres`; zero for a genre without.
        genres: The encoder's.
    """
    made: dict[str, Centroid] = {}
    for genre, vector in zip(genres, reference, strict=True):
        if np.linalg.norm(vector) > 0:
            made[genre] = Centroid(genre, vector, "reference")
    for genre, ids in genre_members(tags, genres).items():
        known = snapshot.known(ids)
        if len(known) >= MINIMUM_TRACKS:
            mean = snapshot.take(drawn(known, MOST_TRACKS)).mean(axis=0, dtype=np.float64)
            norm = np.linalg.norm(mean)
            if norm > 0:
                made[genre] = Centroid(genre, (mean / norm).astype(np.float32), "library")
    return list(made.values())


def _read_centroids(view: LibraryView) -> list[Centroid]:
    with view.read() as connection:
        tags = tracks_by_genre(connection)
    return make_centroids(tags, view.snapshot, reference_centroids(view.file), view.file.genres)


def centroid_distances(view: LibraryView, signature: NDArray[np.float32]) -> tuple[CentroidDistance, ...]:
    """Return the distances of a unit signature (D,) to `library_centroids`; see `distances`."""
    return distances(signature, library_centroids(view))


def distances(signature: NDArray[np.float32], centroids: list[Centroid]) -> tuple[CentroidDistance, ...]:
    """Return 1 - cosine of a unit signature (D,) with every centroid, nearest first."""
    found = [CentroidDistance(c.genre, 1.0 - float(signature @ c.vector), c.kind) for c in centroids]
    return tuple(sorted(found, key=lambda entry: (entry.distance, entry.genre)))
