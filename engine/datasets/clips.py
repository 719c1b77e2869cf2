"""Labelled clips, and decoded samples cached on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.db.places import make_private_folder
from engine.errors import AudioError
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_beginning
from engine.models.encoder import SAMPLE_RATE
from engine.util.atomic_files import ANYTHING, replacing
from engine.util.paths import real_path

MAX_CLIP_SECONDS = 120.0  # longer files are truncated
PCM_SCALE = 32_767.0


class SampleReader(Protocol):
    """Samples of numbered recordings."""

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """Return samples (length,), float32, from `start`, zero-padded at the end."""


class SampleCollection(SampleReader, Protocol):
    """Samples of numbered recordings of known lengths."""

    def __len__(self) -> int: ...

    def length(self, index: int) -> int:
        """Return the number of samples in a recording."""


@dataclass(frozen=True)
class Clip:
    """One labelled file.

    Attributes:
        path: The audio file.
        split: "train", "valid" or "test"; empty until `engine.datasets.splits` assigns one.
        artist: Key shared by clips of one artist; empty if unknown.
        dataset: Name of the data set. Label retrieval compares clips within one data set only.
        genres: Allowed genres, in the names of the encoder that learns them; empty if unlabelled.
        mood: One of `engine.models.labels.MOODS`, or None.
        labels: Genres as spelled in the data set.
    """

    path: Path
    split: str
    artist: str
    dataset: str
    genres: frozenset[str]
    mood: str | None
    labels: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The artist, or the file's path if the artist is unknown: cross-validation never divides a group."""
        return self.artist or str(self.path)


class DecodedAudio:
    """Samples of files at SAMPLE_RATE: decoded once into a cache folder (int16), then memory-mapped.

    Attributes:
        skipped: Files that could not be read, each with the reason.
    """

    def __init__(self, cache: Path) -> None:
        self.skipped: list[tuple[Path, str]] = []
        self._arrays: list[np.ndarray] = []
        self._keys: list[str] = []
        self._cache = cache
        make_private_folder(cache)

    def __len__(self) -> int:
        return len(self._arrays)

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """Return samples (length,), float32 in [-1, 1], from `start`, zero-padded at the end."""
        part = np.asarray(self._arrays[index][start : start + length], np.float32) / PCM_SCALE
        return np.pad(part, (0, length - len(part)))

    def length(self, index: int) -> int:
        """Return the number of samples in a file."""
        return len(self._arrays[index])

    def key(self, index: int) -> str:
        """Return a hash of a file's path, size and modification time, for naming cached derivatives."""
        return self._keys[index]

    def _add(self, decoders: Decoders, path: Path, max_seconds: float, min_seconds: float = 0.0) -> bool:
        """Decode up to `max_seconds` of a file; record it in `skipped` if unreadable or shorter than `min_seconds`."""
        try:
            key = _key(path) + ("" if max_seconds == MAX_CLIP_SECONDS else f"-{max_seconds:g}")
            samples = _load_or_decode(decoders, path, self._cache / f"{key}.npy", max_seconds, min_seconds)
        except (AudioError, OSError, ValueError) as error:  # ValueError: a NUL in the name
            self.skipped.append((path, str(error)))
            return False
        self._arrays.append(samples)
        self._keys.append(key)
        return True


class ClipSamples(DecodedAudio):
    """Samples of labelled clips.

    Args:
        clips: Clips to decode. Unreadable files are left out and recorded in `skipped`.
        cache: Folder for decoded samples (about 44 kB per second of audio); created if missing.
        on_clip: Called after each clip, for progress.

    Attributes:
        clips: The readable clips, in order.
    """

    def __init__(self, clips: Sequence[Clip], cache: Path, on_clip: Callable[[], None] = lambda: None) -> None:
        super().__init__(cache)
        self.clips: list[Clip] = []
        with Decoders(1) as decoders:
            for clip in clips:
                if self._add(decoders, clip.path, MAX_CLIP_SECONDS):
                    self.clips.append(clip)
                on_clip()


def _key(path: Path) -> str:
    status = path.stat()
    key = f"{real_path(path)}|{status.st_size}|{status.st_mtime_ns}|{SAMPLE_RATE}"
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _load_or_decode(decoders: Decoders, path: Path, target: Path, max_seconds: float, min_seconds: float) -> np.ndarray:
    with suppress(OSError, ValueError, EOFError):  # missing or damaged
        return np.load(target, mmap_mode="r", allow_pickle=False)
    samples = decoders.call(read_beginning, os.fsencode(path.absolute()), max_seconds, SAMPLE_RATE, min_seconds)
    with replacing(target, ANYTHING) as handle:
        np.save(handle, np.round(np.clip(samples, -1, 1) * PCM_SCALE).astype(np.int16))
    return np.load(target, mmap_mode="r", allow_pickle=False)
