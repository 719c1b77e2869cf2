"""Weights from elsewhere: whatever their header says, they are refused in one short line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import LONGEST_REASON, EncoderError, brief
from engine.models.checkpoint import build, contents, load_encoder
from engine.models.weights_files import FORMAT, find_encoder, read_labels
from tests.models.test_checkpoints import SMALL

DEEP = "[" * 100_000 + "]" * 100_000
LONG = "x" * 3_000_000
ROOM = 300  # for the path and our own words
LABELS = json.dumps({"genres": ["a"], "moods": ["b"]})


def refusal(path: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(EncoderError) as caught:
        load_encoder(find_encoder(str(path)))
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < LONGEST_REASON + ROOM + len(str(path))
    return message


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": DEEP},
        {"config": DEEP},
        {"labels": LONG},
        {"config": LONG},
        {"config": json.dumps({"stem": LONG})},
        {"config": json.dumps({LONG: 1})},
        {"config": json.dumps({"widths": []})},
        {"config": json.dumps({"widths": [-8, -16]})},
        {"config": json.dumps({"frame_dim": -1})},
        {"config": json.dumps({"token_seconds": -1.0})},
        {"config": json.dumps({"token_seconds": 1e308})},
        {"config": "[1, 2]"},
        {"labels": json.dumps({"genres": [f"a{i}" for i in range(100_000)] + ["a1"], "moods": ["b"]})},
        {"name": LONG},
        {"name": "../x"},
        {"format": LONG},
    ],
)
def test_metadata(tmp_path: Path, metadata: dict[str, str]) -> None:
    """Headers that are deep, long, negative or of another kind are refused."""
    path = tmp_path / "a.safetensors"
    tensors, ours = contents(build("attention_signature", SMALL), "attention_signature", {})
    save_file(tensors, path, ours | metadata)
    refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        (100_000).to_bytes(8, "little") + b'{"a":' * 20_000,
        (2**62).to_bytes(8, "little") + b"{}",
        (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}    ',
    ],
)
def test_headers(tmp_path: Path, content: bytes) -> None:
    """A file that is no safetensors at all is refused."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    refusal(path)


def test_no_regular_file(tmp_path: Path) -> None:
    """A pipe is refused at once, without waiting for its other end."""
    os.mkfifo(tmp_path / "a.safetensors")
    assert "not a regular file" in refusal(tmp_path / "a.safetensors")


def test_deep_labels_alone(tmp_path: Path) -> None:
    """Labels are refused by themselves, too: a command may read nothing else of the file."""
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"format": FORMAT, "name": "attention_cnn", "labels": DEEP})
    with pytest.raises(EncoderError, match="genres and moods"):
        read_labels(path)


def test_brief() -> None:
    """Reasons become one line, cut where they are long."""
    assert brief("two\nlines") == "two lines"
    assert len(brief(LONG)) == LONGEST_REASON + 1
