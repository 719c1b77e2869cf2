"""Libraries whose signatures are made up: no audio, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.db import NewTrack, Signature, open_database, put_signature, upsert_track
from engine.embedding import TrackEmbedding
from engine.models.labels import GENRES, MOODS
from engine.models.weights_files import default_id

Made: TypeAlias = Callable[..., Path]


def certain(count: int, chosen: int) -> NDArray[np.float32]:
    """Probabilities (count,) that are sure of one answer."""
    return np.eye(count, dtype=np.float32)[chosen]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A function that makes a library of signatures (N, D), which it normalises, and of tags by track."""

    def make(vectors: NDArray[Any], tags: Sequence[dict[str, Any]] = (), heard: str = "jazz") -> Path:
        path = tmp_path / "made.db"
        with open_database(path, create=True) as database, database.write() as connection:
            for i, vector in enumerate(vectors):
                fields = {"path": b"/music/%d.flac" % i, **(tags[i] if i < len(tags) else {})}
                name = fields.pop("path")
                track = upsert_track(connection, NewTrack(name, 1, 1, b"%d" % i, 9.0, **fields))
                unit = (vector / np.linalg.norm(vector)).astype(np.float32)
                genres, moods = certain(len(GENRES), GENRES.index(heard)), certain(len(MOODS), 0)
                windows = (np.zeros(1, np.float32), np.ones(1, np.float32), unit[None])
                put_signature(
                    connection, Signature(track, default_id(), "windows", TrackEmbedding(unit, genres, moods, *windows))
                )
        return path

    return make
