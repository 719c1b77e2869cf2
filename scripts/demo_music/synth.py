"""Building blocks of the instruments: oscillators, plucked strings, envelopes and filters, all mono float32."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfilt

SAMPLE_RATE = 32_000  # Hz: cheaper than 44.1 kHz, and more than an encoder reads
Samples = np.ndarray  # float32, shape (n,)


def distorted_strings(
    pitches: Sequence[int], seconds: float, drive: float, ring: float, vibrato: float = 0.0
) -> Samples:
    """Strings into one overdriven amplifier and a guitar speaker; `ring` is their time constant in seconds."""
    n = count(seconds + 0.03)
    partials = [1 / k for k in range(1, 16)]
    dry = sum(stacked_sines(phase(p, n, vibrato, 5.5), partials) for p in pitches) / len(pitches)
    amplified = np.tanh(drive * dry * np.exp(-times(n) / ring))
    return to_peak(band(amplified * gate(n, seconds, attack=0.002, release=0.03), 75, 4800))


def plucked_string(pitch: int, seconds: float, brightness: float, ring: float, release: float) -> Samples:
    """Karplus and Strong's string, a whole period at a time; `ring` is the time constant in seconds.

    Brightness, 0 to 1, is how much of the pick's noise is left unsmoothed.
    """
    n, base = count(seconds + release), hertz(pitch)
    period = max(int(SAMPLE_RATE / base), 2)
    wave = noise(pitch, period)
    for _ in range(round(8 * (1 - brightness))):
        wave = 0.25 * np.roll(wave, 1) + 0.5 * wave + 0.25 * np.roll(wave, -1)
    wave -= wave.mean()
    loss = np.exp(-1 / (base * ring))
    periods = np.empty((int(n * base * 1.01 / SAMPLE_RATE) + 3, period), np.float32)
    for row in periods:
        row[:] = wave
        wave = loss * (0.75 * wave + 0.25 * np.roll(wave, 1))
    # Periods are whole samples long, and the loss filter delays each by a quarter of one: the reading rate makes up
    # for both, so that the string is in tune.
    string = np.interp(np.arange(n) * base * (period + 0.25) / SAMPLE_RATE, np.arange(periods.size), periods.ravel())
    return to_peak(string * gate(n, seconds, attack=0.001, release=release))


def fading_sine(pitch: int, seconds: float, ring: float, release: float = 0.05) -> Samples:
    """A sine that fades with the time constant `ring`, in seconds."""
    n = count(seconds + release)
    return to_peak(np.sin(phase(pitch, n)) * np.exp(-times(n) / ring) * gate(n, seconds, 0.004, release))


def stacked_sines(angle: np.ndarray, amplitudes: Sequence[float]) -> Samples:
    """Sum of sines at multiples of `angle` that stay below the Nyquist frequency, by Chebyshev's recurrence."""
    slope = (angle[-1] - angle[0]) / (len(angle) - 1)
    below_nyquist = max(int(0.9 * np.pi / slope), 1)
    twice_cosine = (2 * np.cos(angle)).astype(np.float32)
    previous, current = np.zeros(len(angle), np.float32), np.sin(angle).astype(np.float32)
    total = np.zeros(len(angle), np.float32)
    for amplitude in amplitudes[:below_nyquist]:
        total += np.float32(amplitude) * current
        previous, current = current, twice_cosine * current - previous
    return total


def phase(pitch: float, n: int, vibrato: float = 0.0, rate: float = 5.0, scoop: float = 0.0) -> np.ndarray:
    """Phase in radians; vibrato (which sets in after a delay) and scoop (from below) are in semitones."""
    t = times(n)
    if not vibrato and not scoop:
        return 2 * np.pi * hertz(pitch) * t
    bend = vibrato * np.minimum(t / 0.4, 1) * np.sin(2 * np.pi * rate * t) - scoop * np.exp(-t / 0.05)
    return np.cumsum(2 * np.pi * hertz(pitch) / SAMPLE_RATE * 2 ** (bend / 12))


def gate(n: int, seconds: float, attack: float, release: float) -> Samples:
    """An envelope: up over `attack`, down over `release` once `seconds` have passed."""
    t = times(n)
    return (np.minimum(t / attack, 1) * np.clip(1 - (t - seconds) / release, 0, 1)).astype(np.float32)


def band(samples: np.ndarray, low_hertz: float, high_hertz: float) -> Samples:
    """Keep a band between two frequencies."""
    return sosfilt(_band_sections(round(low_hertz), round(high_hertz)), samples).astype(np.float32)


@lru_cache(maxsize=128)
def _band_sections(low_hertz: int, high_hertz: int) -> np.ndarray:
    return butter(2, (low_hertz, high_hertz), "bandpass", fs=SAMPLE_RATE, output="sos")


def noise(seed: int, n: int) -> Samples:
    """White noise between -1 and 1, the same for the same seed."""
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32)


def to_peak(samples: np.ndarray) -> Samples:
    """Scale to a peak of 1."""
    return (samples / max(float(np.abs(samples).max()), 1e-9)).astype(np.float32)


def times(n: int) -> np.ndarray:
    """The time of each of n samples, in seconds."""
    return np.arange(n) / SAMPLE_RATE


def count(seconds: float) -> int:
    """How many samples a time takes."""
    return round(seconds * SAMPLE_RATE)


def hertz(pitch: float) -> float:
    """The frequency of a MIDI pitch, which may be fractional."""
    return 440 * 2 ** ((pitch - 69) / 12)
