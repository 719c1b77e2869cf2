"""A small indexed collection, made once, and copies of it that a test may change."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import Engine, IndexReport
from engine.util.paths import APPLICATION
from tests.audio import write_audio
from tests.kept_decoders import kept_decoder

RATE = 22_050
SECONDS = 5.2  # of the collection's songs: ten overlapping windows
WINDOW = 4.0  # seconds, of the default encoder: encoding a song of this length takes a tenth of the time
ROCK_SPELLINGS = ("Rock", "rock", "ROCK", "Rock; Live At Home")
ROCKS = 10  # just enough for a centroid of the library's own
GENRES = [ROCK_SPELLINGS[i % len(ROCK_SPELLINGS)] for i in range(ROCKS)] + [
    "Jazz",
    "Jazz",
    "Whale Song",
    None,
    None,
    None,
]
"""The genre tag of each song of the collection, None where it has none."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare what is collected, a million objects, from every later search for garbage: a fifteenth faster."""
    gc.disable()
    collected = yield
    gc.collect()
    gc.freeze()
    gc.enable()
    return collected


@dataclass(frozen=True)
class Collection:
    """A folder of songs `song00.wav` ... and the library that knows them."""

    folder: Path
    library: Path

    def song(self, number: int) -> Path:
        """The file of one song."""
        return self.folder / f"song{number:02}.wav"

    def copied(self, folder: Path) -> Collection:
        """Copy songs and library into a folder."""
        copy = Collection(folder / "music", folder / "library.db")
        shutil.copytree(self.folder, copy.folder)
        shutil.copy(self.library, copy.library)
        with Engine.open(copy.library, device="cpu") as engine:
            engine.relocate(self.folder, copy.folder)
        return copy


@dataclass(frozen=True)
class FirstRun:
    """The collection as it was indexed, and what that run reported."""

    collection: Collection
    report: IndexReport


def make_song(seed: int, seconds: float = SECONDS) -> NDArray[np.float32]:
    """A chord over a beat, drawn from a seed: (n,) at RATE."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    notes = 110 * 2 ** (random.integers(0, 36, 4) / 12)
    chord = sum(np.sin(2 * np.pi * note * time) / (i + 1) for i, note in enumerate(notes))
    beat = np.exp(-((time * random.uniform(1, 4)) % 1) * random.uniform(4, 20))
    noise = random.standard_normal(len(time)) * random.uniform(0, 0.4)
    return ((chord * 0.2 + noise * 0.3) * beat * 0.5).astype(np.float32)


def write_song(path: Path, seed: int, genre: str | None = None, seconds: float = WINDOW, **tags: str) -> Path:
    """Write a song with tags, one window long by default; returns its path."""
    named = {"artist": f"Band {seed}", "title": f"Song {seed}", **({"genre": genre} if genre else {}), **tags}
    write_audio(path, make_song(seed, seconds), RATE, tags=named)
    return path


@pytest.fixture(autouse=True)
def _own_surroundings(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test reads or writes the library of whoever runs it. Costly probes run once: of bf16, and of fonts."""
    probes, cache = tmp_path_factory.getbasetemp() / "probes", tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("engine.runtime.precision.default_cache", lambda: probes)
    if probes.exists():
        shutil.copytree(probes, cache / APPLICATION)  # for commands that run in processes of their own
    monkeypatch.delenv("ENGINE_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path_factory.getbasetemp() / "matplotlib"))


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks compute on one thread: where each test process has as many as there are cores, they wait for each other.

    Files are still decoded by several processes.
    """
    monkeypatch.setattr("engine.session.usable_threads", lambda _: 1)
    for name in ("engine.evaluation.run", "engine.training.run", "engine.study.run"):
        if name in sys.modules:
            monkeypatch.setattr(f"{name}.default_threads", lambda: 1)


@pytest.fixture(autouse=True)
def _kept_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoder processes serve one test after the other."""
    monkeypatch.setattr("engine.indexer.pipeline.decoders.DecoderProcess", kept_decoder)


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """Sixteen songs, indexed once. Only read it: other tests use the same one."""
    base = tmp_path_factory.mktemp("collection")
    collection = Collection(base / "music", base / "library.db")
    collection.folder.mkdir()
    for number, genre in enumerate(GENRES):
        write_song(collection.song(number), number, genre, SECONDS)
    with Engine.open(collection.library, device="cpu", threads=1) as engine:  # so that ids are in the songs' order
        return FirstRun(collection, engine.index(collection.folder))


@pytest.fixture(scope="session")
def shared(first_run: FirstRun) -> Iterator[Engine]:
    """The shared collection, opened. Only ask it."""
    with Engine.open(first_run.collection.library, device="cpu") as engine:
        yield engine


@pytest.fixture
def own(first_run: FirstRun, tmp_path: Path) -> Collection:
    """A copy of the collection and its library that the test may change."""
    return first_run.collection.copied(tmp_path)


@pytest.fixture
def engine(own: Collection) -> Iterator[Engine]:
    """The test's own copy, opened."""
    with Engine.open(own.library, device="cpu") as opened:
        yield opened
