"""What a row of a study learns from: the clips that have its task's labels, as cached front-end features."""

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
from engine.study.plan import Row
from engine.training.augment.named_variants import named_variant
from engine.training.features import ORIGINAL, Variant, clip_features

DEGREES = {mood: degree for degree, mood in VALENCE.items()}  # paper 5's three classes, of the moods


@dataclass(frozen=True)
class Labelled:
    """Clips that have one label of a task.

    Attributes:
        positions: Of the clips in their source.
        labels: Their classes, positions in `classes`.
        classes: Names.
    """

    positions: tuple[int, ...]
    labels: np.ndarray
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Units:
    """Segments of clips as tensors.

    Attributes:
        features: By modality, (N * S, ...), float16, clip after clip.
        segments: S, of each clip.
        labels: Of the clips, (N,).
    """

    features: dict[str, Tensor]
    segments: int
    labels: Tensor

    def of(self, rows: np.ndarray) -> dict[str, Tensor]:
        """Features of these segments, float32."""
        at = torch.from_numpy(rows)
        return {name: values[at].float() for name, values in self.features.items()}


def label_of(clip: Clip, task: str) -> str | None:
    """The one label of a clip for a task; None where it has none or several."""
    if task == "genre":
        return next(iter(clip.genres)) if len(clip.genres) == 1 else None
    return clip.mood if task == "mood" else DEGREES.get(clip.mood or "")


def choose(clips: Sequence[Clip], row: Row, classes: Sequence[str] = ()) -> Labelled:
    """The clips of a row's data set that have one of its classes.

    Args:
        clips: All.
        row: Its data set, task, and classes.
        classes: What to keep, in this order; by default the row's, or all that occur.

    Raises:
        TrainingError: There are fewer than two classes.
    """
    found = {
        i: label
        for i, clip in enumerate(clips)
        if clip.dataset == (row.dataset or clip.dataset) and (label := label_of(clip, row.task))
    }
    names = tuple(classes or row.classes or sorted(set(found.values())))
    kept = {i: label for i, label in found.items() if label in names}
    if len(set(kept.values())) < 2:
        raise TrainingError(
            f"row '{row.name}': expected clips of two classes or more in '{row.dataset or 'all data'}' for "
            f"{row.task}, found {len(set(kept.values()))}"
        )
    return Labelled(tuple(kept), np.array([names.index(label) for label in kept.values()]), names)


def load_units(
    source: ClipSamples,
    chosen: Labelled,
    encoder: Encoder,
    cache: Path,
    variant: Variant = ORIGINAL,
    on_clip: Callable[[], None] = lambda: None,
) -> Units:
    """Features of the chosen clips, from the cache where they are; every clip gives as many segments as the first.

    A clip shorter than the encoder's plan gives fewer windows: its segments are repeated.
    """
    segments = encoder.plan.count * encoder.plan.segments
    parts: dict[str, list[Tensor]] = {}
    for position in chosen.positions:
        for name, values in clip_features(source, position, encoder, cache, variant).items():
            parts.setdefault(name, []).append(values[torch.arange(segments) % len(values)])
        on_clip()
    features = {name: torch.cat(values) for name, values in parts.items()}
    return Units(features, segments, torch.from_numpy(chosen.labels))


def variants_of(row: Row) -> list[Variant]:
    """The variants that a row's training side is enlarged by."""
    return [named_variant(name, row.seed) for name in row.augment]
