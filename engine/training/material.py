"""Training material: the data set, its decoded train and valid clips, and unlabelled music."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import Dataset, read_dataset
from engine.datasets.music import MusicSamples
from engine.datasets.reading import clip_cache, read_music, read_samples
from engine.db.text import displayable
from engine.training.options import TrainingOptions
from engine.util.progress import write_line


@dataclass(frozen=True, eq=False)
class TrainingMaterial:
    """A data set, the samples of its train and valid clips, unlabelled music if any, and the cache folder."""

    dataset: Dataset
    train: ClipSamples
    valid: ClipSamples
    music: MusicSamples | None
    cache: Path


def read_material(options: TrainingOptions, *, show: bool) -> TrainingMaterial:
    """Read and decode everything that the options name.

    Raises:
        TrainingError: The data or the music cannot be used, or no clip of a split can be read.
    """
    dataset = read_dataset(Path(options.data), options.layout, options.labels, options.subset)
    if show:
        _print_summary(dataset)
    cache = clip_cache(options.cache)
    train, valid = (
        read_samples([clip for clip in dataset.clips if clip.split == split], split, cache, show)
        for split in ("train", "valid")
    )
    labelled = [clip.path for clip in dataset.clips]
    music = read_music(options.music, labelled, cache, show) if options.music else None
    return TrainingMaterial(dataset, train, valid, music, cache)


def fingerprint_clips(clips: ClipSamples) -> str:
    """Return a hash of the clips' names, lengths and labels: a state is resumed with equal clips only."""
    rows = [
        (clip.path.name, clips.length(i), clip.artist, clip.dataset, sorted(clip.genres), clip.mood)
        for i, clip in enumerate(clips.clips)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _print_summary(dataset: Dataset) -> None:
    counts = Counter(clip.split for clip in dataset.clips)
    splits = ", ".join(f"{count} {split}" for split, count in counts.items())
    write_line(f"{dataset.name}: {splits}; {len(dataset.genres)} genres")
    for note in dataset.notes:
        write_line(f"  {displayable(note)}")
