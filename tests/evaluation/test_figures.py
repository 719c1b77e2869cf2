"""Intervals: Wilson's against his formula, the bootstrap against theory."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.evaluation.figures import RESAMPLES, Figure, bootstrapped, mean_over_clips, share_of_successes

Z = 1.959964


def test_shares_have_wilsons_interval() -> None:
    """Eight of ten: 0.8, from 0.490 to 0.943, as Wilson's formula gives it."""
    figure = share_of_successes("accuracy", 8, 10)
    assert (figure.name, figure.value, figure.clips) == ("accuracy", 0.8, 10)
    n, p = 10, 0.8
    centre, half = p + Z**2 / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    expected = ((centre - half) / (1 + Z**2 / n), (centre + half) / (1 + Z**2 / n))
    assert (figure.low, figure.high) == pytest.approx(expected, abs=1e-6)


def test_a_means_interval_is_that_of_theory() -> None:
    """Of 400 draws from a normal distribution, the mean's interval is 1.96 standard errors to each side."""
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    figure = mean_over_clips("x", values)
    error = Z * values.std() / 20
    assert figure.value == pytest.approx(values.mean())
    assert (figure.value - figure.low, figure.high - figure.value) == pytest.approx((error, error), rel=0.15)


def test_the_same_clips_give_the_same_interval() -> None:
    """The resamples follow the seed: a figure can be computed again."""
    values = np.random.default_rng(0).random(50)
    assert mean_over_clips("x", values) == mean_over_clips("x", values)
    assert mean_over_clips("x", values) != mean_over_clips("x", values, seed=1)


@pytest.mark.parametrize("clips", [1, 7, 9_000])
def test_resamples_are_as_many_as_clips(clips: int) -> None:
    """Every resample draws as many clips as there are, and there are a thousand, however they are portioned."""
    seen: list[NDArray[np.float64]] = []

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        assert weights.shape[1] == clips
        seen.append(weights.sum(axis=1))
        return seen[-1]

    figure = bootstrapped("x", clips, clips, statistic)
    assert len(np.concatenate(seen)) == RESAMPLES
    assert (figure.low, figure.high) == (clips, clips)


def test_undefined_resamples_do_not_count() -> None:
    """NaN in some resamples leaves the interval to the others; where all are NaN the value has no spread."""
    values = np.array([1.0, 2.0, 3.0, 4.0])

    def sometimes(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(weights[:, 0] > 0, 5.0, np.nan)

    assert bootstrapped("x", 5.0, 4, sometimes) == Figure("x", 5.0, 4, 5.0, 5.0)
    assert bootstrapped("x", 2.5, 4, lambda weights: weights @ values * np.nan) == Figure("x", 2.5, 4, 2.5, 2.5)
