"""Length and levels of a file by decoding all of it: slow, but the length is always right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.samples import clean


@dataclass(frozen=True, eq=False)
class DecodedLevels:
    """A decoded file's length in seconds, and the RMS of its consecutive blocks of `block_seconds`, (B,)."""

    duration: float
    block_seconds: float
    levels: NDArray[np.float32]

    def between(self, start: float, stop: float) -> NDArray[np.float32]:
        """Return the levels of the blocks that begin in [start, stop) seconds."""
        return self.levels[max(0, round(start / self.block_seconds)) : max(0, round(stop / self.block_seconds))]


def decode_levels(audio: AudioFile, seconds: float) -> DecodedLevels:
    """Decode a file from its beginning to its end, in blocks of `seconds`; memory does not grow with the samples."""
    audio.rewind()
    rate = audio.info.sample_rate
    block = max(1, round(seconds * rate))
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
