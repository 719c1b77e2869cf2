"""The waveform of a file, for a player's seek bar; runs in a decoder's process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indexer.audio.decode import AudioFile

BLOCK_SECONDS = 0.1
PEAKS = 1000  # of a waveform
SAMPLE_RATE = 8000  # enough for peaks


@dataclass(frozen=True, eq=False)
class Waveform:
    """The loudest sample of each of P equal parts of a file.

    Attributes:
        seconds: Length of the sound.
        peaks: (P,) of uint8, 255 for full scale and above; P is 1000, fewer for a file under 100 s.
    """

    seconds: float
    peaks: NDArray[np.uint8]


def read_waveform(path: bytes) -> Waveform:
    """Decode a whole file and return its waveform; raises AudioError."""
    maxima, total = [], 0
    with AudioFile.open(path) as audio:
        for block in audio.blocks(BLOCK_SECONDS, SAMPLE_RATE):
            maxima.append(float(np.abs(block).max(initial=0)))
            total += len(block)
    count = min(PEAKS, len(maxima))
    edges = np.linspace(0, len(maxima), count + 1).astype(int)[:-1]
    peaks = np.maximum.reduceat(np.array(maxima), edges)
    return Waveform(total / SAMPLE_RATE, np.clip(np.round(255 * peaks), 0, 255).astype(np.uint8))
