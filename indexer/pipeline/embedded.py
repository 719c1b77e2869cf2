"""The result of encoding a file. Imports no torch, so that stages that need no encoder start fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.embedding import TrackEmbedding


@dataclass(frozen=True, eq=False)
class EmbeddedTrack:
    """The tags and length of a file, its embedding, and its aspects by kind (`engine.indexer.aspects`)."""

    metadata: dict[str, str]
    duration_seconds: float
    embedding: TrackEmbedding
    aspects: dict[str, NDArray[np.float32]]
