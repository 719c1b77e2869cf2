"""The embedding of one track, as the encoder returns it and the library stores it.

It imports only NumPy, so that `engine.models` and `engine.db`, which do not import each other, can share it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

# Tolerances for two files of one recording. They cover rounding; two encodings of one recording differ by more.
SAME_SECONDS = 0.05
SAME_SIGNATURE = 0.9999  # cosine
RECORDING_SECONDS = 3.0  # by which files of one MusicBrainz recording may differ in length


@dataclass(frozen=True, eq=False)
class TrackEmbedding:
    """An encoder's output for one track of S segments; the arrays are float32.

    Attributes:
        signature: Unit vector, (D,).
        genres: Probabilities over the encoder's genres, (G,), sum to 1.
        moods: Probabilities over the encoder's moods, (M,), sum to 1.
        starts: Start of each segment in seconds, (S,).
        attention: Weight of each segment, (S,), sum to 1.
        segment_vectors: h, (S, D), not normalised; stored, and so rounded, as float16.
        words: Independent probability of each of the encoder's words, (V,); V is 0 for an encoder without words.
    """

    signature: Floats
    genres: Floats
    moods: Floats
    starts: Floats
    attention: Floats
    segment_vectors: Floats
    words: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
