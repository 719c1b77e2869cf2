"""A few labelled clips of synthetic sound, and a small encoder to train on them."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from tests.audio import write_audio

RATE = 22_050
SECONDS = 5
ROWS = (  # file, split, artist, genres, quadrant
    ("a.wav", "train", "Ada", "jazz", "Q1"),
    ("b.wav", "train", "Ben", "metal", "Q2"),
    ("c.wav", "train", "Cleo", "jazz; blues", "Q3"),
    ("d.wav", "train", "Dan", "metal", "Q4"),
    ("e.wav", "valid", "Eve", "jazz", "Q1"),
    ("f.wav", "valid", "Fay", "metal", "Q2"),
)

SmallEncoder = Callable[[], Encoder]


def write_rows(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    """Write a CSV whose columns are the first row's."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors gain nothing from two threads; what a training sets is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV beside its six clips: tones for jazz, noise for metal."""
    folder = tmp_path_factory.mktemp("clips")
    time = np.arange(SECONDS * RATE) / RATE
    for i, (name, _, _, genres, _) in enumerate(ROWS):
        random = np.random.default_rng(i)
        if "jazz" in genres:
            pitches = random.uniform(200, 800, (4, 1))
            sound = 0.1 * np.sin(2 * np.pi * pitches * time).sum(axis=0) * np.exp(-4 * (time % 0.5))
        else:
            sound = 0.2 * random.standard_normal(len(time)) * (1 + np.sin(2 * np.pi * 4 * time)) / 2
        write_audio(folder / name, sound.astype(np.float32), RATE)
    columns = ("file", "split", "artist", "genres", "quadrant")
    return write_rows(folder / "clips.csv", [dict(zip(columns, row, strict=True)) for row in ROWS])


@pytest.fixture(scope="session")
def samples(table: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipSamples:
    """The decoded train clips."""
    clips = [clip for clip in read_dataset(table).clips if clip.split == "train"]
    return ClipSamples(clips, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def small_encoder() -> SmallEncoder:
    """A function that builds the same small encoder, untrained, each time."""

    def make() -> Encoder:
        torch.manual_seed(11)
        sizes = {"token_seconds": 1.0, "tokens": 4, "widths": [8, 16], "stem": 8, "frame_dim": 24, "dim": 32}
        return build("attention_signature", sizes)

    return make
