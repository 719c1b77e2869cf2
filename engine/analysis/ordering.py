"""Tracks in an order that is good to hear: a path between two of them, and the smoothest order of a set.

A path's places lie evenly on the great circle from one signature to the other. Every place drafts its nearest tracks
in turn, so that no track stands at two places, and one track of each is chosen by dynamic programming: the one chain
of all whose sum of step distances to the fourth power is least, which keeps the longest step short.

Chosen by measurement, on 25 pairs of tracks of a library of 2,419 and paths of 25. Coefficient of variation of the
similarity from step to step, mean similarity, least: nearest track to each place 0.22, 0.71, 0.32; this 0.08, 0.83,
0.68; with squared distances 0.10, 0.84, 0.64; tracks cut into places by their angle on the circle 0.13, 0.81, 0.43.
The smoothest order took a radio of 25 tracks from 0.18, 0.68, 0.43 (nearest first) to 0.08, 0.82, 0.65.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 20  # that each place of a path may choose from, where there are as many
EVENNESS = 4  # power of a step's distance: 1 would be the shortest path, more evens out the steps
DRAFTED_FROM = 1_000  # tracks nearest to the circle, or twice what the places draft
DRAFT_CELLS = 40_000_000  # places times tracks that are ranked for them: 160 MB
IMPROVED = 3_000  # longer lists are only chained, nearest to nearest: improving needs all distances at once
SWEEPS = 50
SMALLEST_GAIN = 1e-6
SMALLEST_ANGLE = 1e-3  # radians between two signatures; below it, or as near to opposite, no great circle is sure

Floats = NDArray[np.float32]


def path_rows(start: Floats, end: Floats, vectors: Floats, places: int) -> list[int]:
    """The tracks between two others, in order, all different.

    Args:
        start, end: Unit signatures (D,).
        vectors: (N, D), unit; the tracks to choose from.
        places: How many; at most N.
    """
    if places == 0:
        return []
    weights = _circle(start, end, places)  # (places, 2)
    likeness = vectors @ np.stack([start, end], axis=1)  # (N, 2)
    pool = _nearest_to_circle(weights, likeness, places)
    drafted = [pool[rows] for rows in _draft(weights, likeness[pool], places)]
    return _even_chain(start, end, vectors, drafted)


def smooth_order(vectors: Floats) -> list[int]:
    """A short way through all tracks that begins with the first: nearest neighbours, then 2-opt (Croes 1958).

    Args:
        vectors: (M, D), unit.
    """
    order = _chain(vectors)
    return _improve(vectors, order) if len(order) <= IMPROVED else order


def _circle(start: Floats, end: Floats, places: int) -> Floats:
    """Weights (places, 2) of the two signatures in the unit vectors that divide the arc between them evenly."""
    at = np.arange(1, places + 1) / (places + 1)
    angle = float(np.arccos(np.clip(start @ end, -1, 1)))
    if SMALLEST_ANGLE < angle < np.pi - SMALLEST_ANGLE:
        both = np.stack([np.sin((1 - at) * angle), np.sin(at * angle)], axis=1) / np.sin(angle)
    else:
        both = np.stack([1 - at, at], axis=1)
    return both.astype(np.float32)


def _nearest_to_circle(weights: Floats, likeness: Floats, places: int) -> NDArray[np.intp]:
    """Rows of the tracks that are near to some place, so many that each place finds its candidates."""
    wanted = min(max(DRAFTED_FROM, 2 * CANDIDATES * places), DRAFT_CELLS // places)
    wanted = max(wanted, places)
    if wanted >= len(likeness):
        return np.arange(len(likeness))
    nearest = np.full(len(likeness), -np.inf, np.float32)
    for weight in weights:
        np.maximum(nearest, likeness @ weight, out=nearest)
    return np.sort(np.argsort(-nearest, kind="stable")[:wanted])


def _draft(weights: Floats, likeness: Floats, places: int) -> list[list[int]]:
    """For each place the rows of its candidates: places choose in turn, each its nearest that is not taken."""
    ranked = [np.argsort(-(likeness @ weight), kind="stable").astype(np.int32) for weight in weights]
    taken = np.zeros(len(likeness), bool)
    drafted: list[list[int]] = [[] for _ in range(places)]
    at = [0] * places
    for turn in range(min(CANDIDATES * places, len(likeness))):
        place = turn % places
        while taken[ranked[place][at[place]]]:
            at[place] += 1
        row = int(ranked[place][at[place]])
        taken[row] = True
        drafted[place].append(row)
    return drafted


def _even_chain(start: Floats, end: Floats, vectors: Floats, drafted: Sequence[NDArray[np.intp]]) -> list[int]:
    """One candidate of each place, such that the sum of distances ** EVENNESS along the chain is least."""
    costs = _cost(start[None], vectors[drafted[0]])[0]  # of the best chain up to each candidate
    came_from = []
    for before, after in pairwise(drafted):
        chains = costs[:, None] + _cost(vectors[before], vectors[after])
        came_from.append(chains.argmin(axis=0))
        costs = chains.min(axis=0)
    chosen = [int((costs + _cost(vectors[drafted[-1]], end[None])[:, 0]).argmin())]
    for steps in reversed(came_from):
        chosen.append(int(steps[chosen[-1]]))
    return [int(rows[i]) for rows, i in zip(drafted, reversed(chosen), strict=True)]


def _cost(left: Floats, right: Floats) -> NDArray[np.float64]:
    return np.maximum(1 - (left @ right.T).astype(np.float64), 0) ** EVENNESS


def _chain(vectors: Floats) -> list[int]:
    left = np.ones(len(vectors), bool)
    order = [0] if len(vectors) else []
    for _ in range(len(vectors) - 1):
        left[order[-1]] = False
        order.append(int(np.where(left, vectors @ vectors[order[-1]], -np.inf).argmax()))
    return order


def _improve(vectors: Floats, chain: list[int]) -> list[int]:
    """Turn parts around for as long as that shortens the way; the first track keeps its place."""
    order = np.array(chain, np.intp)
    distances = 1 - vectors @ vectors.T
    for _ in range(SWEEPS):
        if not any([_turn(distances, order, first) for first in range(1, len(order) - 1)]):  # noqa: C419 (all turns)
            break
    return [int(i) for i in order]


def _turn(distances: Floats, order: NDArray[np.intp], first: int) -> bool:
    """Turn around the part from `first` on whose turning shortens the way most; says whether there is one."""
    before, part = order[first - 1], order[first:]
    steps = distances[part[:-1], part[1:]]  # after each of the part but the last
    gains = distances[before, part[0]] - distances[before, part]
    gains[:-1] += steps - distances[part[0], part[1:]]
    last = int(gains.argmax())
    if gains[last] <= SMALLEST_GAIN:
        return False
    part[: last + 1] = part[last::-1].copy()
    return True
