"""A DJ's order: neighbours whose tempo and key fit, so that one track can be mixed into the next.

Tempo. A beat counts as the same at half and twice its tempo, so two tempi differ by d = log2(b / a) brought to
[-1/2, 1/2]: a deck's speed changes by 2^d - 1. Up to 6 % is usual, as it moves the pitch by one semitone.

Key. On the Camelot wheel (Davis 1987) twelve numbers follow the circle of fifths, A is minor and B the relative major.
Neighbours on the wheel share six of seven notes; a step is one number, or the other letter at the same number.

A step from one track to the next costs

    (d / log2 1.06)^2 + KEY_COST * (wheel steps)^2 + SOUND_COST * (1 - cosine)

so that 6 % of tempo, or two steps on the wheel, cost about as much as a leap to an unrelated sound. Squares spread a
change over several steps. For an unknown tempo or key, UNKNOWN takes the place of the square in its term.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.db import AudioFeatures
from engine.playlists.ordering import two_opt
from engine.playlists.results import MixStep

USUAL = math.log2(1.06)
KEY_COST = 0.25
SOUND_COST = 1.0
UNKNOWN = 1.0
NEAREST_COST = 1.0  # of distance from the seeds, while tracks are chosen
WHEEL = 12
PITCHES = {"C": 0, "Db": 1, "C#": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "F#": 6, "G": 7, "G#": 8, "Ab": 8, "A": 9,
           "Bb": 10, "B": 11}  # fmt: skip

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Camelot:
    """A place on the wheel: `number` 1 to 12, `letter` A for minor or B for major."""

    number: int
    letter: str

    @classmethod
    def of(cls, key: str | None) -> Camelot | None:
        """Return the place of a key such as "A minor"; None for None."""
        if key is None:
            return None
        tonic, mode = key.split()
        major = PITCHES[tonic] + (3 if mode == "minor" else 0)  # the relative major has the same number
        fifths = 7 * major % WHEEL  # upwards from C, whose number is 8
        return cls((fifths + 7) % WHEEL + 1, "A" if mode == "minor" else "B")

    def steps_to(self, other: Camelot) -> int:
        """Return the steps on the wheel to another place, 0 to 7."""
        return abs(self.turn_to(other)) + (self.letter != other.letter)

    def turn_to(self, other: Camelot) -> int:
        """Return the numbers from this place to another, -5 to 6, clockwise above 0."""
        turn = (other.number - self.number) % WHEEL
        return turn - WHEEL if turn > WHEEL // 2 else turn

    def __str__(self) -> str:
        return f"{self.number}{self.letter}"


def mix_order(
    features: Sequence[AudioFeatures], vectors: Floats, *, count: int | None = None, fixed_end: bool = False
) -> list[int]:
    """Return an order of tracks that starts with the first: the cheapest next step each time, then 2-opt.

    Args:
        features: Tempo and key of N tracks.
        vectors: Unit vectors (N, D), for the likeness of sound.
        count: Number of tracks to choose, near the first; None for all.
        fixed_end: Keep the last track last.
    """
    costs = step_costs(features, vectors)
    start = NEAREST_COST * (1 - vectors @ vectors[0]) if count is not None else np.zeros(len(vectors), np.float32)
    last = len(vectors) - 1
    left = list(range(1, len(vectors) - (1 if fixed_end and last else 0)))
    order = [0]
    while left and len(order) < (len(vectors) if count is None else count):
        nearest = left[int(np.argmin(costs[order[-1], left] + start[left]))]
        left.remove(nearest)
        order.append(nearest)
    if fixed_end and last:
        order.append(last)
    return two_opt(costs, order, fixed_end=fixed_end)


def step_costs(features: Sequence[AudioFeatures], vectors: Floats) -> Floats:
    """Return the cost of the step between each pair of N tracks, (N, N), symmetric."""
    costs = SOUND_COST * (1 - vectors @ vectors.T)
    wheel = [Camelot.of(each.key) for each in features]
    for i, a in enumerate(features):
        for j in range(i + 1, len(features)):
            change = tempo_change(a.tempo, features[j].tempo)
            mine, other = wheel[i], wheel[j]
            cost = UNKNOWN if change is None else (change / USUAL) ** 2
            cost += KEY_COST * (UNKNOWN if mine is None or other is None else mine.steps_to(other) ** 2)
            costs[i, j] += cost
            costs[j, i] += cost
    return costs.astype(np.float32)


def tempo_change(before: float | None, after: float | None) -> float | None:
    """Return the octaves between two tempi, half and twice counted as the same: -1/2 to 1/2; None if one is unknown."""
    if before is None or after is None:
        return None
    octaves = math.log2(after / before)
    return octaves - round(octaves)


def mix_steps(features: Sequence[AudioFeatures]) -> tuple[MixStep, ...]:
    """Return tempo, key and change of each of some tracks in play order."""
    steps = []
    before: AudioFeatures | None = None
    for each in features:
        place = Camelot.of(each.key)
        earlier = Camelot.of(before.key) if before else None
        change = tempo_change(before.tempo, each.tempo) if before else None
        steps.append(
            MixStep(
                each.tempo,
                each.key,
                str(place) if place else None,
                None if change is None else 2**change - 1,
                None if place is None or earlier is None else earlier.steps_to(place),
            )
        )
        before = each
    return tuple(steps)
