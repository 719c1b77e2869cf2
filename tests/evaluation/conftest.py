"""Labelled clips of synthetic sound in two data sets, and a small encoder that has never been trained."""

from pathlib import Path

import numpy as np
import pytest

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from tests.audio import write_audio
from tests.training.conftest import _one_thread, small_encoder, write_rows  # noqa: F401

RATE = 22_050
SECONDS = 3
LABELS = (  # data set, genres, quadrant
    ("one", "jazz", "Q1"),
    ("one", "jazz", "Q3"),
    ("one", "metal", "Q2"),
    ("one", "metal; jazz", "Q4"),
    ("one", "blues", ""),
    ("two", "rock", ""),
    ("two", "pop", ""),
    ("two", "rock", ""),
)
CLIPS = 2 * len(LABELS)


@pytest.fixture(scope="session")
def valid_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of sixteen valid clips by eight artists of two clips each, and one train clip."""
    folder = tmp_path_factory.mktemp("valid clips")
    time = np.arange(SECONDS * RATE) / RATE
    rows = [{"file": "t.wav", "split": "train", "artist": "Ada", "dataset": "one", "genres": "jazz", "quadrant": "Q1"}]
    for i in range(CLIPS):
        dataset, genres, quadrant = LABELS[i // 2]
        row = {"file": f"{i}.wav", "split": "valid", "artist": f"Artist {i // 2}", "dataset": dataset}
        rows.append(row | {"genres": genres, "quadrant": quadrant})
    for i, row in enumerate(rows):
        random = np.random.default_rng(i)
        pitches = random.uniform(200, 2000, (4, 1))
        sound = 0.1 * np.sin(2 * np.pi * pitches * time).sum(axis=0) * np.exp(-random.uniform(0, 6) * (time % 0.5))
        sound += random.uniform(0, 0.1) * random.standard_normal(len(time))
        write_audio(folder / row["file"], sound.astype(np.float32), RATE)
    return write_rows(folder / "clips.csv", rows)


@pytest.fixture(scope="session")
def valid(valid_table: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipSamples:
    """The decoded valid clips."""
    clips = [clip for clip in read_dataset(valid_table).clips if clip.split == "valid"]
    return ClipSamples(clips, tmp_path_factory.mktemp("cache"))
