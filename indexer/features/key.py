"""Key of a minute of music: the key profile that its mean chroma resembles most.

Chroma. The power of each bin belongs to the twelve pitch classes by its distance from them, and counts by its distance
from the middle octaves (Ellis 2007, "Chroma feature analysis and synthesis", as `librosa.feature.chroma_stft` computes
it; for why librosa is not called, see `engine.indexer.features.tempo`). The tuning is the most frequent deviation of
spectral peaks from the semitones of a' = 440 Hz.

Key. k maximises the correlation r_k = cov(c, p_k) / (sd(c) sd(p_k)) of the mean chroma c (12,) with the 24 rotations
p_k of a major and a minor profile (Krumhansl 1990, "Cognitive Foundations of Musical Pitch", chapter 4); profiles from
Temperley 2007, "Music and Probability", table 6.1 (Kostka-Payne corpus).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.indexer.audio.samples import Samples
from engine.indexer.audio.spectrum import power_spectrum

FRAME, HOP = 8192, 2048  # samples; bins of 2.7 Hz separate semitones above 50 Hz
LEAST_CONTRAST = 0.09  # deviation over mean of the twelve; noise has 0.08, the least tonal music measured 0.10

CONCERT_PITCH = 440.0  # Hz
MIDDLE, WIDTH = 5.0, 2.0  # octaves above 27.5 Hz, of the bins that count most, and the deviation from it
PEAKS = (150.0, 4000.0)  # Hz
LEAST_PEAK = 0.1  # of the largest power in a frame
CENTS = 100  # tunings compared, in a semitone

MAJOR_PROFILE = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR_PROFILE = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
PROFILES = np.array([np.roll(profile, i) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for i in range(12)])  # (24, 12)
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS = (*(f"{tonic} major" for tonic in MAJOR_TONICS), *(f"{tonic} minor" for tonic in MINOR_TONICS))

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def key_of(samples: Samples, sample_rate: int) -> str | None:
    """Return the key, one of KEYS, of samples (n,), at least some seconds of sound; None if they are not tonal."""
    power = power_spectrum(samples, FRAME, HOP)
    chroma = mean_chroma(power, sample_rate, tuning(power, sample_rate))
    if chroma.std() < LEAST_CONTRAST * chroma.mean():
        return None
    return KEYS[int(np.argmax(np.corrcoef(PROFILES, chroma)[-1, :-1]))]


def mean_chroma(power: Floats, sample_rate: int, tuning: float) -> Floats:
    """Return the mean chroma, from C upwards, of a power spectrum (T, FRAME / 2 + 1): (12,). Loud frames count no more.

    Args:
        power: As `power_spectrum` gives it, for FRAME and HOP.
        sample_rate: Hz.
        tuning: Semitones above concert pitch.
    """
    chroma = power @ _pitch_classes(sample_rate, tuning)
    largest = chroma.max(axis=1, keepdims=True)
    normed: Floats = np.divide(chroma, largest, out=np.zeros_like(chroma), where=largest > 0)
    return normed.mean(axis=0)


def tuning(power: Floats, sample_rate: int) -> float:
    """Return the tuning, -0.5 to 0.5 semitones above concert pitch, of a power spectrum; 0 without peaks."""
    shift, height = _parabolas(power)
    hertz = np.fft.rfftfreq(FRAME, 1 / sample_rate)
    large = np.where(power > LEAST_PEAK * power.max(axis=1, keepdims=True), power, 0)
    padded = np.pad(large, ((0, 0), (1, 1)), mode="edge")
    is_peak = (large > padded[:, :-2]) & (large >= padded[:, 2:]) & (hertz >= PEAKS[0]) & (hertz < PEAKS[1])
    frames, bins = np.nonzero(is_peak)
    if not len(bins):
        return 0.0
    heights = height[frames, bins]
    pitches = (bins + shift[frames, bins])[heights >= np.median(heights)] * (sample_rate / FRAME)
    deviations = (12 * np.log2(pitches / CONCERT_PITCH) + 0.5) % 1 - 0.5
    counts, edges = np.histogram(deviations, np.linspace(-0.5, 0.5, CENTS + 1))
    return float(edges[np.argmax(counts)])


def _parabolas(power: Floats) -> tuple[Floats, Floats]:
    """Return offset and height of the vertex of the parabola through each bin and its neighbours: both shaped as power.

    The offset from the bin is between -1 and 1 bins; 0 for the first and last bin, and where the vertex is farther.
    """
    shift = np.zeros_like(power)
    curvature = power[:, 2:] + power[:, :-2] - 2 * power[:, 1:-1]
    slope = (power[:, 2:] - power[:, :-2]) / 2
    np.divide(-slope, curvature, out=shift[:, 1:-1], where=np.abs(slope) < np.abs(curvature))
    height = power.copy()
    height[:, 1:-1] += 0.5 * slope * shift[:, 1:-1]
    return shift, height


def _pitch_classes(sample_rate: int, tuning: float) -> Floats:
    """Return how much each bin counts for each pitch class, from C upwards: (FRAME / 2 + 1, 12)."""
    hertz = np.arange(1, FRAME) * sample_rate / FRAME
    pitch = 12 * np.log2(hertz / (CONCERT_PITCH * 2 ** (tuning / 12) / 16))  # semitones above 27.5 Hz, an A
    pitch = np.concatenate([[pitch[0] - 18], pitch])  # (FRAME,); bin 0 counts as an octave and a half below bin 1
    widths = np.concatenate([np.maximum(np.diff(pitch), 1), [1]])[:, None]  # low bins are wider than a semitone
    distance = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
    weights = np.exp(-0.5 * (2 * distance / widths) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights *= np.exp(-0.5 * ((pitch / 12 - MIDDLE) / WIDTH) ** 2)[:, None]
    return np.roll(weights[: FRAME // 2 + 1], -3, axis=1).astype(np.float32)  # from A upwards to from C upwards
