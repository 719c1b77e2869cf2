"""Descriptors: 64 numbers of unit norm for each aspect, whatever the sound and however the windows come."""

from __future__ import annotations

import numpy as np
import pytest

from engine.indexer.aspects.descriptors import KINDS, AspectMeter, aspects_of
from engine.indexer.aspects.kinds import DIMENSIONS

RATE = 22_050


def noise(windows: int, seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    """Windows of noise that is louder twice a second."""
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, (windows, round(seconds * RATE))).astype(np.float32)
    return samples * (np.arange(samples.shape[1]) % (RATE // 2) < RATE // 8)


@pytest.mark.parametrize(
    "windows",
    [noise(1), noise(10), noise(2, 21.0), noise(1, 0.6), np.zeros((1, 4 * RATE), np.float32), np.ones((2, 4 * RATE))],
    ids=["one window", "ten", "long ones", "a short one", "silence", "a constant"],
)
def test_each_aspect_is_a_unit_vector(windows: np.ndarray) -> None:
    """Noise, silence and a constant have descriptors, too: of no pitch, of no rhythm."""
    found = aspects_of(windows.astype(np.float32))
    assert set(found) == set(KINDS.values())
    for vector in found.values():
        assert vector.shape == (DIMENSIONS,)
        assert vector.dtype == np.float32
        assert np.isclose(np.linalg.norm(vector), 1, atol=1e-5)


def test_parts_give_the_same_as_the_whole() -> None:
    """Windows that come in two parts, as of a file that is read in full, give what they give at once."""
    windows, meter = noise(6), AspectMeter()
    meter.push(windows[:2])
    meter.push(windows[2:])
    for kind, vector in aspects_of(windows).items():
        assert np.allclose(meter.vectors()[kind], vector, atol=1e-5)


def test_level_does_not_matter() -> None:
    """The same windows 20 dB softer have the same descriptors."""
    windows = noise(4)
    for kind, vector in aspects_of(windows).items():
        assert np.allclose(aspects_of(windows / 10)[kind], vector, atol=1e-3)
