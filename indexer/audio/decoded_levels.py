"""Length and levels of a file by decoding all of it: slow, but the length is always right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.placement import block_levels, block_samples, bounds_of
from engine.indexer.audio.samples import Samples, clean

ROUNDING = 1e-6  # of a block: times are multiples of its length up to the error of floats


@dataclass(frozen=True, eq=False)
class DecodedLevels:
    """A decoded file's length in seconds, and the RMS of its consecutive blocks of `block_seconds`, (B,)."""

    duration: float
    block_seconds: float
    levels: NDArray[np.float32]

    def between(self, start: float, stop: float) -> NDArray[np.float32]:
        """Return the levels of the blocks that begin in [start, stop) seconds."""
        return self.levels[self._block(start) : self._block(stop)]

    def bounds(self, start: float, stop: float, floor: float) -> tuple[float, float] | None:
        """Return the bounds, in seconds, of the sound from `start` to `stop`; None if all is below `floor`."""
        found = bounds_of(self.between(start, stop), floor, self.block_seconds)
        if found is None:
            return None
        begin = self._block(start) * self.block_seconds
        return begin + found[0], min(begin + found[1], stop, self.duration)

    def _block(self, time: float) -> int:
        """Return the first block that begins at a time or later."""
        return max(0, math.ceil(time / self.block_seconds - ROUNDING))


def levels_of(samples: Samples, sample_rate: int) -> DecodedLevels:
    """Return length and levels of samples (n,) in memory."""
    found = block_levels(samples, sample_rate)
    return DecodedLevels(len(samples) / sample_rate, block_samples(sample_rate) / sample_rate, found)


def decode_levels(audio: AudioFile) -> DecodedLevels:
    """Decode a file from its beginning to its end, block by block; memory does not grow with the samples."""
    audio.rewind()
    rate = audio.info.sample_rate
    block = block_samples(rate)
    powers, rest, end = list[NDArray[np.float32]](), np.zeros(0, np.float32), 0
    for chunk in audio.chunks():
        samples = np.concatenate([rest, clean(chunk.samples)])
        whole = len(samples) // block * block
        pieces, rest = samples[:whole].reshape(-1, block), samples[whole:]
        powers.append(np.einsum("bl,bl->b", pieces, pieces) / block)
        end = max(end, chunk.position + len(chunk.samples))
    if len(rest):
        powers.append(np.array([rest @ rest / len(rest)], np.float32))
    levels = np.sqrt(np.concatenate(powers)) if powers else np.zeros(0, np.float32)
    return DecodedLevels(end / rate, block / rate, levels)
