"""Labelled clips, and their decoded samples, cached on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.db.places import make_private_folder
from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile
from engine.models.encoder import SAMPLE_RATE
from engine.models.labels import MOODS
from engine.util.atomic_files import ANYTHING, replacing

MAX_CLIP_SECONDS = 120.0  # what is kept of a longer file
PCM_SCALE = 32_767.0


@dataclass(frozen=True)
class Clip:
    """One labelled file.

    Attributes:
        path: The audio file.
        split: "train", "valid" or "test".
        artist: A key that is equal for clips of one artist; empty where unknown.
        dataset: Which collection it belongs to: clips are compared within theirs.
        genres: Allowed genres, in the names of the encoder that is to learn them; empty where unlabelled.
        mood: One of MOODS, or None.
        labels: The genres as the data set spells them.
    """

    path: Path
    split: str
    artist: str
    dataset: str
    genres: frozenset[str]
    mood: str | None
    labels: tuple[str, ...] = ()


class Decoded:
    """Samples of files at SAMPLE_RATE, decoded once into a cache folder (int16) and memory-mapped from there."""

    def __init__(self, cache: Path) -> None:
        self.skipped: list[tuple[Path, str]] = []
        self._arrays: list[np.ndarray] = []
        self._keys: list[str] = []
        self._cache = cache
        make_private_folder(cache)

    def __len__(self) -> int:
        return len(self._arrays)

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """`length` samples (float32, [-1, 1]) of a clip from `start`, padded with zeros at the end."""
        part = np.asarray(self._arrays[index][start : start + length], np.float32) / PCM_SCALE
        return np.pad(part, (0, length - len(part)))

    def length(self, index: int) -> int:
        """Samples in a clip."""
        return len(self._arrays[index])

    def key(self, index: int) -> str:
        """Names a clip's file, size and time: what is derived of it is cached under this."""
        return self._keys[index]

    def _take(self, path: Path, seconds: float, least: float = 0.0) -> bool:
        """Add up to `seconds` of a file of at least `least`; one that cannot be read is left out, and noted."""
        try:
            key = _key(path) + ("" if seconds == MAX_CLIP_SECONDS else f"-{seconds:g}")
            samples = _cached(path, self._cache / f"{key}.npy", seconds, least)
        except (AudioError, OSError, ValueError) as error:  # ValueError: a NUL in a name
            self.skipped.append((path, str(error)))
            return False
        self._arrays.append(samples)
        self._keys.append(key)
        return True


class ClipSamples(Decoded):
    """Samples of labelled clips.

    Args:
        clips: What to decode. A file that cannot be read is left out and reported in `skipped`.
        cache: Folder for the decoded samples, about 44 kB a second; made if missing.
        on_clip: Called after each clip, for progress.
    """

    def __init__(self, clips: Sequence[Clip], cache: Path, on_clip: Callable[[], None] = lambda: None) -> None:
        super().__init__(cache)
        self.clips: list[Clip] = []
        for clip in clips:
            if self._take(clip.path, MAX_CLIP_SECONDS):
                self.clips.append(clip)
            on_clip()


def _key(path: Path) -> str:
    status = path.stat()
    key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{SAMPLE_RATE}"
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _cached(path: Path, target: Path, seconds: float, least: float) -> np.ndarray:
    with suppress(OSError, ValueError, EOFError):  # not there yet, or damaged
        return np.load(target, mmap_mode="r", allow_pickle=False)
    with AudioFile.open(path) as audio:
        if least and audio.duration() < least:
            raise AudioError(f"shorter than {least:g} s")
        samples = next(iter(audio.blocks(seconds, SAMPLE_RATE)), np.zeros(0, np.float32))
    if not len(samples):
        raise AudioError("no sound decodes")
    if len(samples) < least * SAMPLE_RATE:
        raise AudioError(f"shorter than {least:g} s")
    with replacing(target, ANYTHING) as handle:
        np.save(handle, np.round(np.clip(samples, -1, 1) * PCM_SCALE).astype(np.int16))
    return np.load(target, mmap_mode="r", allow_pickle=False)


def mood_index(clip: Clip, moods: Sequence[str] = MOODS) -> int:
    """Position of a clip's mood among an encoder's, -1 where it is unlabelled or none of them."""
    return moods.index(clip.mood) if clip.mood in moods else -1
