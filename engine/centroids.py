"""Genre centroids: the library's own where enough tracks are tagged, else those that ship with the encoder.

Source: Sridhar 2024, section 3.2 (the mean of a genre's signatures), normalised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.models.labels import GENRES, map_tag, spellings, split_tag
from engine.results import CentroidDistance

MINIMUM_TRACKS = 10


@dataclass(frozen=True, eq=False)
class Centroid:
    """A genre's unit vector (D,), from "library" or "reference"."""

    genre: str
    vector: NDArray[np.float32]
    kind: str


def genre_members(tags: Mapping[int, str | None]) -> dict[str, list[int]]:
    """Track ids by genre: mapped tags under the fifteen names, others under their own from MINIMUM_TRACKS on."""
    members: dict[str, list[int]] = defaultdict(list)
    own: dict[str, list[int]] = defaultdict(list)
    for track_id, tag in tags.items():
        for genre in map_tag(tag):
            members[genre].append(track_id)
        for part in split_tag(tag or ""):
            if part not in spellings():
                own[part].append(track_id)
    large = {name: ids for name, ids in own.items() if len(ids) >= MINIMUM_TRACKS}
    return dict(members) | large


def make_centroids(
    tags: Mapping[int, str | None],
    track_ids: NDArray[np.int64],
    vectors: NDArray[np.float32],
    reference: NDArray[np.float32],
) -> list[Centroid]:
    """All centroids of a library.

    Args:
        tags: The raw genre tag by track id.
        track_ids: (N,) of the signatures.
        vectors: (N, D) unit signatures.
        reference: (15, D) unit rows in the order of GENRES, zero where the encoder has none.
    """
    rows = {int(track_id): row for row, track_id in enumerate(track_ids)}
    made: dict[str, Centroid] = {}
    for genre, vector in zip(GENRES, reference, strict=True):
        if np.linalg.norm(vector) > 0:
            made[genre] = Centroid(genre, vector, "reference")
    for genre, ids in genre_members(tags).items():
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
