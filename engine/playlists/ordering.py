"""Smooth orders of tracks: a path between two of them, and the smoothest order of a set.

The places of a path divide the great circles from each stop to the next evenly. Places take turns to draft their
nearest tracks, so that no track is a candidate of two places. Dynamic programming then chooses one candidate per place:
the chain with the least sum of step distances to the fourth power, which limits the longest step. Distances to places
and between candidates are scaled locally (`engine.search.hubness`); without, hubs occur in half of all paths. Finally
2-opt with fixed ends reverses parts of the chain while that lowers the same sum of plain distances, because a long path
has to include tracks far from its circle.

Measured on 25 pairs of tracks of a library of 2,419 and paths of 25. Coefficient of variation of the similarity of
steps, mean similarity, minimum: nearest track to each place 0.22, 0.71, 0.32; this method 0.08, 0.83, 0.68; with
squared distances 0.10, 0.84, 0.64; tracks assigned to places by their angle on the circle 0.13, 0.81, 0.43. The
smoothest order of a radio of 25 tracks: 0.08, 0.82, 0.65, against 0.18, 0.68, 0.43 for nearest first.

On 2,000 synthetic signatures in clusters with hubs: in paths of 25 the ten most used tracks occur in 9 % of the places
with scaling, 20 % without, and the worst step (median) is 0.69 against 0.72; in paths of 100, 0.55 against 0.52. In
paths through 100 of 123 tracks the worst step rose from -0.40 to 0.27, that of the smoothest order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 20  # of each place of a path, if there are enough tracks
EVENNESS = 4  # power of a step's distance: 1 gives the shortest path, more gives more even steps
DRAFT_SCALING = 1.0  # power of a track's local scale that divides its distance to a place
STEP_SCALING = 0.15  # the same for both tracks of a step: more removes hubs, and makes steps less even
LEAST_POOL = 1_000  # candidates, those nearest to the circles; at least twice the drafted ones
DRAFT_CELLS = 40_000_000  # places times ranked tracks: 160 MB
MOST_FOR_TWO_OPT = 3_000  # tracks; 2-opt needs all distances in memory
SWEEPS = 50
SMALLEST_GAIN = 1e-6
SMALLEST_ANGLE = 1e-3  # radians; signatures nearer than this to equal or opposite define no great circle

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Places:
    """The ideal positions of a path's tracks, on the great circles between S stops, leg by leg.

    Attributes:
        weights: (P, S); times the stops (S, D) they give the places (P, D). A row has two numbers of 0 or more, for the
            stops before and after. Places are unit vectors, except between opposite stops: no circle leads there, and
            they lie on the line through the middle.
        legs: Number of places between each stop and the next, (S - 1,); their sum is P.
    """

    weights: Floats
    legs: tuple[int, ...]

    @classmethod
    def between(cls, stops: Floats, count: int) -> Places:
        """Return `count` places, 0 or more, between stops (S, D), S >= 2, distributed over the legs by their angles."""
        angles = np.array([_angle(before, after) for before, after in pairwise(stops)])
        legs = _shared_out(angles, count)
        weights = np.zeros((count, len(stops)), np.float32)
        first = 0
        for leg, (angle, places) in enumerate(zip(angles.tolist(), legs, strict=True)):
            weights[first : first + places, leg : leg + 2] = _slerp_weights(angle, places)
            first += places
        return cls(weights, legs)


def path_rows(
    stops: Floats, vectors: Floats, count: int, scale: Callable[[Floats], Floats] | None = None
) -> list[list[int]]:
    """Return the rows of the tracks between each stop and the next, in order, all different.

    Args:
        stops: Unit signatures (S, D) in path order; two or more.
        vectors: Unit signatures of the candidates, (N, D).
        count: Total number of tracks; at most N.
        scale: Function from signatures (M, D) to local scales (M,); equal scales by default.
    """
    places = Places.between(stops, count)
    if count == 0:
        return [[] for _ in places.legs]
    cosines = vectors @ stops.T  # (N, S)
    pool = _nearest_to_places(places, cosines, pool_size(count))
    near = vectors[pool]
    scales = scale(near) if scale is not None else np.ones(len(near), np.float32)
    drafted = [np.array(rows) for rows in _draft(places.weights, cosines[pool], scales**DRAFT_SCALING)]
    legs, first = [], 0
    for (start, end), size in zip(pairwise(stops), places.legs, strict=True):
        own = drafted[first : first + size]
        chain = _even_chain(start, end, near, scales**STEP_SCALING, own) if size else []
        legs.append(pool[_straightened(start, end, near, chain)].tolist() if chain else [])
        first += size
    return legs


def pool_size(count: int) -> int:
    """Return the number of candidates for a path with `count` tracks between its stops."""
    return max(count, min(max(LEAST_POOL, 2 * CANDIDATES * count), DRAFT_CELLS // max(count, 1)))


def smooth_order(vectors: Floats) -> list[int]:
    """Return a short tour through all tracks that starts with the first: nearest neighbours, then 2-opt (Croes 1958).

    Args:
        vectors: (M, D), unit.
    """
    order = _chain(vectors)
    return two_opt(1 - vectors @ vectors.T, order) if len(order) <= MOST_FOR_TWO_OPT else order


def two_opt(distances: Floats, chain: list[int], *, fixed_end: bool = False) -> list[int]:
    """Reverse parts of a tour while that shortens it, by distances (M, M); the first, and a fixed last, keep places."""
    order = np.array(chain, np.intp)
    for _ in range(SWEEPS):
        moves = [_two_opt_move(distances, order, first, fixed_end) for first in range(1, len(order) - 1)]
        if not any(moves):
            break
    return [int(i) for i in order]


def _angle(start: Floats, end: Floats) -> float:
    return float(np.arccos(np.clip(start @ end, -1, 1)))


def _shared_out(sizes: NDArray[np.float64], count: int) -> tuple[int, ...]:
    """Return integers that sum to `count`, as close to proportional as possible."""
    total = float(sizes.sum())
    shares = sizes * (count / total) if total > 0 else np.full(len(sizes), count / len(sizes))
    whole = np.floor(shares).astype(int)
    rest = np.argsort(whole - shares, kind="stable")[: count - int(whole.sum())]
    whole[rest] += 1
    return tuple(whole.tolist())


def _slerp_weights(angle: float, places: int) -> Floats:
    """Return weights (places, 2) of two unit vectors in those that divide the arc between them evenly.

    Spherical linear interpolation (Shoemake 1985, "Animating rotation with quaternion curves"), 0 < t < 1 and angle a:
    sin((1 - t) a) / sin a and sin(t a) / sin a; for nearly equal or opposite vectors 1 - t and t.
    """
    at = np.arange(1, places + 1) / (places + 1)
    if SMALLEST_ANGLE < angle < np.pi - SMALLEST_ANGLE:
        both = np.stack([np.sin((1 - at) * angle), np.sin(at * angle)], axis=1) / np.sin(angle)
    else:
        both = np.stack([1 - at, at], axis=1)
    return both.astype(np.float32)


def _nearest_to_places(places: Places, cosines: Floats, count: int) -> Rows:
    """Return the sorted rows of the tracks nearest to any place, given their cosines (N, S) to the stops."""
    if count >= len(cosines):
        return np.arange(len(cosines))
    nearest = np.full(len(cosines), -np.inf, np.float32)
    for weight in places.weights:
        np.maximum(nearest, cosines @ weight, out=nearest)
    return np.sort(np.argsort(-nearest, kind="stable")[:count])


def _draft(weights: Floats, cosines: Floats, scales: Floats) -> list[list[int]]:
    """Return the rows of each place's candidates: places take turns, each drafting its nearest free track."""
    places = len(weights)
    ranked = [np.argsort((1 - cosines @ weight) / scales, kind="stable").astype(np.int32) for weight in weights]
    taken = np.zeros(len(cosines), bool)
    drafted: list[list[int]] = [[] for _ in range(places)]
    at = [0] * places
    for turn in range(min(CANDIDATES * places, len(cosines))):
        place = turn % places
        while taken[ranked[place][at[place]]]:
            at[place] += 1
        row = int(ranked[place][at[place]])
        taken[row] = True
        drafted[place].append(row)
    return drafted


def _even_chain(
    start: Floats, end: Floats, vectors: Floats, scales: Floats, drafted: Sequence[NDArray[np.intp]]
) -> list[int]:
    """Choose one candidate of each place to minimise the sum of scaled distances ** EVENNESS along the chain."""
    first, last = drafted[0], drafted[-1]
    costs = _cost(start[None], vectors[first], scales[first])[0]  # of the best chain that ends with each candidate
    came_from = []
    for before, after in pairwise(drafted):
        chains = costs[:, None] + _cost(vectors[before], vectors[after], scales[before, None] * scales[after])
        came_from.append(chains.argmin(axis=0))
        costs = chains.min(axis=0)
    chosen = [int((costs + _cost(vectors[last], end[None], scales[last, None])[:, 0]).argmin())]
    for steps in reversed(came_from):
        chosen.append(int(steps[chosen[-1]]))
    return [int(rows[i]) for rows, i in zip(drafted, reversed(chosen), strict=True)]


def _cost(left: Floats, right: Floats, scales: Floats) -> NDArray[np.float64]:
    return (np.maximum(1 - (left @ right.T).astype(np.float64), 0) / scales) ** EVENNESS


def _straightened(start: Floats, end: Floats, vectors: Floats, chain: list[int]) -> list[int]:
    """Return the chain with parts reversed so that its steps are as even as possible; its ends are fixed."""
    if not 2 <= len(chain) <= MOST_FOR_TWO_OPT:
        return chain
    listed = np.concatenate([start[None], vectors[chain], end[None]])
    costs = np.maximum(1 - listed @ listed.T, 0) ** EVENNESS
    order = two_opt(costs, list(range(len(listed))), fixed_end=True)
    return [chain[i - 1] for i in order[1:-1]]


def _chain(vectors: Floats) -> list[int]:
    left = np.ones(len(vectors), bool)
    order = [0] if len(vectors) else []
    for _ in range(len(vectors) - 1):
        left[order[-1]] = False
        order.append(int(np.where(left, vectors @ vectors[order[-1]], -np.inf).argmax()))
    return order


def _two_opt_move(distances: Floats, order: NDArray[np.intp], first: int, fixed_end: bool) -> bool:
    """Reverse the part from `first` on that shortens the tour most; return whether any does."""
    before, part = order[first - 1], order[first:]
    steps = distances[part[:-1], part[1:]]  # within the part
    gains = distances[before, part[0]] - distances[before, part]
    gains[:-1] += steps - distances[part[0], part[1:]]
    last = int((gains[:-1] if fixed_end else gains).argmax())
    if gains[last] <= SMALLEST_GAIN:
        return False
    part[: last + 1] = part[last::-1].copy()
    return True
