"""Music without labels: whole tracks from folders, for excerpts to judge and for the agreement of a track's parts."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.datasets.clips import Decoded
from engine.db.text import displayable
from engine.errors import TrainingError
from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.scan import FoundFile, scan

LEAST_SECONDS = 45.0  # a shorter file is a jingle or an excerpt, whose halves say little about each other
MAX_TRACK_SECONDS = 600.0  # what is kept of a longer file


@dataclass(frozen=True)
class Track:
    """One file without labels, and the number of the folder that it came from."""

    path: Path
    folder: int


class MusicSamples(Decoded):
    """Samples of whole tracks.

    Args:
        tracks: What to decode. A file that cannot be read, or is shorter than LEAST_SECONDS, is left out and reported
            in `skipped`.
        cache: Folder for the decoded samples, 26 MB for ten minutes; made if missing.
        on_track: Called after each track, for progress.
    """

    def __init__(self, tracks: Sequence[Track], cache: Path, on_track: Callable[[], None] = lambda: None) -> None:
        super().__init__(cache)
        self.tracks: list[Track] = []
        for track in tracks:
            if self._take(track.path, MAX_TRACK_SECONDS, LEAST_SECONDS):
                self.tracks.append(track)
            on_track()

    def fingerprint(self) -> str:
        """Names, lengths and folders as a hash."""
        rows = [
            (os.fsencode(track.path.name).hex(), self.length(i), track.folder) for i, track in enumerate(self.tracks)
        ]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


class Halves:
    """Two collections as one: a number drawn evenly falls on either with the same chance, and evenly within it."""

    def __init__(self, first: Decoded, second: Decoded) -> None:
        self._both = (first, second)
        self._count = 2 * math.lcm(len(first), len(second))

    def __len__(self) -> int:
        return self._count

    def length(self, index: int) -> int:
        """Samples in a clip or track."""
        source, number = self._at(index)
        return source.length(number)

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """`length` samples (float32, [-1, 1]) from `start`, padded with zeros at the end."""
        source, number = self._at(index)
        return source.read(number, start, length)

    def _at(self, index: int) -> tuple[Decoded, int]:
        source = self._both[index % 2]
        return source, index // 2 % len(source)


def find_tracks(folders: Sequence[str], labelled: Sequence[Path] = ()) -> list[Track]:
    """Files below these folders that are named like sound, each once, in a fixed order, without the labelled ones.

    A file of the valid split would be learnt from, and one of the train split would be its own negative.
    What lies in one subfolder of such a folder (an artist's, an album's, a soundtrack's) is of one folder, however deep
    it lies there; so are the loose files of each.

    Raises:
        TrainingError: One of them is no folder.
    """
    left_out = {path.resolve() for path in labelled}
    tracks: dict[bytes, Track] = {}
    numbers: dict[tuple[str, bytes], int] = {}
    for folder in folders:
        if not Path(folder).is_dir():
            raise TrainingError(f"expected a folder of music, found none at {displayable(folder)}")
        top = os.path.abspath(os.fsencode(folder))  # noqa: PTH100 (as `scan` does)
        for found in scan([folder], follow_links=True):
            if not isinstance(found, FoundFile) or not has_media_extension(found.path) or found.path in tracks:
                continue
            if Path(os.fsdecode(found.path)).resolve() not in left_out:
                first, *rest = os.path.relpath(found.path, top).split(os.fsencode(os.sep))
                key = (os.fsdecode(top), first if rest else b"")
                number = numbers.setdefault(key, len(numbers))
                tracks[found.path] = Track(Path(os.fsdecode(found.path)), number)
    return list(tracks.values())
