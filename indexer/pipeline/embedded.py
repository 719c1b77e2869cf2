"""The result of encoding a file. Imports no torch, so that stages that need no encoder start fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.embedding import TrackEmbedding


@dataclass(frozen=True, eq=False)  # comparing arrays gives no single truth value
class EmbeddedTrack:
    """What indexing stores of a file.

    Attributes:
        metadata: The file's tags.
        duration_seconds: Length of the file.
        embedding: The encoder's output.
        aspects: Descriptors of rhythm and harmony, unit vectors (64,), by kind (`engine.indexer.aspects.kinds`).
    """

    metadata: dict[str, str]
    duration_seconds: float
    embedding: TrackEmbedding
    aspects: dict[str, NDArray[np.float32]]
