"""Genre centroids: the library's own where enough tracks are tagged, else those that ship with the encoder.

Source: Sridhar 2024, section 3.2 (the mean of a genre's signatures), normalised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.models.labels import GENRES, tag_names
from engine.results import CentroidDistance

MINIMUM_TRACKS = 10


@dataclass(frozen=True, eq=False)
class Centroid:
    """A genre's unit vector (D,), from "library" or "reference"."""

    genre: str
    vector: NDArray[np.float32]
    kind: str


def genre_members(tags: Mapping[int, str | None], genres: Sequence[str] = GENRES) -> dict[str, list[int]]:
    """Track ids by genre: the encoder's genres that tags name; other names of tags from MINIMUM_TRACKS on."""
    members: dict[str, list[int]] = defaultdict(list)
    for track_id, tag in tags.items():
        for name in tag_names(tag, genres):
            members[name].append(track_id)
    return {name: ids for name, ids in members.items() if name in genres or len(ids) >= MINIMUM_TRACKS}


def make_centroids(
    tags: Mapping[int, str | None],
    track_ids: NDArray[np.int64],
    vectors: NDArray[np.float32],
    reference: NDArray[np.float32],
    genres: Sequence[str] = GENRES,
) -> list[Centroid]:
    """All centroids of a library.

    Args:
        tags: The raw genre tag by track id.
        track_ids: (N,) of the signatures.
        vectors: (N, D) unit signatures.
        reference: (G, D) unit rows in the order of `genres`, zero where the encoder has none.
        genres: The names of the encoder whose signatures these are.
    """
    rows = {int(track_id): row for row, track_id in enumerate(track_ids)}
    made: dict[str, Centroid] = {}
    for genre, vector in zip(genres, reference, strict=True):
        if np.linalg.norm(vector) > 0:
            made[genre] = Centroid(genre, vector, "reference")
    for genre, ids in genre_members(tags, genres).items():
        known = [rows[track_id] for track_id in ids if track_id in rows]
        if len(known) >= MINIMUM_TRACKS:
            mean = vectors[known].astype(np.float64).mean(axis=0)
            norm = np.linalg.norm(mean)
            if norm > 0:
                made[genre] = Centroid(genre, (mean / norm).astype(np.float32), "library")
    return list(made.values())


def distances(signature: NDArray[np.float32], centroids: list[Centroid]) -> tuple[CentroidDistance, ...]:
    """1 - cosine of a unit signature (D,) with every centroid, nearest first."""
    found = [CentroidDistance(c.genre, 1.0 - float(signature @ c.vector), c.kind) for c in centroids]
    return tuple(sorted(found, key=lambda entry: (entry.distance, entry.genre)))
