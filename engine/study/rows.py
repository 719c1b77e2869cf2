"""One row of a study: train on one side of the split, and measure by the paper's protocol and by ours."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from engine.datasets.clips import Clip, ClipSamples
from engine.errors import TrainingError
from engine.evaluation.classification import Classification, classify
from engine.evaluation.protocols import Split, artist_folds, random_split
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from engine.models.losses import set_loss
from engine.study.material import Labelled, Units, choose, load_units, variants_of
from engine.study.plan import Row

PAPER, OURS = "paper's protocol", "other artists"
WARMUP = 20  # steps
AT_ONCE = 64  # segments that are classified at once


@dataclass(frozen=True, eq=False)
class RowResult:
    """What came of a row.

    Attributes:
        row: What was run.
        found: Classifications by protocol: PAPER (units of the split's test side), OURS (tracks of the valid split).
        losses: Of each step.
        parameters: Of the network.
        training_seconds, classification_seconds: The latter for all test units.
    """

    row: Row
    found: dict[str, Classification]
    losses: tuple[float, ...]
    parameters: int
    training_seconds: float
    classification_seconds: float


def run_row(
    row: Row, train: ClipSamples, unheard: ClipSamples, cache: Path, on_step: Callable[[str], None] = lambda _: None
) -> RowResult:
    """Train and measure one row.

    Args:
        row: What to do.
        train: Clips that the row may learn from; the paper's protocol tests on a part of them.
        unheard: Clips of other artists.
        cache: For features.
        on_step: Called with a word on what is done, for progress.

    Raises:
        TrainingError: There is nothing to learn or to test, or a loss is not finite.
    """
    chosen = choose(train.clips, row)
    encoder = _fresh(row, chosen.classes)
    units = load_units(train, chosen, encoder, cache, on_clip=lambda: on_step("features"))
    extra = [load_units(train, chosen, encoder, cache, v, lambda: on_step("features")) for v in variants_of(row)]
    others = choose(unheard.clips, row, chosen.classes)
    theirs = load_units(unheard, others, encoder, cache, on_clip=lambda: on_step("features"))
    losses: list[float] = []
    answers: list[tuple[np.ndarray, np.ndarray]] = []
    training = classification = 0.0
    ours = np.zeros((len(others.labels), len(chosen.classes)))
    splits = list(_splits(row, units, [train.clips[i] for i in chosen.positions]))
    for split in splits:
        encoder = _fresh(row, chosen.classes)
        began = time.perf_counter()
        losses += _train(encoder, row, units, extra, split.train, on_step)
        training += time.perf_counter() - began
        began = time.perf_counter()
        test = _answers(encoder, units, split.test, row.unit)
        classification += time.perf_counter() - began
        answers.append((test, _labels(units, split.test, row.unit)))
        ours += _answers(encoder, theirs, np.arange(len(others.labels)), "tracks") / len(splits)
    probabilities, labels = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    found = {
        PAPER: classify(probabilities, labels, chosen.classes),
        OURS: classify(ours / ours.sum(axis=1, keepdims=True), others.labels, chosen.classes),
    }
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    return RowResult(row, found, tuple(losses), parameters, training, classification)


def _fresh(row: Row, classes: Sequence[str]) -> Encoder:
    torch.manual_seed(row.seed)
    return build(row.encoder, row.config, tuple(classes)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _splits(row: Row, units: Units, chosen: Sequence[Clip]) -> Iterator[Split]:
    """Positions of units: of segments where the unit is a slice, else of clips."""
    clips = len(units.labels)
    count = clips * (units.segments if row.unit == "slices" else 1)
    if not row.folds:
        yield random_split(count, row.shares, row.seed)
        return
    if row.artists:
        for fold in artist_folds(chosen, row.folds, row.seed):
            yield Split(np.concatenate([fold.train, fold.valid]), np.zeros(0, np.intp), fold.test)
        return
    if np.bincount(units.labels).min() < row.folds:
        raise TrainingError(f"row '{row.name}': expected {row.folds} clips or more of every class, for as many folds")
    folds = StratifiedKFold(row.folds, shuffle=True, random_state=row.seed)
    for train, test in folds.split(np.zeros(clips), units.labels):
        yield Split(train, np.zeros(0, np.intp), test)


def _train(
    encoder: Encoder, row: Row, units: Units, extra: Sequence[Units], train: np.ndarray, on_step: Callable[[str], None]
) -> list[float]:
    """Adam on random batches of the training side, of the clips as they are and of their variants alike."""
    optimizer = torch.optim.Adam(encoder.parameters(), row.learning_rate)
    pools = [units, *extra]
    encoder.train()
    losses = []
    for step in range(row.steps):
        rng = np.random.default_rng([row.seed, step])
        warm = min(1.0, (step + 1) / WARMUP)
        for group in optimizer.param_groups:
            group["lr"] = row.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / row.steps))
        pool = pools[rng.integers(len(pools))]
        batch = rng.choice(train, row.batch, replace=len(train) < row.batch)
        loss = _loss(encoder, pool, batch, row.unit)
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"row '{row.name}': loss is not finite at step {step}", hint="choose a lower learning_rate"
            )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
        on_step("training")
    return losses


def _loss(encoder: Encoder, units: Units, batch: np.ndarray, unit: str) -> Tensor:
    """Cross-entropy of a batch of units, and what the encoder's paper adds to it."""
    raw = _raw(encoder, units, batch, unit)
    labels = torch.from_numpy(_labels(units, batch, unit))
    allowed = nn.functional.one_hot(labels, encoder.genre_head.out_features).bool()
    loss = set_loss(encoder.logits(encoder.genre_head, raw), allowed)
    own = encoder.own_loss(raw, allowed)
    return loss if own is None else loss + own


def _raw(encoder: Encoder, units: Units, batch: np.ndarray, unit: str) -> Tensor:
    """Un-normalised signatures (B, D): of slices, each by itself, or of tracks."""
    rows = batch if unit == "slices" else (batch[:, None] * units.segments + np.arange(units.segments)).ravel()
    with torch.autocast("cpu", torch.bfloat16):
        vectors = encoder.embed(units.of(rows))
    vectors = vectors.float()
    if unit == "slices":
        return vectors
    tracks = vectors.view(len(batch), units.segments, -1)
    return encoder.pool(tracks, encoder.score(tracks))


@torch.no_grad()
def _answers(encoder: Encoder, units: Units, rows: np.ndarray, unit: str) -> np.ndarray:
    """Probabilities (N, C) of these units."""
    encoder.eval()
    at_once = max(1, AT_ONCE // (units.segments if unit == "tracks" else 1))
    parts = [
        encoder.logits(encoder.genre_head, _raw(encoder, units, batch, unit)).double().softmax(dim=1)
        for batch in np.array_split(rows, -(-len(rows) // at_once))
    ]
    return torch.cat(parts).numpy()


def _labels(units: Units, rows: np.ndarray, unit: str) -> np.ndarray:
    return units.labels.numpy()[rows // units.segments if unit == "slices" else rows]


def classes_of(row: Row, train: ClipSamples) -> Labelled:
    """What a row would learn, to be told before anything is run; raises TrainingError."""
    return choose(train.clips, row)
