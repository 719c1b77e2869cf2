"""Rhythm: the same at another tempo and in another sound, another one for another rhythm; finite for any sound."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.indexer.aspects import rhythm
from engine.indexer.aspects.descriptors import KINDS, aspects_of
from engine.indexer.aspects.rhythm import (
    FEATURES,
    FRAMES_PER_SECOND,
    LAGS,
    PAIRS,
    SAMPLE_RATE,
    correlations,
    onset_strength,
    rhythm_features,
)

ROCK = {"low": "X...X...", "high": "..X...X."}
WALTZ = {"low": "X.....", "high": "..X.X."}
BACKBEAT_MOVED = {"low": "X...X...", "high": "...X...X"}


def play(grids: dict[str, str], bpm: float, soft: bool = False, seconds: float = 4.0) -> NDArray[np.float32]:
    """A window in which each grid (eighths) strikes a low thump or a high noise; `soft` strikes with other sounds."""
    samples = np.zeros(round((seconds + 1) * SAMPLE_RATE), np.float32)
    time = np.arange(round(0.12 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    low = np.sin(2 * np.pi * (90 if soft else 60) * time) * np.exp(-time / 0.05)
    high = (0.2 * noise if soft else noise) * np.exp(-time / (0.04 if soft else 0.02))
    if not soft:
        high = np.diff(high, prepend=0)
    for name, sound in (("low", low), ("high", 0.4 * high)):
        for step in range(200):
            at = round(step * 30 / bpm * SAMPLE_RATE)
            if grids[name][step % len(grids[name])] == "X" and at + len(time) < len(samples):
                samples[at : at + len(time)] += sound
    return samples[: round(seconds * SAMPLE_RATE)]


def likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The cosine of the descriptors of two windows."""
    first, second = (aspects_of(window[None])[KINDS["rhythm"]] for window in (a, b))
    return float(first @ second)


def test_onsets_stand_where_sounds_begin() -> None:
    """A click in silence gives onset strength at its time and nowhere else."""
    window = np.zeros(4 * SAMPLE_RATE, np.float32)
    window[2 * SAMPLE_RATE : 2 * SAMPLE_RATE + 50] = 0.5
    onsets = onset_strength(window).sum(axis=1)
    assert abs(np.argmax(onsets) / FRAMES_PER_SECOND - 2) < 0.05
    assert np.delete(onsets, np.arange(97, 103)).max() < 0.01 * onsets.max()


def test_the_period_is_a_peak() -> None:
    """At 120 beats a minute the autocorrelation of a band is greatest at half a second, or a multiple of it."""
    sums = correlations(play({"low": "X.", "high": ".."}, 120))
    assert (np.argmax(sums[10:, 0]) + 10) % 25 in (0, 1, 24)
    assert sums.shape == (LAGS, len(PAIRS))


def test_another_tempo_is_the_same_rhythm() -> None:
    """A groove a quarter faster is nearer than another groove at the same tempo."""
    rock = play(ROCK, 100)
    assert likeness(rock, play(ROCK, 125)) > likeness(rock, play(WALTZ, 100))


def test_another_sound_is_the_same_rhythm() -> None:
    """A groove on other drums is nearer than another groove on the same drums."""
    rock = play(ROCK, 100)
    assert likeness(rock, play(ROCK, 100, soft=True)) > likeness(rock, play(WALTZ, 100))


def test_where_a_band_follows_another_counts() -> None:
    """Grooves that differ only in how long after the low drum the high one follows are distinguished."""
    rock = play(ROCK, 100)
    assert likeness(rock, play(ROCK, 110)) > likeness(rock, play(BACKBEAT_MOVED, 100))


@pytest.mark.parametrize("seconds", [0.5, 3.0, 21.0])
@pytest.mark.parametrize("level", [0.0, 1e-6, 1.0])
def test_any_window_has_finite_features(seconds: float, level: float) -> None:
    """Silence, faint and loud noise, in windows of any length, give finite numbers."""
    noise = level * np.random.default_rng(0).uniform(-1, 1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    features = rhythm_features(correlations(noise))
    assert features.shape == (FEATURES,)
    assert np.isfinite(features).all()


def test_bands() -> None:
    """The division into three bands is by the centres of librosa's mel bands."""
    centres = librosa.mel_frequencies(rhythm.MEL_BANDS + 2, fmin=rhythm.LOWEST, fmax=rhythm.HIGHEST)[1:-1]
    expected = np.searchsorted(rhythm.EDGES, centres, side="right")
    assert rhythm._bands().argmax(axis=1).tolist() == expected.tolist()
