"""A small library whose tracks have tags, names, genres and years."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine import Engine
from tests.conftest import write_song
from tests.words import worded_encoder, write_encoder

SONGS = (
    {"artist": "Ruby Lane", "title": "Blue Before Noon", "genre": "Jazz", "date": "1957"},
    {"artist": "Ruby Lane", "title": "Hat Trick", "genre": "Jazz", "date": "1958"},
    {"artist": "Delta Mile Trio", "title": "Gravel Road", "genre": "Blues", "date": "1984"},
    {"artist": "Delta Mile Trio", "title": "Porchlight", "genre": "Whale Song"},
    {"artist": "Мумий Тролль", "title": "Утекай", "genre": "Rock", "date": "1997"},
    {"artist": "ヨルシカ", "title": "Guitar Sad", "genre": "Rock", "date": "2019"},
)
SPREAD = 30  # makes the tags of an untrained encoder differ by more than they are rounded by


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Six songs, with the words of `tests.words`, open. Only read it."""
    folder = tmp_path_factory.mktemp("described")
    (folder / "music").mkdir()
    for number, tags in enumerate(SONGS):
        write_song(folder / "music" / f"song{number:02}.wav", number, **tags)
    encoder = worded_encoder()
    with torch.no_grad():
        encoder.word_head.weight *= SPREAD
    weights = write_encoder(folder / "encoder.safetensors", encoder)
    with Engine.open(folder / "library.db", encoder=str(weights), device="cpu") as engine:
        assert engine.index(folder / "music").new == len(SONGS)
        yield engine


@pytest.fixture
def library_file(described: Engine) -> Path:
    """The library of `described`, for commands."""
    return described._session.database.path
