"""An untrained encoder that has words, and a library that it heard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from engine import Engine
from engine.models.checkpoint import build, contents
from engine.models.encoder import Encoder
from tests.conftest import Collection, write_song

WORDS = (
    "guitar", "female vocals", "applause", "speech", "sad", "piano", "large room or hall", "drum kit", "choir",
    "silence",
)  # fmt: skip
NAME = "attention_signature"
SMALL = {"token_seconds": 1.0, "widths": [8, 16], "frame_dim": 24, "stem": 8, "dim": 64}


def worded_encoder(logits: Sequence[float] = (), words: tuple[str, ...] = WORDS) -> Encoder:
    """A small encoder; its words have nearly these LOGITS, where given, whatever it hears."""
    torch.manual_seed(5)
    encoder = build(NAME, SMALL, words=words)
    if logits:
        with torch.no_grad():
            encoder.word_head.weight *= 1e-3
            encoder.word_head.bias.copy_(torch.tensor(logits))
    return encoder.eval()


def write_encoder(path: Path, encoder: Encoder) -> Path:
    """Write a checkpoint; returns its path."""
    tensors, metadata = contents(encoder, NAME, {"steps": 0})
    save_file(tensors, path, metadata)
    return path


def make_library(folder: Path, weights: Path, songs: int = 3) -> Collection:
    """Songs of one artist each, `Band 0` ..., heard by an encoder."""
    collection = Collection(folder / "music", folder / "library.db")
    collection.folder.mkdir(parents=True)
    for number in range(songs):
        write_song(collection.song(number), number)
    with Engine.open(collection.library, encoder=str(weights), device="cpu") as engine:
        assert engine.index(collection.folder).new == songs
    return collection
