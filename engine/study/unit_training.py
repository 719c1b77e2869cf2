"""Training and prediction on units: slices, classified by one segment each, or tracks, pooled over their segments."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import TrainingError
from engine.models.encoder import Encoder
from engine.models.losses import set_loss
from engine.study.plan import Row
from engine.study.units import Units

WARMUP_STEPS = 20
SEGMENTS_AT_ONCE = 64  # of a prediction batch
MAX_GRADIENT_NORM = 5.0


def train_on_units(
    encoder: Encoder, row: Row, pools: Sequence[Units], train: np.ndarray, on_step: Callable[[str], None]
) -> list[float]:
    """Train by Adam on random batches of units; return the loss of each step.

    Args:
        encoder: Trained in place.
        row: Settings of the training.
        pools: The same clips, unchanged and as variants; every batch is drawn from one of them at random.
        train: Positions of the units to train on.
        on_step: Called after each step.

    Raises:
        TrainingError: A loss is not finite.
    """
    optimizer = torch.optim.Adam(encoder.parameters(), row.learning_rate)
    encoder.train()
    losses = []
    for step in range(row.steps):
        rng = np.random.default_rng([row.seed, step])
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(row, step)
        pool = pools[int(rng.integers(len(pools)))]
        batch = rng.choice(train, row.batch, replace=len(train) < row.batch)
        loss = _loss(encoder, pool, batch, row.unit)
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"row '{row.name}': loss is not finite at step {step}", hint="choose a lower learning_rate"
            )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        losses.append(loss.item())
        on_step("training")
    return losses


@torch.no_grad()
def predict_units(encoder: Encoder, units: Units, rows: np.ndarray, unit: str) -> np.ndarray:
    """Return probabilities (N, C) of N units."""
    encoder.eval()
    at_once = max(1, SEGMENTS_AT_ONCE // (units.segments if unit == "tracks" else 1))
    parts = [
        encoder.logits(encoder.genre_head, _signatures(encoder, units, batch, unit)).double().softmax(dim=1)
        for batch in np.array_split(rows, -(-len(rows) // at_once))
    ]
    return torch.cat(parts).numpy()


def labels_of_units(units: Units, rows: np.ndarray, unit: str) -> np.ndarray:
    """Return the class (N,) of N units; a slice has the class of its clip."""
    return units.labels.numpy()[rows // units.segments if unit == "slices" else rows]


def _learning_rate(row: Row, step: int) -> float:
    """Linear warm-up, then a cosine to zero."""
    warmup = min(1.0, (step + 1) / WARMUP_STEPS)
    return row.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * step / row.steps))


def _loss(encoder: Encoder, units: Units, batch: np.ndarray, unit: str) -> Tensor:
    """Cross-entropy of a batch of units, plus the encoder's own loss term, if any."""
    raw = _signatures(encoder, units, batch, unit)
    labels = torch.from_numpy(labels_of_units(units, batch, unit))
    allowed = nn.functional.one_hot(labels, encoder.genre_head.out_features).bool()
    loss = set_loss(encoder.logits(encoder.genre_head, raw), allowed)
    own = encoder.own_loss(raw, allowed)
    return loss if own is None else loss + own


def _signatures(encoder: Encoder, units: Units, batch: np.ndarray, unit: str) -> Tensor:
    """Un-normalised signatures (B, D) of slices (one segment each) or tracks (pooled)."""
    rows = batch if unit == "slices" else (batch[:, None] * units.segments + np.arange(units.segments)).ravel()
    with torch.autocast("cpu", torch.bfloat16):
        vectors = encoder.embed(units.features_of(rows))
    vectors = vectors.float()
    if unit == "slices":
        return vectors
    tracks = vectors.view(len(batch), units.segments, -1)  # (B, S, D)
    return encoder.pool(tracks, encoder.score(tracks))
