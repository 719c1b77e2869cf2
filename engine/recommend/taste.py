"""Taste: weights of played tracks, and the scores of candidates by closeness to them.

The model is described in `engine.recommend.recommendations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import Play
from engine.search.hubness import local_scale, local_scales
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Snapshot
    from engine.search.hubness import LocalScale

WEIGHTS = {"like": 3.0, "play": 1.0, "skip": -1.0}
HALF_LIFE_DAYS = 30.0
DAY = 86_400.0  # seconds
CENTRES = 500  # of each side: bounds the work
ROWS_AT_ONCE = 4_096

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Side:
    """The C tracks that count for, or against, others: ids (C,) and influence (C,)."""

    track_ids: Ids
    influence: Floats


@dataclass(frozen=True, eq=False)
class _Others:
    """N candidates: ids (N,), signatures (N, D), local scales (N,)."""

    track_ids: Ids
    vectors: Floats
    scales: Floats


@dataclass(frozen=True, eq=False)
class _Contribution:
    """For N candidates the largest contribution, its closeness, and the index of its source; each (N,)."""

    influence: Floats
    closeness: Floats
    strongest: Ids


@dataclass(frozen=True, eq=False)
class Scored:
    """Contributions for and against, closeness to the best centre, and that centre's track id; each (N,)."""

    track_ids: Ids
    liked: Floats
    skipped: Floats
    closeness: Floats
    centres: Ids


def taste(plays: Sequence[Play]) -> dict[int, float]:
    """Return the weight of each played track by id."""
    newest = max((play.time for play in plays), default=0.0)
    weights: dict[int, float] = {}
    for play in plays:
        forgotten = 0.5 ** ((newest - play.time) / (HALF_LIFE_DAYS * DAY))
        weights[play.track_id] = weights.get(play.track_id, 0.0) + WEIGHTS[play.event] * forgotten
    return weights


def score(view: LibraryView, snapshot: Snapshot, weights: Mapping[int, float], near: int | None) -> Scored:
    """Score candidates: the `near` nearest of each centre, or the whole library for None.

    Args:
        view: The library.
        snapshot: Its signatures.
        weights: Of tracks with a signature, at least one above 0.
        near: Neighbours of each centre.
    """
    scale = local_scale(view)
    liked, skipped = (_heaviest(snapshot, weights, sign) for sign in (1, -1))
    if near is None:
        ids, vectors, scales = snapshot.track_ids, snapshot.vectors, local_scales(view)
    else:
        found = snapshot.search_many(snapshot.take(liked.track_ids), near).track_ids
        ids = np.unique(found[found >= 0])
        vectors = snapshot.take(ids)
        scales = scale.of(vectors)
    others = _Others(ids, vectors, scales)
    by_liked, by_skipped = (
        _contribution(side, snapshot.take(side.track_ids), scale, others) for side in (liked, skipped)
    )
    centres = liked.track_ids[by_liked.strongest]
    return Scored(ids, by_liked.influence, by_skipped.influence, by_liked.closeness, centres)


def _contribution(side: _Side, own: Floats, scale: LocalScale, others: _Others) -> _Contribution:
    """Return the contributions of one side, whose signatures are `own` (C, D), to the candidates."""
    own_scales, track_ids = scale.of(own), others.track_ids
    influence, closeness = np.zeros((2, len(track_ids)), np.float32)
    strongest = np.zeros(len(track_ids), np.int64)
    for at in range(0, len(track_ids) if len(own) else 0, ROWS_AT_ONCE):
        part = slice(at, at + ROWS_AT_ONCE)
        distances = 1 - others.vectors[part] @ own.T  # (rows, C)
        close = np.exp(-np.square(distances) / (others.scales[part, None] * own_scales))
        close[track_ids[part, None] == side.track_ids] = 0  # a track does not recommend itself
        strongest[part] = np.argmax(close * side.influence, axis=1)
        closeness[part] = np.take_along_axis(close, strongest[part, None], 1)[:, 0]
        influence[part] = closeness[part] * side.influence[strongest[part]]
    return _Contribution(influence, closeness, strongest)


def _heaviest(snapshot: Snapshot, weights: Mapping[int, float], sign: int) -> _Side:
    """Return the tracks that are liked (+1) or skipped (-1) with the largest weights, at most CENTRES."""
    ids = snapshot.known(np.array([i for i, weight in weights.items() if weight * sign > 0], np.int64))
    sizes = np.array([abs(weights[i]) for i in ids.tolist()], np.float32)
    heaviest = np.argsort(-sizes, kind="stable")[:CENTRES]
    return _Side(ids[heaviest], sizes[heaviest] / (1 + sizes[heaviest]))
