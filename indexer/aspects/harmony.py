"""Key-invariant harmony: products of the chroma's Fourier coefficients that a transposition does not change.

Chroma. x_t(p), p = 0..11, is the log-compressed magnitude of each pitch class in a frame, six frames a second, of zero
mean and unit length, so that neither level nor noise counts. Z_t(k) = sum_p x_t(p) exp(-2 pi i k p / 12), k = 1..6,
measures how close the frame is to k equal divisions of the octave (Quinn 2006; Amiot 2016, "Music Through Fourier
Space"): k = 5 fifths and the diatonic scale, k = 3 thirds, k = 4 diminished sevenths, k = 6 whole tones.

Key. Transposed by s semitones, Z_t(k) becomes Z_t(k) exp(-2 pi i k s / 12). Products whose exponents cancel do not:

    cross-spectra  mean_t Z_t(k) conj Z_(t+lag)(k)     the steps of the harmony within a lag, and their direction
    triple products  mean_t Z_t(a) Z_t(b) Z_t(c), a + b + c = 0 (mod 12)     the kinds of chords

The cross-spectra contain all information in the magnitude of the two-dimensional Fourier transform of chroma (Ellis and
Bertin-Mahieux 2012, "Large-scale cover song recognition using the 2D Fourier transform magnitude"), since that is the
transform of the chroma's autocorrelation over time and pitch. Neither distinguishes a chord from its mirror image: a
major triad has the intervals of a minor one. The triple products (the bispectrum, Kakarala 2012) do.

Of 20 progressions on five instruments in four keys (`scripts/bench/aspects.py`), the two-dimensional transform finds
the progression on another instrument in 77 % of the first answers, these products in 92 %; chroma statistics at the
best of twelve transpositions in 94 %, at twelve times the cost of a search and without an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from engine.indexer.audio.samples import Samples
from engine.indexer.audio.spectrum import power_spectrum

SAMPLE_RATE = 22_050
DECIMATION = 4
TAPS = 16
FRAME, HOP = 2048, 919  # samples at a quarter of the rate: 0.37 s, 1/6 s
LOWEST, HIGHEST = 60.0, 2000.0  # Hz
SEMITONE_WIDTH = 0.35  # standard deviation of a pitch class, in semitones
LEAST_CONTRAST = 1e-3  # of the sum of a frame's chroma: deviations below count less

LAGS = (3, 6, 9, 12, 15)  # frames: 0.5 to 2.5 s
TRIPLES = ((3, 4, 5), (1, 5, 6), (2, 4, 6), (1, 2, 9), (1, 3, 8), (1, 4, 7), (2, 3, 7))
ORDERS = 6
FEATURES = ORDERS + 2 * ORDERS * len(LAGS) + 2 * len(TRIPLES)
TINY = 1e-9

Floats = NDArray[np.float32]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class HarmonySums:
    """Sums over frames, and the number of frames in each.

    Attributes:
        crosses: (1 + len(LAGS), ORDERS), at lag 0 and at LAGS.
        triples: (len(TRIPLES),).
        counts: (1 + len(LAGS),).
    """

    crosses: Complexes
    triples: Complexes
    counts: NDArray[np.int64]

    def __add__(self, other: HarmonySums) -> HarmonySums:
        return HarmonySums(self.crosses + other.crosses, self.triples + other.triples, self.counts + other.counts)


def chroma(window: Samples) -> Floats:
    """The chroma of a window (L,) at SAMPLE_RATE, each frame of mean 0 and length 1 (0 without pitches): (T, 12)."""
    slow = _decimated(window)
    magnitude = np.sqrt(power_spectrum(slow, FRAME, HOP)[:, : len(_pitch_classes())])
    folded = np.log1p(magnitude) @ _pitch_classes()  # (T, 12)
    deviation = folded - folded.mean(axis=1, keepdims=True)
    length = np.linalg.norm(deviation, axis=1, keepdims=True)
    return deviation / (length + LEAST_CONTRAST * folded.sum(axis=1, keepdims=True) + TINY)


def harmony_sums(window: Samples) -> HarmonySums:
    """The sums of one window (L,); those of several windows add up."""
    orders = fft.fft(chroma(window), axis=1)  # Z, (T, 12)
    low = orders[:, 1 : ORDERS + 1]
    length = len(low)
    crosses = [np.sum(low[: max(length - lag, 0)] * low[lag:].conj(), axis=0) for lag in (0, *LAGS)]
    a, b, c = (orders[:, [triple[i] for triple in TRIPLES]] for i in range(3))
    counts = np.array([max(length - lag, 0) for lag in (0, *LAGS)])
    return HarmonySums(np.array(crosses, np.complex128), np.sum(a * b * c, axis=0), counts)


def harmony_features(sums: HarmonySums) -> Floats:
    """Means of the products over all frames: (FEATURES,), all 0 without pitches."""
    means = sums.crosses / np.maximum(sums.counts, 1)[:, None]
    triples = sums.triples / max(int(sums.counts[0]), 1)
    steps = means[1:]
    parts = (means[0].real, steps.real, steps.imag, triples.real, triples.imag)
    return np.concatenate([part.reshape(-1) for part in parts]).astype(np.float32)


def _decimated(window: Samples) -> Floats:
    """A window (L,) low-passed, at a quarter of the rate: each output is a product with TAPS samples."""
    blocks = window[: len(window) // DECIMATION * DECIMATION].reshape(-1, DECIMATION) @ _taps()  # (L / 4, TAPS / 4)
    count = max(len(blocks) - blocks.shape[1] + 1, 0)
    return sum((blocks[i : i + count, i] for i in range(blocks.shape[1])), np.zeros(count, np.float32))


@cache
def _taps() -> Floats:
    """The low-pass filter, a column for each block of DECIMATION samples.

    A sinc that passes 0.85 of the band that is left, under a Hamming window, with a gain of 1 at 0 Hz.
    `scipy.signal.firwin` designs the same one, but takes a second to import.
    """
    taps = np.sinc(0.85 / DECIMATION * (np.arange(TAPS) - (TAPS - 1) / 2)) * np.hamming(TAPS)
    return np.ascontiguousarray((taps / taps.sum()).astype(np.float32).reshape(-1, DECIMATION).T)


@cache
def _pitch_classes() -> Floats:
    """How far each bin up to HIGHEST belongs to each pitch class, from C upwards: (bins, 12)."""
    hertz = np.arange(1, FRAME // 2 + 1) * SAMPLE_RATE / DECIMATION / FRAME
    hertz = hertz[hertz <= HIGHEST]
    pitch = 69 + 12 * np.log2(hertz / 440)
    distance = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
    weights = np.exp(-0.5 * (distance / SEMITONE_WIDTH) ** 2) * (hertz >= LOWEST)[:, None]
    return np.concatenate([np.zeros((1, 12)), weights]).astype(np.float32)  # bin 0: no pitch
