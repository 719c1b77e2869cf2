"""Decimate by an integer factor M: a linear-phase low-pass filter, evaluated at every M-th sample only.

With taps h_k = sinc(k c / M) w_k (w a Kaiser window, c the cutoff, normalised to sum_k h_k = 1) the output is
y_n = sum_k h_k x_{nM+k}. BLOCK outputs are one row of inputs times a banded Toeplitz matrix H, H[nM + k, n] = h_k: a
BLAS product, several times faster than stepping a general polyphase resampler through the samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

HALF_WIDTH = 48  # of the filter in output samples: flat to 0.92 of the output's Nyquist frequency, -80 dB from 1.04
KAISER_BETA = 8.0
CUTOFF = 0.97  # c, of the output's Nyquist frequency
BLOCK = 32  # output samples of one row of the product


class Decimator:
    """Decimate a stream without delay: output sample n is at the time of input sample n * factor.

    Args:
        factor: M, 2 or more.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._centre = HALF_WIDTH * factor
        self._matrix = _banded(factor)  # (samples in, BLOCK)
        self._pending = np.zeros(self._centre, np.float32)  # inputs of later outputs; starts with silence

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Yield the whole blocks (BLOCK * rows,) that the samples (n,) complete."""
        self._pending = np.concatenate([self._pending, samples])
        needed, step = len(self._matrix), BLOCK * self.factor
        rows = (len(self._pending) - needed) // step + 1 if len(self._pending) >= needed else 0
        if rows:
            windows = np.lib.stride_tricks.sliding_window_view(self._pending, needed)[::step][:rows]
            yield (windows @ self._matrix).ravel()
            self._pending = self._pending[rows * step :]

    def flush(self) -> Iterator[Samples]:
        """Yield the remaining output samples, as if silence followed."""
        left = -(-(len(self._pending) - self._centre) // self.factor)
        silence = np.zeros(len(self._matrix) + BLOCK * self.factor, np.float32)
        rest = list(self.push(silence))
        if left > 0:
            yield np.concatenate(rest)[:left]


@cache
def _banded(factor: int) -> Samples:
    """Return H, (2 * HALF_WIDTH * factor + 1 + (BLOCK - 1) * factor, BLOCK); column n is h, shifted by n * factor."""
    reach = HALF_WIDTH * factor
    times = np.arange(-reach, reach + 1)
    taps = np.sinc(times * CUTOFF / factor) * np.kaiser(len(times), KAISER_BETA)
    taps /= taps.sum()
    matrix = np.zeros((len(taps) + (BLOCK - 1) * factor, BLOCK), np.float32)
    for column in range(BLOCK):
        matrix[column * factor : column * factor + len(taps), column] = taps
    return matrix
