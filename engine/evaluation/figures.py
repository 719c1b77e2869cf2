"""A measured number, never without its interval: Wilson for shares of successes, the bootstrap for all else.

A resample is given by weights (R, N): how often each of the N clips was drawn in each of R resamples, rows that sum to
N. A statistic of weights is then a product of matrices, and a thousand resamples take moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

RESAMPLES = 1000
CONFIDENCE = 0.95
CELLS_AT_ONCE = 4_000_000  # of weights: bounds memory whatever the number of clips
SEED = 0

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Weights (R, N) -> values (R,), NaN where a resample has none."""


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        name: What was measured, for example "accuracy".
        value: On the clips themselves.
        clips: How many clips (or queries) it rests on.
        low, high: Its 95 % interval.
    """

    name: str
    value: float
    clips: int
    low: float
    high: float


def share_of_successes(name: str, successes: int, clips: int) -> Figure:
    """`successes` of `clips` (at least 1), with Wilson's interval."""
    interval = binomtest(successes, clips).proportion_ci(CONFIDENCE, method="wilson")
    return Figure(name, successes / clips, clips, float(interval.low), float(interval.high))


def bootstrapped(name: str, value: float, clips: int, statistic: Statistic, seed: int = SEED) -> Figure:
    """`value`, with the percentile bootstrap's interval of `statistic` over clips; without spread where clips is 1.

    Resamples on which the statistic is not defined (NaN: one class only, say) are left out.
    """
    generator = np.random.default_rng(seed)
    at_once = max(1, CELLS_AT_ONCE // clips)
    values = []
    for first in range(0, RESAMPLES, at_once):
        drawn = generator.multinomial(clips, np.full(clips, 1 / clips), size=min(at_once, RESAMPLES - first))
        values.append(statistic(drawn.astype(np.float64)))
    found = np.concatenate(values)
    found = found[np.isfinite(found)]
    if not len(found):
        found = np.array([value])
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Figure(name, value, clips, float(low), float(high))


def mean_over_clips(name: str, values: NDArray[np.float64], seed: int = SEED) -> Figure:
    """The mean of one value a clip (N,), N >= 1, with the bootstrap's interval."""
    return bootstrapped(name, float(values.mean()), len(values), lambda weights: weights @ values / len(values), seed)
