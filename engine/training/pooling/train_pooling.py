"""Train the attention over segments (`engine.models.layers.scoring`) and `Encoder.metric` on stored segment vectors.

The trunk is fixed, so training takes minutes. `engine.training.pooling.losses` has the loss terms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from engine.models.encoder import Encoder
from engine.models.layers.scoring import projections
from engine.training.pooling.losses import pool_segments, pooling_losses
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.pooling.segment_bank import SegmentBank

MIN_EIGENVALUE = 1e-4  # relative to the largest; whitening would amplify smaller ones, which are noise
PRIOR_CLIPS = 20  # clips at zero added to the mean, which shrinks the mean of a few clips

OnStep = Callable[[dict[str, float]], None]


def train_pooling(
    encoder: Encoder, bank: SegmentBank, schedule: PoolingSchedule, on_step: OnStep = lambda _: None
) -> None:
    """Train the attention layer and `encoder.metric` in place; then whiten and centre the signatures.

    The weights of several runs from one start, with different draws, are averaged (model soups: Wortsman et al. 2022).
    """
    metric = encoder.add_metric() if encoder.metric is None else encoder.metric
    _train(encoder, nn.ModuleList([metric, encoder.attention_layer]), bank, schedule, on_step)
    if schedule.whitening:
        whiten(encoder, bank, schedule.whitening)
    with torch.no_grad():
        raw = pool_segments(encoder, bank.clips)
    encoder.centre(raw.sum(dim=0) / (len(raw) + PRIOR_CLIPS))


def train_attention(
    encoder: Encoder, bank: SegmentBank, schedule: PoolingSchedule, on_step: OnStep = lambda _: None
) -> None:
    """Train the attention layer alone, in place, on the vectors behind the map as it is."""
    _train(encoder, encoder.attention_layer, bank, schedule, on_step)


@torch.no_grad()
def whiten(encoder: Encoder, bank: SegmentBank, power: float) -> None:
    """Flatten the spectrum of the signatures' covariance: eigenvalues l become proportional to l^(1 - power).

    A few strong directions cause hubs, tracks close to all others. With covariance C = U diag(l) U' and
    T = U diag((l / mean l)^(-power / 2)) U', the map followed by T gives T C T' = U diag(l (l / mean l)^-power) U'.
    Attention scores are products of projections P x; replacing P by P T^-1 leaves P T^-1 (T x) = P x unchanged.
    """
    raw = torch.cat([pool_segments(encoder, bank.clips), pool_segments(encoder, bank.music)])
    raw = raw - raw.mean(dim=0)
    values, directions = torch.linalg.eigh(raw.T @ raw / len(raw))
    values = values.clamp_min(float(values.max()) * MIN_EIGENVALUE)
    append_map(encoder, directions, (values / values.mean()) ** (-power / 2))


@torch.no_grad()
def append_map(encoder: Encoder, directions: Tensor, scale: Tensor) -> None:
    """Follow `Encoder.metric` by U diag(s) U', for orthogonal U (D, D) and s (D,), preserving attention scores."""
    layer, metric = encoder.attention_layer, encoder.metric
    assert metric is not None
    metric.weight.copy_(directions @ (scale[:, None] * (directions.T @ metric.weight)))
    metric.bias.copy_(directions @ (scale * (directions.T @ metric.bias)))
    for projection in projections(layer):
        projection.weight.copy_(((projection.weight @ directions) / scale) @ directions.T)


def _train(encoder: Encoder, layers: nn.Module, bank: SegmentBank, schedule: PoolingSchedule, on_step: OnStep) -> None:
    """Train these layers of the encoder; the runs' weights are averaged."""
    start = {name: value.clone() for name, value in layers.state_dict().items()}
    average = {name: torch.zeros_like(value) for name, value in start.items()}
    for run in range(schedule.runs):
        layers.load_state_dict(start)
        _run(encoder, layers, bank, schedule, schedule.seed + run, on_step)
        for name, value in layers.state_dict().items():
            average[name] += value / schedule.runs
    layers.load_state_dict(average)


def _run(
    encoder: Encoder, layers: nn.Module, bank: SegmentBank, schedule: PoolingSchedule, seed: int, on_step: OnStep
) -> None:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(layers.parameters(), lr=schedule.learning_rate)
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate * 0.5 * (1 + np.cos(np.pi * step / schedule.steps))
        losses = pooling_losses(encoder, bank, schedule, rng)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        on_step({name: loss.item() for name, loss in losses.items()})
