"""Taste: weights of played tracks, and the scores of candidates by closeness to them.

The model is described in `engine.recommend.recommendations`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import Play
from engine.search.hubness import local_scale, local_scales
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot
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
    """The C played tracks that raise, or lower, scores: ids (C,) and influence (C,)."""

    track_ids: Ids
    influence: Floats


@dataclass(frozen=True, eq=False)
class _Others:
    """Some candidates: ids (B,), signatures (B, D), local scales (B,)."""

    track_ids: Ids
    signatures: Floats
    scales: Floats


@dataclass(frozen=True, eq=False)
class _Contribution:
    """For B candidates the largest contribution, its closeness, and the index of its source; each (B,)."""

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


def score(view: LibraryView, snapshot: VectorSnapshot, weights: Mapping[int, float], near: int | None) -> Scored:
    """Score candidates: the `near` nearest of each centre, or the whole library for None.

    Args:
        view: The library.
        snapshot: Its signatures.
        weights: Of tracks with a signature, at least one above 0.
        near: Neighbours of each centre.
    """
    scale = local_scale(view)
    liked, skipped = (_heaviest(snapshot, weights, sign) for sign in (1, -1))
    liked_signatures, skipped_signatures = snapshot.take(liked.track_ids), snapshot.take(skipped.track_ids)
    parts = []
    for others in _candidates(view, snapshot, liked_signatures, near):
        by_liked = _contribution(liked, liked_signatures, scale, others)
        by_skipped = _contribution(skipped, skipped_signatures, scale, others)
        centres = liked.track_ids[by_liked.strongest]
        parts.append((others.track_ids, by_liked.influence, by_skipped.influence, by_liked.closeness, centres))
    return Scored(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _candidates(view: LibraryView, snapshot: VectorSnapshot, centres: Floats, near: int | None) -> Iterator[_Others]:
    """Yield the candidates, at most ROWS_AT_ONCE at a time; see `score`."""
    if near is None:
        scales, start = local_scales(view), 0
        for batch in snapshot.batches(ROWS_AT_ONCE):
            yield _Others(batch.ids, batch.signatures, scales[start : start + len(batch.ids)])
            start += len(batch.ids)
        return
    found = snapshot.nearest_many(centres, near).track_ids
    ids = np.unique(found[found >= 0])
    for start in range(0, len(ids), ROWS_AT_ONCE):
        some = ids[start : start + ROWS_AT_ONCE]
        signatures = snapshot.take(some)
        yield _Others(some, signatures, local_scale(view).of(signatures))


def _contribution(side: _Side, own: Floats, scale: LocalScale, others: _Others) -> _Contribution:
    """Return the contributions of one side, whose signatures are `own` (C, D), to some candidates."""
    if not len(own):
        nothing = np.zeros(len(others.track_ids), np.float32)
        return _Contribution(nothing, nothing, np.zeros(len(others.track_ids), np.int64))
    distances = 1 - others.signatures @ own.T  # (B, C)
    close = np.exp(-np.square(distances) / (others.scales[:, None] * scale.of(own)))
    close[others.track_ids[:, None] == side.track_ids] = 0  # a track does not recommend itself
    strongest = np.argmax(close * side.influence, axis=1)
    closeness = np.take_along_axis(close, strongest[:, None], 1)[:, 0]
    return _Contribution(closeness * side.influence[strongest], closeness, strongest)


def _heaviest(snapshot: VectorSnapshot, weights: Mapping[int, float], sign: int) -> _Side:
    """Return the tracks that are liked (+1) or skipped (-1) with the largest weights, at most CENTRES."""
    ids = snapshot.known(np.array([i for i, weight in weights.items() if weight * sign > 0], np.int64))
    sizes = np.array([abs(weights[i]) for i in ids.tolist()], np.float32)
    heaviest = np.argsort(-sizes, kind="stable")[:CENTRES]
    return _Side(ids[heaviest], sizes[heaviest] / (1 + sizes[heaviest]))
