"""Tempo of a minute of music: Ellis 2007, "Beat tracking by dynamic programming", with librosa's settings.

Onsets. o(t) is the increase of the mel spectrogram in decibels from frame to frame, averaged over its bands, 43 frames
a second.

Tempo. The autocorrelation of o over windows of 8 s, averaged over the windows, weighted by a preference for 120 beats a
minute (a normal distribution over octaves), is largest at the period P.

Beats. With o smoothed to the width of a beat, the best score of a beat at t is (equation 5)

    C(t) = o(t) + max_{P/2 <= lag <= 2P} (C(t - lag) - TIGHTNESS ln(lag / P)^2)

and the beats are those that lead to the last large local maximum of C. The slope of a line through them is finer than
the grid of lags.

The beats are those of `librosa.beat.beat_track` (`scripts/bench/tempo_and_key.py`), which is not called: Numba keeps
its compiled functions in two files each, and two processes that compile them at once mix the pairs; every later call
then ends the process with a segmentation fault (numba#10128). It also compiles for half a minute at its first use.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from engine.indexer.audio.samples import Samples
from engine.indexer.audio.spectrum import decibels, mel_filters, power_spectrum

FRAME, HOP = 2048, 512  # samples
MEL_BANDS = 128
RANGE_DB = 80.0

FAINTEST_ONSETS = 0.1  # standard deviation of onset strength; a drone has 0.06, the calmest music measured 0.29
CORRELATED_SECONDS = 8.0
PREFERRED_TEMPO, FASTEST_TEMPO = 120.0, 320.0  # beats a minute
TIGHTNESS = 100.0
SMOOTHING = 32.0  # standard deviations of the smoothing in a period
FIRST_ONSET = 0.01  # of the largest
FEWEST_BEATS = 4
STEADY = 3.0  # least autocorrelation of onsets at one beat, in standard errors; noise reached 2.4

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def beats_per_minute(samples: Samples, sample_rate: int) -> float | None:
    """Return the tempo of samples (n,), at least some seconds of sound; None without a steady pulse.

    Octave errors occur: half or twice, seldom three halves, of the tempo that a listener taps.
    """
    onsets = onset_strength(samples, sample_rate)
    if onsets.std() < FAINTEST_ONSETS:
        return None
    frames_a_minute = 60 * sample_rate / HOP
    found = beats(onsets, likely_period(onsets, frames_a_minute))
    if len(found) < FEWEST_BEATS:
        return None
    period = float(np.polyfit(np.arange(len(found)), found, 1)[0])  # in frames
    return frames_a_minute / period if _is_steady(onsets, period) else None


def onset_strength(samples: Samples, sample_rate: int) -> Floats:
    """Return the onset strength of samples (n,), 0 or more: (1 + n // HOP,)."""
    filters = mel_filters(FRAME, sample_rate, MEL_BANDS, 0.0, sample_rate / 2)
    mel = decibels(power_spectrum(samples, FRAME, HOP) @ filters, RANGE_DB)
    rises = np.diff(mel, axis=0)
    strength = np.maximum(rises, 0).mean(axis=1)
    # A frame holds an onset from the moment that its end, half a frame ahead of its centre, reaches it.
    return np.pad(strength, (1 + FRAME // (2 * HOP), 0))[: len(mel)]


def likely_period(onsets: Floats, frames_a_minute: float) -> int:
    """Return the period of the most likely tempo, in frames, of onsets (T,)."""
    length = math.floor(CORRELATED_SECONDS * frames_a_minute / 60)
    padded = np.pad(onsets, length // 2, mode="linear_ramp")
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[: len(onsets)]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    spectra = fft.rfft(windows * window, fft.next_fast_len(2 * length, real=True), axis=-1)
    products = fft.irfft(spectra.real**2 + spectra.imag**2, axis=-1)[:, :length]
    energy = products[:, :1]  # at lag 0, the largest
    correlation = np.divide(products, energy, out=np.zeros_like(products), where=energy > 0).mean(axis=0)
    tempi = frames_a_minute / np.arange(1, length)  # of lag 1 upwards
    preference = np.where(tempi < FASTEST_TEMPO, -0.5 * np.log2(tempi / PREFERRED_TEMPO) ** 2, -np.inf)
    return 1 + int(np.argmax(np.log1p(1e6 * np.maximum(correlation[1:], 0)) + preference))


def beats(onsets: Floats, period: int) -> NDArray[np.intp]:
    """Return the frames of beats that are about a period (frames, at least 1) apart in onsets (T,), in order."""
    around = np.arange(-period, period + 1) * SMOOTHING / period
    smooth = np.convolve(onsets / onsets.std(ddof=1), np.exp(-0.5 * around**2))[period : period + len(onsets)]
    scores, before = _best_scores(smooth.astype(np.float64), period)
    found = []
    frame = _last_beat(scores)
    while frame >= 0:
        found.append(frame)
        frame = int(before[frame])
    heard = np.flatnonzero(smooth > 0)  # no beats in the silence at either end
    return np.array([frame for frame in reversed(found) if heard[0] <= frame <= heard[-1]], np.intp)


def _best_scores(smooth: Doubles, period: int) -> tuple[Doubles, NDArray[np.intp]]:
    """Return C and, for a beat at each frame, the frame of the one before it, -1 for none: both (T,)."""
    lags = np.arange(round(period / 2), 2 * period + 1)
    lags = lags[lags > 0]
    penalties = TIGHTNESS * np.log(lags / period) ** 2
    scores, before = smooth.copy(), np.full(len(smooth), -1, np.intp)
    started = False
    for frame in range(int(lags[0]), len(smooth)):
        reachable = lags[: frame - int(lags[0]) + 1]  # no beat before frame 0
        candidates = scores[frame - reachable] - penalties[: len(reachable)]
        best = int(np.argmax(candidates))
        scores[frame] += candidates[best]
        started = started or bool(smooth[frame] >= FIRST_ONSET * smooth.max())
        if started:
            before[frame] = frame - lags[best]
    return scores, before


def _last_beat(scores: Doubles) -> int:
    """Return the last local maximum of scores (T,) that is at least half of their median; the last frame if none is."""
    padded = np.pad(scores, 1, mode="edge")
    maxima = np.flatnonzero((scores > padded[:-2]) & (scores >= padded[2:]))
    large = maxima[scores[maxima] >= 0.5 * np.median(scores[maxima])] if len(maxima) else maxima
    return int(large[-1]) if len(large) else len(scores) - 1


def _is_steady(onsets: Floats, period: float) -> bool:
    """Return whether the autocorrelation of n onset values at one beat exceeds chance (standard error n^-1/2)."""
    deviation, lag = onsets - onsets.mean(), round(period)  # (n,), frames
    likeness = float(deviation[lag:] @ deviation[:-lag]) / float(deviation @ deviation)
    return likeness * math.sqrt(len(onsets)) >= STEADY
