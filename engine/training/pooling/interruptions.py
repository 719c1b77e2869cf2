"""Synthetic non-music for training the attention to ignore it: silence, noise, mains hum, and applause."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.models.encoder import SAMPLE_RATE

Samples = NDArray[np.float32]

WINDOWS = 40  # of noise, and of applause; of silence and of hum a quarter of it
LEVEL_RMS = 0.1  # relative to full scale, before a random gain


def synthesise(samples: int, seed: int = 0) -> list[Samples]:
    """Return windows of `samples` at SAMPLE_RATE: dithered silence, coloured noise, mains hum, and applause."""
    rng = np.random.default_rng(seed)
    silence = [_white(samples, rng) * 10 ** (-rng.uniform(60, 110) / 20) for _ in range(WINDOWS // 4)]
    noise = [_noise(samples, rng.uniform(0, 2), rng) * 10 ** (-rng.uniform(0, 60) / 20) for _ in range(WINDOWS)]
    hum = [_hum(samples, rng) for _ in range(WINDOWS // 4)]
    applause = [_applause(samples, 10 ** rng.uniform(1.3, 2.8), rng) for _ in range(WINDOWS)]
    return [np.zeros(samples, np.float32), *silence, *noise, *hum, *applause]


def _white(samples: int, rng: np.random.Generator) -> Samples:
    return rng.normal(0, 1, samples).astype(np.float32)


def _noise(samples: int, slope: float, rng: np.random.Generator) -> Samples:
    """Noise with a power spectrum of 1 / f^slope: white 0, pink 1, brown 2."""
    frequencies = np.fft.rfftfreq(samples)
    frequencies[0] = frequencies[1]
    shape = (rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))) / frequencies ** (slope / 2)
    noise = np.fft.irfft(shape, samples)
    return (LEVEL_RMS * noise / noise.std()).astype(np.float32)


def _hum(samples: int, rng: np.random.Generator) -> Samples:
    """Mains hum of 50 or 60 Hz with harmonics 2, 3 and 5, over pink noise."""
    time = np.arange(samples) / SAMPLE_RATE
    mains = rng.choice([50, 60])
    tones = sum(np.sin(2 * np.pi * h * mains * time + rng.uniform(0, 6)) / h for h in (1, 2, 3, 5))
    return (LEVEL_RMS / 2 * tones + _noise(samples, 1, rng) / 2).astype(np.float32)


def _applause(samples: int, claps_per_second: float, rng: np.random.Generator) -> Samples:
    """Claps at random times (noise bursts of 7 to 19 ms around 0.8 to 2.6 kHz) with 0.2 s of reverberation."""
    sound = np.zeros(samples, np.float32)
    for start in rng.integers(0, samples - 600, rng.poisson(claps_per_second * samples / SAMPLE_RATE)):
        length = int(rng.uniform(150, 420))
        time = np.arange(length)
        tone = np.sin(2 * np.pi * rng.uniform(800, 2600) * time / SAMPLE_RATE)
        burst = rng.normal(0, 1, length) * np.exp(-5 * time / length) * tone
        sound[start : start + length] += (rng.uniform(0.1, 1) * burst).astype(np.float32)
    room = (rng.normal(0, 0.03, SAMPLE_RATE // 5) * np.exp(-np.arange(SAMPLE_RATE // 5) / 900)).astype(np.float32)
    room[0] = 1
    return 2 * LEVEL_RMS * np.convolve(sound, room)[:samples].astype(np.float32)
