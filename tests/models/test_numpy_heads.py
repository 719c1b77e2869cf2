"""What is read of an encoder's file without torch is what the network itself would say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import EncoderError
from engine.models.checkpoint import build, load_encoder
from engine.models.encoder import Encoder
from engine.models.numpy_heads import segment_genres, segment_seconds
from engine.models.weights_files import find_encoder, shipped_path
from tests.models.test_checkpoints import SMALL, write


def test_segments_as_the_network_has_them(fresh: Encoder, tmp_path: Path) -> None:
    """Segment length and the genre of each segment are those of the loaded network, for every architecture."""
    write(tmp_path / "new.safetensors", fresh)
    file = find_encoder(str(tmp_path / "new.safetensors"))
    encoder = load_encoder(file)
    vectors = torch.randn(200, encoder.dim, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = encoder.logits(encoder.genre_head, vectors).argmax(dim=1)
    assert segment_seconds(file) == encoder.plan.segment_seconds
    assert segment_genres(file, vectors.numpy()) == [encoder.genres[best] for best in expected]
    assert len(set(expected.tolist())) > 3


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"token_seconds": "x"}', '{"token_seconds": 0}'])
def test_no_length(tmp_path: Path, config: str) -> None:
    """A file that does not say how long a segment is is refused in one line."""
    write(tmp_path / "odd.safetensors", build("attention_signature", SMALL), config=config)
    with pytest.raises(EncoderError) as caught:
        segment_seconds(find_encoder(str(tmp_path / "odd.safetensors")))
    assert "\n" not in str(caught.value)


def test_a_head_that_does_not_fit(tmp_path: Path) -> None:
    """Weights that changed since they were named, or a head of another size than the vectors, are refused."""
    copy = tmp_path / "copy.safetensors"
    shutil.copy(shipped_path("attention_signature"), copy)
    file = find_encoder(str(copy))
    with pytest.raises(EncoderError, match="genre head of shape"):
        segment_genres(file, np.zeros((2, 7), np.float32))
    labels = json.dumps({"genres": ["a", "b"], "moods": ["c"]})
    write(copy, build("attention_signature", SMALL), labels=labels)
    with pytest.raises(EncoderError, match="genre head of shape"):
        segment_genres(find_encoder(str(copy)), np.zeros((2, 64), np.float32))
    with pytest.raises(EncoderError, match="wrong hash"):
        segment_genres(file, np.zeros((2, 256), np.float32))
