"""Power spectra of samples, mel filters for them, and decibels.

librosa has both, but importing it takes a second, and at its first use on a machine it compiles for half a minute.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from engine.indexer.audio.samples import Samples

FAINTEST_POWER = 1e-10
BLOCK = 64  # frames transformed at a time: their samples stay in the processor's cache

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def power_spectrum(samples: Samples, frame: int, hop: int) -> Floats:
    """The power spectrum of samples (n,) under a Hann window, each frame centred on a multiple of hop.

    Args:
        samples: Mono; taken as 0 before its start and after its end.
        frame: Samples in a frame, even.
        hop: Samples between the centres of neighbouring frames.

    Returns:
        (1 + n // hop, frame // 2 + 1), float32.
    """
    window = np.hanning(frame + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, frame // 2), frame)[::hop]
    power = np.empty((len(frames), frame // 2 + 1), np.float32)
    for start in range(0, len(frames), BLOCK):
        spectrum = fft.rfft(frames[start : start + BLOCK] * window, axis=-1)
        power[start : start + BLOCK] = spectrum.real**2 + spectrum.imag**2
    return power


@cache
def mel_filters(frame: int, sample_rate: int, bands: int, lowest: float, highest: float) -> Floats:
    """Mel filters from `lowest` to `highest` hertz, of Slaney's scale and areas: (frame // 2 + 1, bands).

    Band m is a triangle over hertz from edge m to edge m + 2, with its peak at edge m + 1 and an area of 1.
    """
    edges = mel_edges(bands, lowest, highest)
    widths = np.diff(edges)
    from_edges = np.fft.rfftfreq(frame, 1 / sample_rate)[:, None] - edges  # (frame / 2 + 1, bands + 2), Hz
    rising, falling = from_edges[:, :-2] / widths[:-1], -from_edges[:, 2:] / widths[1:]
    heights = 2 / (edges[2:] - edges[:-2])
    return (np.maximum(np.minimum(rising, falling), 0) * heights).astype(np.float32)


def decibels(power: Floats, range_db: float) -> Floats:
    """Return power of any shape in decibels, at most `range_db` below the largest."""
    found = 10 * np.log10(np.maximum(power, FAINTEST_POWER))
    return np.maximum(found, found.max() - range_db)


def mel_edges(bands: int, lowest: float, highest: float) -> Doubles:
    """(bands + 2,), Hz, evenly spaced in mels: m = 3 f / 200 below 1 kHz, 15 + 27 ln(f / 1000) / ln 6.4 above."""
    ends = np.array([lowest, highest])
    mels = np.where(ends < 1000, 3 * ends / 200, 15 + 27 * np.log(np.maximum(ends, 1) / 1000) / np.log(6.4))
    spaced = np.linspace(mels[0], mels[1], bands + 2)
    return np.where(spaced < 15, 200 * spaced / 3, 1000 * 6.4 ** ((spaced - 15) / 27))
