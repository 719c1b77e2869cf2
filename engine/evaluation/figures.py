"""Metrics with 95 % intervals: Wilson's for proportions, the percentile bootstrap for all others.

Resamples are represented by weights (R, N): the number of times each of N clips is drawn in each of R resamples. Rows
sum to N. A statistic of weights is then a matrix product, fast enough for a thousand resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

RESAMPLES = 1000
CONFIDENCE = 0.95
MAX_CELLS = 4_000_000  # of a batch of weights: bounds memory for any number of clips
SEED = 0

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Weights (R, N) -> values (R,), NaN where undefined."""


@dataclass(frozen=True)
class Figure:
    """One metric.

    Attributes:
        name: For example "accuracy".
        value: Point estimate.
        clips: Number of clips (or queries) measured.
        low, high: Bounds of the 95 % interval.
    """

    name: str
    value: float
    clips: int
    low: float
    high: float


def share_of_successes(name: str, successes: int, clips: int) -> Figure:
    """Return the proportion `successes / clips` (clips >= 1) with Wilson's interval."""
    interval = binomtest(successes, clips).proportion_ci(CONFIDENCE, method="wilson")
    return Figure(name, successes / clips, clips, float(interval.low), float(interval.high))


def bootstrapped(name: str, value: float, clips: int, statistic: Statistic, seed: int = SEED) -> Figure:
    """Return `value` with the percentile-bootstrap interval of `statistic` over clips; zero width for one clip.

    Resamples on which the statistic is undefined (NaN; for example, a single class) are left out.
    """
    generator = np.random.default_rng(seed)
    batch = max(1, MAX_CELLS // clips)
    values = []
    for first in range(0, RESAMPLES, batch):
        drawn = generator.multinomial(clips, np.full(clips, 1 / clips), size=min(batch, RESAMPLES - first))
        values.append(statistic(drawn.astype(np.float64)))
    resampled = np.concatenate(values)
    resampled = resampled[np.isfinite(resampled)]
    if not len(resampled):
        resampled = np.array([value])
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Figure(name, value, clips, float(low), float(high))


def mean_over_clips(name: str, values: NDArray[np.float64], seed: int = SEED) -> Figure:
    """Return the mean of one value per clip (N,), N >= 1, with a bootstrap interval."""
    return bootstrapped(name, float(values.mean()), len(values), lambda weights: weights @ values / len(values), seed)
