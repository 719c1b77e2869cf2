"""Unlabelled whole tracks from folders, for teacher excerpts and for the agreement between parts of a track."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.datasets.clips import DecodedAudio
from engine.db.text import displayable
from engine.errors import TrainingError
from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.scan import FoundFile, scan
from engine.indexer.pipeline.decoders import Decoders
from engine.util.paths import real_path

MIN_TRACK_SECONDS = 45.0  # shorter files are jingles or excerpts, whose halves may have little in common
MAX_TRACK_SECONDS = 600.0  # longer files are truncated


@dataclass(frozen=True)
class UnlabelledTrack:
    """A file without labels, and the number of the folder it came from."""

    path: Path
    folder: int


class MusicSamples(DecodedAudio):
    """Samples of whole tracks.

    Args:
        tracks: Tracks to decode. Files that cannot be read, or are shorter than MIN_TRACK_SECONDS, are left out and
            recorded in `skipped`.
        cache: Folder for decoded samples (26 MB per ten minutes of audio); created if missing.
        on_track: Called after each track, for progress.

    Attributes:
        tracks: The readable tracks, in order.
    """

    def __init__(
        self, tracks: Sequence[UnlabelledTrack], cache: Path, on_track: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(cache)
        self.tracks: list[UnlabelledTrack] = []
        with Decoders(1) as decoders:
            for track in tracks:
                if self._add(decoders, track.path, MAX_TRACK_SECONDS, MIN_TRACK_SECONDS):
                    self.tracks.append(track)
                on_track()

    def fingerprint(self) -> str:
        """Return a hash of the tracks' file names, lengths and folders."""
        rows = [
            (os.fsencode(track.path.name).hex(), self.length(i), track.folder) for i, track in enumerate(self.tracks)
        ]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


class BalancedPair:
    """Two collections indexed as one, so that a uniform index falls in either with equal probability.

    Even indices map to the first collection, odd ones to the second. The length is twice the least common multiple of
    both lengths, so every item of a collection is equally likely.
    """

    def __init__(self, first: DecodedAudio, second: DecodedAudio) -> None:
        self._sources = (first, second)
        self._count = 2 * math.lcm(len(first), len(second))

    def __len__(self) -> int:
        return self._count

    def length(self, index: int) -> int:
        """Return the number of samples in an item."""
        source, position = self._locate(index)
        return source.length(position)

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """Return samples (length,), float32 in [-1, 1], from `start`, zero-padded at the end."""
        source, position = self._locate(index)
        return source.read(position, start, length)

    def _locate(self, index: int) -> tuple[DecodedAudio, int]:
        source = self._sources[index % 2]
        return source, index // 2 % len(source)


def find_tracks(folders: Sequence[str], labelled: Sequence[Path] = ()) -> list[UnlabelledTrack]:
    """List the audio files below `folders`, each once, in a fixed order, excluding the labelled ones.

    A labelled file would leak the valid split into training, or be its own negative. All files below one immediate
    subfolder (an artist, an album) share a folder number; so do the loose files of each given folder.

    Raises:
        TrainingError: One of `folders` is not a folder.
    """
    excluded = {real_path(path) for path in labelled}
    tracks: dict[bytes, UnlabelledTrack] = {}
    numbers: dict[tuple[str, bytes], int] = {}
    for folder in folders:
        top = os.path.abspath(os.fsencode(folder))  # noqa: PTH100 (as `scan` does)
        for path in _audio_files(folder):
            if path in tracks or real_path(Path(os.fsdecode(path))) in excluded:
                continue
            first, *rest = os.path.relpath(path, top).split(os.fsencode(os.sep))
            group = (os.fsdecode(top), first if rest else b"")
            tracks[path] = UnlabelledTrack(Path(os.fsdecode(path)), numbers.setdefault(group, len(numbers)))
    return list(tracks.values())


def _audio_files(folder: str) -> Iterator[bytes]:
    if not os.path.isdir(folder):  # noqa: PTH112 (`Path.is_dir` fails for names that are too long)
        raise TrainingError(f"expected a folder of music, found none at {displayable(folder)}", hint="check --music")
    for found in scan([folder], follow_links=True):
        if isinstance(found, FoundFile) and has_media_extension(found.path):
            yield found.path
