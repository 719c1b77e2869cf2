"""Songs for tests of what is the same recording: melodies, and versions of them as collections hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

PLUCKED = (1.0, 0.5, 0.25, 0.12)
HOLLOW = (0.6, 1.0, 0.1, 0.6, 0.3, 0.3)
"""Levels of an instrument's harmonics."""


def melody(
    seed: int, seconds: float, sample_rate: int, harmonics: tuple[float, ...] = PLUCKED, up: int = 0, tempo: float = 1.0
) -> Sound:
    """Two voices of plucked notes drawn from a seed: (n,), moved `up` semitones, `tempo` times as fast."""
    random = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * sample_rate), np.float32)
    at = 0.0
    while at < seconds:
        length = float(random.choice([0.25, 0.5, 0.5, 1.0])) / tempo
        start, stop = round(at * sample_rate), min(round((at + 1.2 * length) * sample_rate), len(sound))
        time = np.arange(max(0, stop - start)) / sample_rate
        envelope = np.minimum(time / 0.01, 1) * np.exp(-3 * time)
        for pitch in random.integers(45, 80, 2) + up:
            frequency = 440 * 2 ** ((pitch - 69) / 12)
            for number, level in enumerate(harmonics, start=1):
                if number * frequency < sample_rate / 2:
                    wave = 0.15 * level * envelope * np.sin(2 * np.pi * number * frequency * time)
                    sound[start:stop] += wave.astype(np.float32)
        at += length
    return sound


def brighter(sound: Sound, sample_rate: int, decibels_an_octave: float = 2.0) -> Sound:
    """As another mastering might have it: highs up, lows down, around 500 Hz."""
    spectrum, frequencies = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / sample_rate)
    gain = decibels_an_octave * np.log2(np.maximum(frequencies, 20) / 500)
    return np.fft.irfft(spectrum * 10 ** (np.clip(gain, -12, 8) / 20), len(sound)).astype(np.float32)
