"""Resampling to a part of a rate: what passes, what does not, and where it stands."""

from __future__ import annotations

import numpy as np
import pytest

from engine.indexer.audio.decimation import Decimator
from engine.indexer.audio.samples import Chunk, Samples, resample, resampled

RATE, LOW = 44_100, 22_050


def sine(frequency: float, seconds: float = 1.0, rate: int = RATE) -> Samples:
    """A tone of amplitude 1."""
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 66_150, 88_200])
@pytest.mark.parametrize("frequency", [50.0, 1000.0, 7000.0, 9800.0])
def test_passes(rate: int, frequency: float) -> None:
    """A tone below the new rate's band is the same tone, at the same time and as loud (0.5 dB at the upper end)."""
    found, expected = resample(sine(frequency, rate=rate), rate, LOW), sine(frequency, rate=LOW)
    assert len(found) == len(expected)
    middle = slice(1000, -1000)
    assert np.abs(found[middle] - expected[middle]).max() < 0.06


@pytest.mark.parametrize("frequency", [11_600.0, 13_000.0, 20_000.0])
def test_stops(frequency: float) -> None:
    """A tone above it is gone: nothing of it is heard as another tone."""
    assert np.abs(resample(sine(frequency), RATE, LOW)[1000:-1000]).max() < 1e-3


@pytest.mark.parametrize("length", [0, 1, 2, 95, 96, 97, 1000, 1001, 44_100])
def test_length(length: int) -> None:
    """There is a sample for every second one, also of a few; a stream in pieces gives what the whole gives."""
    sound = np.random.default_rng(0).standard_normal(length).astype(np.float32)
    whole = resample(sound, RATE, LOW)
    assert len(whole) == -(-length // 2)
    pieces = [sound[at : at + 700] for at in range(0, length, 700)]
    streamed = list(resampled(iter([Chunk(0, piece) for piece in pieces]), RATE, LOW))
    joined = np.concatenate(streamed) if streamed else np.zeros(0, np.float32)
    assert np.allclose(joined, whole, atol=1e-6)


def test_impulse() -> None:
    """An impulse stays where it is, symmetric to both sides."""
    sound = np.zeros(8000, np.float32)
    sound[4000] = 1
    found = np.concatenate([*(decimator := Decimator(2)).push(sound), *decimator.flush()])
    assert found.argmax() == 2000
    assert np.allclose(found[1900:2000], found[2100:2000:-1], atol=1e-7)
