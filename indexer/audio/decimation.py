"""Resampling to a half, a third, ... of a rate as products of matrices: a linear-phase filter, only where it counts.

A block of samples times one banded matrix gives BLOCK filtered samples at once. BLAS does that several times faster
than a general resampler steps through its filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

HALF_WIDTH = 48  # of the filter, in samples at the lower rate: flat to 0.92 of its band, -80 dB from 1.04 on
KAISER_BETA = 8.0
CUTOFF = 0.97  # of the lower rate's band
BLOCK = 32  # samples at the lower rate from one row of the product


class Decimator:
    """A stream at a rate -> the same at 1 / factor of it; sample n stands where sample n * factor stood.

    Args:
        factor: 2 or more.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._centre = HALF_WIDTH * factor
        self._matrix = _banded(factor)  # (samples in, BLOCK)
        self._held = np.zeros(self._centre, np.float32)  # what came before the beginning

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Yield what can be said so far: whole blocks."""
        self._held = np.concatenate([self._held, samples])
        needed, step = len(self._matrix), BLOCK * self.factor
        rows = (len(self._held) - needed) // step + 1 if len(self._held) >= needed else 0
        if rows:
            windows = np.lib.stride_tricks.sliding_window_view(self._held, needed)[::step][:rows]
            yield (windows @ self._matrix).ravel()
            self._held = self._held[rows * step :]

    def flush(self) -> Iterator[Samples]:
        """Yield the rest: silence follows."""
        left = -(-(len(self._held) - self._centre) // self.factor)
        silence = np.zeros(len(self._matrix) + BLOCK * self.factor, np.float32)
        rest = list(self.push(silence))
        if left > 0:
            yield np.concatenate(rest)[:left]


@cache
def _banded(factor: int) -> Samples:
    """The filter, once for each of BLOCK outputs: (2 * HALF_WIDTH * factor + 1 + (BLOCK - 1) * factor, BLOCK)."""
    reach = HALF_WIDTH * factor
    times = np.arange(-reach, reach + 1)
    taps = np.sinc(times * CUTOFF / factor) * np.kaiser(len(times), KAISER_BETA)
    taps /= taps.sum()
    matrix = np.zeros((len(taps) + (BLOCK - 1) * factor, BLOCK), np.float32)
    for column in range(BLOCK):
        matrix[column * factor : column * factor + len(taps), column] = taps
    return matrix
