"""An empty library, and tracks and signatures to put into it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.db import Database, NewTrack, Signature, open_database
from engine.embedding import TrackEmbedding

DIMENSIONS, WINDOWS = 8, 3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A new library."""
    with open_database(tmp_path / "library.db", create=True) as opened:
        yield opened


@pytest.fixture
def new_track() -> Callable[..., NewTrack]:
    """A function that makes a track at a path, with other fields on request."""

    def make(path: bytes = b"/music/a.flac", **changes: object) -> NewTrack:
        fields: dict[str, Any] = {
            "size": 1000,
            "mtime_ns": 17,
            "content_hash": b"hash of " + path,
            "duration_seconds": 12.5,
        }
        return NewTrack(path, **(fields | changes))

    return make


@pytest.fixture
def new_signature() -> Callable[..., Signature]:
    """A function that makes a signature of a track, its numbers drawn from a seed."""

    def make(track_id: int, encoder: str = "a@1", coverage: str = "windows", seed: int = 0) -> Signature:
        random = np.random.default_rng([seed, track_id])
        vector = random.standard_normal(DIMENSIONS).astype(np.float32)
        embedding = TrackEmbedding(
            signature=vector / np.linalg.norm(vector),
            genres=random.random(5, dtype=np.float32),
            moods=random.random(4, dtype=np.float32),
            starts=np.arange(WINDOWS, dtype=np.float32) * 4,
            attention=np.full(WINDOWS, 1 / WINDOWS, dtype=np.float32),
            segment_vectors=random.standard_normal((WINDOWS, DIMENSIONS)).astype(np.float16),
        )
        return Signature(track_id, encoder, coverage, embedding)

    return make
