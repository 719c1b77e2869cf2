"""A library of an encoder that no longer ships answers from what it stores, and is brought up to date when asked.

Covers `engine.models.retired`, too.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from engine import EncoderError, Engine
from engine.models.checkpoint import load_encoder
from engine.models.retired import RETIRED
from engine.models.weights_files import DEFAULT, check_digest, default_id, find_encoder
from tests.conftest import write_song

OLD = "attention_signature@55198d"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of three songs, as the default encoder of version 0.1 would have left it."""
    (tmp_path / "music").mkdir()
    for seed in range(3):
        write_song(tmp_path / "music" / f"{seed}.wav", seed)
    path = tmp_path / "library.db"
    with Engine.open(path, device="cpu") as engine:
        engine.index(tmp_path / "music")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM words")
        for table in ("signatures", "vector_indexes"):
            connection.execute(f"UPDATE {table} SET encoder = ?", (OLD,))
        connection.execute("UPDATE settings SET value = ? WHERE key = 'encoder'", (OLD,))
        connection.execute("DELETE FROM settings WHERE key LIKE 'weights %'")
    return path


def test_it_goes_on_answering(library: Path) -> None:
    """Neighbours, genres and moments of stored tracks are answered without the network."""
    with Engine.open(library, device="cpu") as engine:
        assert engine.encoder == OLD
        result = engine.similar(1, k=2)
        assert {match.track_id for match in result.matches} == {2, 3}
        assert len(result.genres) == 15
        assert len(result.centroids) == 15
        assert result.tags == ()
        assert engine.explain(1).moments


def test_new_files_need_the_new_encoder(library: Path) -> None:
    """To hear a file says which command brings the library up to date; that command does, and keeps the old answers."""
    music = library.parent / "music"
    write_song(music / "new.wav", 9)
    with (
        Engine.open(library, device="cpu") as engine,
        pytest.raises(EncoderError, match="--encoder attention_signature index"),
    ):
        engine.index(music)
    with Engine.open(library, encoder=DEFAULT, device="cpu") as engine:
        assert engine.index(music).new == 4
    with Engine.open(library, device="cpu") as engine:
        assert engine.encoder == default_id()
        assert len(engine.similar(1, k=5).matches) == 3
    with Engine.open(library, encoder=OLD, device="cpu") as engine:
        assert len(engine.similar(1, k=5).matches) == 2


@pytest.mark.parametrize("encoder_id", RETIRED)
def test_heads_of_every_retired_encoder(encoder_id: str) -> None:
    """What is left of an encoder is what its hash says: its labels, heads and centroids, and no network."""
    file = find_encoder(encoder_id)
    assert file.id == encoder_id
    check_digest(file)
    assert len(file.genres) == 15
    with safe_open(file.path, framework="np") as tensors:
        assert np.isfinite(tensors.get_tensor("genre_head.weight")).all()
    with pytest.raises(EncoderError, match="no longer ships"):
        load_encoder(file)
