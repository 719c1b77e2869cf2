"""One row of a study: train on one part of the split, and measure by the paper's protocol and on other artists."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold

from engine.datasets.clips import Clip, ClipSamples
from engine.errors import TrainingError
from engine.evaluation.classification import ClassificationResult, evaluate_classification
from engine.evaluation.protocols import Split, artist_folds, random_split
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from engine.study.plan import Row
from engine.study.unit_training import labels_of_units, predict_units, train_on_units
from engine.study.units import Units, choose_clips, load_units
from engine.training.augment.named_variants import ORIGINAL, named_variant

PAPER, OURS = "paper's protocol", "other artists"


@dataclass(frozen=True, eq=False)
class RowResult:
    """Result of a row.

    Attributes:
        row: The row.
        results: By protocol: PAPER (units of the split's test part) and OURS (tracks of the valid split).
        losses: Loss of each step, fold after fold.
        parameters: Number of the network's parameters.
        training_seconds, classification_seconds: Wall-clock times; the latter for all test units.
    """

    row: Row
    results: dict[str, ClassificationResult]
    losses: tuple[float, ...]
    parameters: int
    training_seconds: float
    classification_seconds: float


@dataclass(frozen=True, eq=False)
class _FoldResult:
    """Predictions of one fold: of its test units, with their labels, and of other artists' tracks; seconds."""

    losses: list[float]
    probabilities: np.ndarray
    labels: np.ndarray
    others: np.ndarray
    training_seconds: float
    classification_seconds: float


def run_row(
    row: Row, train: ClipSamples, others: ClipSamples, cache: Path, on_step: Callable[[str], None] = lambda _: None
) -> RowResult:
    """Train and measure one row.

    Args:
        row: Settings.
        train: Clips for training; the paper's protocol tests on a part of them.
        others: Clips by other artists.
        cache: Folder for features.
        on_step: Called with the name of the current stage, for progress.

    Raises:
        TrainingError: There is nothing to train or test on, or a loss is not finite.
    """

    def on_clip() -> None:
        on_step("features")

    chosen = choose_clips(train.clips, row)
    encoder = _untrained(row, chosen.classes)
    variants = [ORIGINAL, *(named_variant(name, row.seed) for name in row.augment)]
    pools = [load_units(train, chosen, encoder, cache, variant, on_clip) for variant in variants]
    chosen_others = choose_clips(others.clips, row, chosen.classes)
    other_units = load_units(others, chosen_others, encoder, cache, on_clip=on_clip)
    folds = [
        _run_fold(row, chosen.classes, pools, split, other_units, on_step)
        for split in _splits(row, pools[0], [train.clips[i] for i in chosen.positions])
    ]
    probabilities, labels = (
        np.concatenate(parts) for parts in zip(*((fold.probabilities, fold.labels) for fold in folds), strict=True)
    )
    mean = np.mean([fold.others for fold in folds], axis=0)
    results = {
        PAPER: evaluate_classification(probabilities, labels, chosen.classes),
        OURS: evaluate_classification(mean / mean.sum(axis=1, keepdims=True), chosen_others.labels, chosen.classes),
    }
    return RowResult(
        row,
        results,
        losses=tuple(loss for fold in folds for loss in fold.losses),
        parameters=sum(parameter.numel() for parameter in encoder.parameters()),
        training_seconds=sum(fold.training_seconds for fold in folds),
        classification_seconds=sum(fold.classification_seconds for fold in folds),
    )


def _run_fold(
    row: Row,
    classes: Sequence[str],
    pools: Sequence[Units],
    split: Split,
    others: Units,
    on_step: Callable[[str], None],
) -> _FoldResult:
    encoder, units = _untrained(row, classes), pools[0]
    began = time.perf_counter()
    losses = train_on_units(encoder, row, pools, split.train, on_step)
    trained = time.perf_counter()
    probabilities = predict_units(encoder, units, split.test, row.unit)
    classified = time.perf_counter()
    labels = labels_of_units(units, split.test, row.unit)
    other_tracks = predict_units(encoder, others, np.arange(len(others.labels)), "tracks")
    return _FoldResult(losses, probabilities, labels, other_tracks, trained - began, classified - trained)


def _untrained(row: Row, classes: Sequence[str]) -> Encoder:
    """Build the row's encoder with weights drawn from its seed."""
    torch.manual_seed(row.seed)
    return build(row.encoder, row.config, tuple(classes)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _splits(row: Row, units: Units, clips: Sequence[Clip]) -> Iterator[Split]:
    """Yield splits as positions of units: segments if the unit is a slice, else clips."""
    count = len(units.labels)
    if not row.folds:
        yield random_split(count * (units.segments if row.unit == "slices" else 1), row.shares, row.seed)
        return
    if row.artists:
        for fold in artist_folds(clips, row.folds, row.seed):
            yield Split(np.concatenate([fold.train, fold.valid]), np.zeros(0, np.intp), fold.test)
        return
    if np.bincount(units.labels).min() < row.folds:
        raise TrainingError(f"row '{row.name}': expected {row.folds} clips or more of every class, for as many folds")
    folds = StratifiedKFold(row.folds, shuffle=True, random_state=row.seed)
    for train, test in folds.split(np.zeros(count), units.labels):
        yield Split(train, np.zeros(0, np.intp), test)
