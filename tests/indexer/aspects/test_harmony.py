"""Harmony: the same in another key and on another instrument, another one for other chords; finite for any sound."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import firwin

from engine.indexer.aspects import harmony
from engine.indexer.aspects.harmony import FEATURES, SAMPLE_RATE, chroma, harmony_features, harmony_sums

MAJOR, MINOR = (0, 4, 7), (0, 3, 7)
POP = ((0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR))
BACKWARDS = POP[::-1]


def play(chords: tuple[tuple[int, tuple[int, ...]], ...], key: int = 0, partials: int = 6) -> NDArray[np.float32]:
    """A window of 4 s: each chord a second, on an instrument of so many partials."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    parts = []
    for root, intervals in chords:
        pitches = [220 * 2 ** ((key + root + i) / 12) for i in intervals]
        parts.append(sum(np.sin(2 * np.pi * h * p * time) / h for p in pitches for h in range(1, partials + 1)))
    return (0.1 * np.concatenate(parts)).astype(np.float32)


def features(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features of one window."""
    return harmony_features(harmony_sums(window))


def distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Between the features of two windows."""
    return float(np.linalg.norm(features(a) - features(b)))


def test_chroma_shows_the_pitch_class() -> None:
    """An A of 440 Hz is strongest in the tenth of the twelve, counted from C."""
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    found = chroma((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32))
    assert (np.argmax(found[2:-2], axis=1) == 9).all()
    assert np.allclose(np.linalg.norm(found[2:-2], axis=1), 1, atol=0.01)


@pytest.mark.parametrize("key", [1, 3, 6])
def test_another_key_is_the_same_harmony(key: int) -> None:
    """A transposed progression is several times nearer than the same chords backwards."""
    assert distance(play(POP), play(POP, key)) < 0.5 * distance(play(POP), play(BACKWARDS))


def test_another_instrument_is_the_same_harmony() -> None:
    """A progression on an instrument with fewer partials is nearer than the same chords backwards."""
    assert distance(play(POP), play(POP, partials=3)) < distance(play(POP), play(BACKWARDS))


def test_major_is_not_minor() -> None:
    """A major chord differs from a minor one more than from itself in another key: mirror images differ."""
    major = play(((0, MAJOR),) * 4)
    assert distance(major, play(((0, MINOR),) * 4)) > 1.2 * distance(major, play(((0, MAJOR),) * 4, key=1))


@pytest.mark.parametrize("seconds", [0.5, 3.0, 21.0])
@pytest.mark.parametrize("level", [0.0, 1e-6, 1.0])
def test_any_window_has_finite_features(seconds: float, level: float) -> None:
    """Silence, faint and loud noise, in windows of any length, give finite numbers."""
    noise = level * np.random.default_rng(0).uniform(-1, 1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    found = features(noise)
    assert found.shape == (FEATURES,)
    assert np.isfinite(found).all()


def test_the_low_pass_filter_is_scipys() -> None:
    """The filter before the decimation is that of `scipy.signal.firwin`."""
    expected = firwin(harmony.TAPS, 0.85 / harmony.DECIMATION)
    np.testing.assert_allclose(harmony._taps().T.ravel(), expected, atol=1e-7)
