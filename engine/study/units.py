"""The clips of a study row that have its task's labels, as front-end features of equally many segments each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import Clip, ClipSamples
from engine.errors import TrainingError
from engine.models.encoder import Encoder
from engine.models.labels import VALENCE
from engine.study.features import clip_features
from engine.study.plan import Row
from engine.training.augment.named_variants import ORIGINAL, Variant

VALENCE_OF_MOOD = {mood: degree for degree, mood in VALENCE.items()}  # paper 5's three classes


@dataclass(frozen=True)
class LabelledClips:
    """Clips with exactly one label of a task.

    Attributes:
        positions: Positions of the clips in their source.
        labels: Classes as positions in `classes`, (N,).
        classes: Names of the classes.
    """

    positions: tuple[int, ...]
    labels: np.ndarray
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Units:
    """Segments of N clips.

    Attributes:
        features: By modality, (N * S, ...), float16, clip after clip.
        segments: Segments per clip, S.
        labels: Class of each clip, (N,).
    """

    features: dict[str, Tensor]
    segments: int
    labels: Tensor

    def features_of(self, rows: np.ndarray) -> dict[str, Tensor]:
        """Return the features of these segments, float32."""
        index = torch.from_numpy(rows)
        return {name: values[index].float() for name, values in self.features.items()}


def label_of(clip: Clip, task: str) -> str | None:
    """Return the only label of a clip for a task; None if it has none or several."""
    if task == "genre":
        return next(iter(clip.genres)) if len(clip.genres) == 1 else None
    return clip.mood if task == "mood" else VALENCE_OF_MOOD.get(clip.mood or "")


def choose_clips(clips: Sequence[Clip], row: Row, classes: Sequence[str] = ()) -> LabelledClips:
    """Choose the clips of a row's data set with one of its classes.

    Args:
        clips: All clips.
        row: Determines data set, task and classes.
        classes: Classes in order; by default those of the row, or all that occur.

    Raises:
        TrainingError: Fewer than two classes occur.
    """
    labels = {
        i: label
        for i, clip in enumerate(clips)
        if clip.dataset == (row.dataset or clip.dataset) and (label := label_of(clip, row.task))
    }
    names = tuple(classes or row.classes or sorted(set(labels.values())))
    chosen = {i: label for i, label in labels.items() if label in names}
    found = len(set(chosen.values()))
    if found < 2:
        raise TrainingError(
            f"row '{row.name}': expected clips of two classes or more in '{row.dataset or 'all data'}' for "
            f"{row.task}, found {found}"
        )
    return LabelledClips(tuple(chosen), np.array([names.index(label) for label in chosen.values()]), names)


def load_units(
    source: ClipSamples,
    chosen: LabelledClips,
    encoder: Encoder,
    cache: Path,
    variant: Variant = ORIGINAL,
    on_clip: Callable[[], None] = lambda: None,
) -> Units:
    """Load or compute the features of the chosen clips, with equally many segments for each.

    A clip shorter than the encoder's plan has fewer windows; its segments are repeated.
    """
    segments = encoder.plan.count * encoder.plan.segments
    parts: dict[str, list[Tensor]] = {}
    for position in chosen.positions:
        for name, values in clip_features(source, position, encoder, cache, variant).items():
            parts.setdefault(name, []).append(values[torch.arange(segments) % len(values)])
        on_clip()
    features = {name: torch.cat(values) for name, values in parts.items()}
    return Units(features, segments, torch.from_numpy(chosen.labels))
