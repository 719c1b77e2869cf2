"""Train how a track's segments are weighed, and a linear map before it, on stored segment vectors.

The trunk stands: only the attention over segments (`engine.models.layers.scoring`) and `Encoder.metric` learn, in
minutes, from four terms on unit signatures x:

    agreement     two disjoint sets of segments of one track are each other's only positive (SimCLR: Chen et al. 2020,
                  eq 1), among all other tracks of the batch
    labels        supervised contrastive (Khosla et al. 2020, eq 2), graded by shared genre, mood, artist and cluster
    geometry      mean squared difference between the cosines after and before the map (Park et al. 2019)
    interruption  -log of the share of the weight that music gets, where silence, noise, applause, speech or another
                  track stand in for some of a set's segments

Sets have a random number of segments at random places, so that weights mean the same for ten segments and a hundred.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.encoder import Encoder
from engine.models.layers.scoring import ReceivedAttention
from engine.models.losses import contrast

SMALLEST_EIGENVALUE = 1e-4  # of the largest: smaller ones are noise, and would be blown up
LIKE = 0.4  # a relation above this makes two clips too alike to be each other's negatives
PRIOR_TRACKS = 20  # the mean of a handful of signatures says little: it counts as if so many more had a mean of zero


@dataclass(frozen=True)
class PoolingSchedule:
    """How pooling is trained.

    Attributes:
        steps: Optimiser steps.
        seed: Of every draw.
        learning_rate: Peak of Adam's, then a cosine to zero.
        temperature: Of the softmax over cosines.
        music, clips: Unlabelled tracks and labelled clips in a batch.
        segments: Fewest and most segments in a set.
        agreement, labels, geometry, interruption, entropy: Weights of the terms; entropy's is the Kullback-Leibler
            divergence of the attention from equal weights.
        interrupted: Share of batches with interruptions.
        jitter: Standard deviation of noise on segment vectors, whose own is about 1: the trunk knows the tracks that
            it learnt from, and without noise pooling leans on that.
        runs: Trainings with other draws that are averaged.
        whitening: See `whiten`; 0 leaves the spectrum as it is.
    """

    steps: int = 300
    seed: int = 0
    learning_rate: float = 2e-3
    temperature: float = 0.1
    music: int = 96
    clips: int = 160
    segments: tuple[int, int] = (2, 8)
    agreement: float = 1.0
    labels: float = 0.5
    geometry: float = 8.0
    interruption: float = 0.3
    entropy: float = 0.0
    interrupted: float = 0.25
    jitter: float = 1.0
    runs: int = 3
    whitening: float = 0.5


@dataclass(frozen=True, eq=False)
class SegmentBank:
    """Stored segment vectors, as `Encoder.embed` gave them.

    Attributes:
        music: (N, S, D) of unlabelled whole tracks, in time order.
        folders: Number of each one's folder, (N,): tracks of one folder are neither positives nor negatives.
        clips: (M, S', D) of labelled clips, in time order.
        relation: Label vectors (M, L) of the clips, whose products weigh a pair.
        interruptions: (J, D): silence, noise, applause, speech.
    """

    music: Tensor
    folders: Tensor
    clips: Tensor
    relation: Tensor
    interruptions: Tensor


def train_pooling(
    encoder: Encoder, bank: SegmentBank, schedule: PoolingSchedule, on_step: Callable[[dict[str, float]], None]
) -> None:
    """Train the attention layer and `encoder.metric` in place; then whiten and centre the signatures.

    Several runs from one beginning, with other draws, are averaged weight by weight (Wortsman et al. 2022).
    """
    if encoder.metric is None:
        encoder.add_metric()
    layers = _layers(encoder)
    begun = {name: value.clone() for name, value in layers.state_dict().items()}
    total = {name: torch.zeros_like(value) for name, value in begun.items()}
    for run in range(schedule.runs):
        layers.load_state_dict(begun)
        _run(encoder, bank, schedule, schedule.seed + run, on_step)
        for name, value in layers.state_dict().items():
            total[name] += value / schedule.runs
    layers.load_state_dict(total)
    if schedule.whitening:
        whiten(encoder, bank, schedule.whitening)
    with torch.no_grad():
        raw = pooled(encoder, bank.clips)
    encoder.centre(raw.sum(dim=0) / (len(raw) + PRIOR_TRACKS))


def _layers(encoder: Encoder) -> nn.ModuleList:
    """What pooling trains: the map, and the attention layer."""
    assert encoder.metric is not None
    return nn.ModuleList([encoder.metric, encoder.attention_layer])


def _run(
    encoder: Encoder,
    bank: SegmentBank,
    schedule: PoolingSchedule,
    seed: int,
    on_step: Callable[[dict[str, float]], None],
) -> None:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(_layers(encoder).parameters(), lr=schedule.learning_rate)
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate * 0.5 * (1 + np.cos(np.pi * step / schedule.steps))
        losses = _losses(encoder, bank, schedule, rng)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        on_step({name: loss.item() for name, loss in losses.items()})


@torch.no_grad()
def whiten(encoder: Encoder, bank: SegmentBank, power: float) -> None:
    """Flatten the spectrum of the signatures' covariance: eigenvalues l become l^(1 - power).

    A few strong directions make hubs, tracks that are near to everything. With C = U diag(l) U', the map is followed by
    T = U diag((l / mean l)^(-power / 2)) U', and the attention's projections by T^-1, so that weights stay.
    """
    layer, metric = encoder.attention_layer, encoder.metric
    assert metric is not None
    raw = torch.cat([pooled(encoder, bank.clips), pooled(encoder, bank.music)])
    raw = raw - raw.mean(dim=0)
    values, directions = torch.linalg.eigh(raw.T @ raw / len(raw))
    values = values.clamp_min(float(values.max()) * SMALLEST_EIGENVALUE)
    scale = (values / values.mean()) ** (-power / 2)
    metric.weight.copy_(directions @ (scale[:, None] * (directions.T @ metric.weight)))
    metric.bias.copy_(directions @ (scale * (directions.T @ metric.bias)))
    assert isinstance(layer, ReceivedAttention)
    for projection in (layer.query, layer.key):
        projection.weight.copy_(((projection.weight @ directions) / scale) @ directions.T)


def pooled(encoder: Encoder, segments: Tensor) -> Tensor:
    """Un-normalised signatures (N, D) of what `embed` gave, (N, S, D)."""
    vectors = encoder.mapped(segments)
    return encoder.pool(vectors, encoder.score(vectors))


@dataclass(frozen=True, eq=False)
class _Batch:
    """Tracks of a step: music first, then clips.

    Attributes:
        sets: Two disjoint sets of segments of each, each (B, S, D).
        music: How many are unlabelled.
        track: A number for each track, (B,).
        folder: Its folder, -1 for clips, (B,).
        relation: Label vectors, zero for music, (B, L).
    """

    sets: tuple[list[Tensor], list[Tensor]]
    track: Tensor
    folder: Tensor
    relation: Tensor


def _losses(
    encoder: Encoder, bank: SegmentBank, schedule: PoolingSchedule, rng: np.random.Generator
) -> dict[str, Tensor]:
    batch = _draw(bank, schedule, rng)
    interrupted = rng.random() < schedule.interrupted and len(bank.interruptions) > 0
    signatures, shares, spreads = [], [], []
    for view in batch.sets:
        for segments in view:
            extra = _interruptions(segments, bank, rng) if interrupted else None
            heard = segments + schedule.jitter * torch.randn_like(segments)
            vectors = encoder.mapped(heard if extra is None else torch.cat([heard, extra], dim=1))
            scores = encoder.score(vectors)
            weights = scores.softmax(dim=1)
            signatures.append(F.normalize(encoder.pool(vectors, scores), dim=1))
            if extra is not None:
                shares.append(weights[:, : segments.shape[1]].sum(dim=1))
            spreads.append((weights * (weights * weights.shape[1]).clamp_min(1e-6).log()).sum(dim=1))
    unit = torch.cat(signatures)  # (2 B, D)
    track, folder, relation = (torch.cat([part, part]) for part in (batch.track, batch.folder, batch.relation))
    same = track[:, None] == track[None]
    itself = torch.eye(len(unit), dtype=torch.bool)
    neighbours = (folder[:, None] == folder[None]) & (folder[:, None] >= 0) & ~same
    alike = relation @ relation.T
    barred = itself | neighbours | ((alike > LIKE) & ~same)
    logits = unit @ unit.T / schedule.temperature
    losses = {"agreement": schedule.agreement * contrast(logits, same.float(), barred)}
    if schedule.labels:
        barred = itself | neighbours | same
        losses["labels"] = schedule.labels * contrast(logits, alike, barred)
    if schedule.geometry:
        losses["geometry"] = schedule.geometry * _geometry_loss(encoder, batch)
    if shares:
        losses["interruption"] = -schedule.interruption * torch.cat(shares).clamp_min(1e-6).log().mean()
    if schedule.entropy:
        losses["entropy"] = schedule.entropy * torch.cat(spreads).mean()
    return losses


def _geometry_loss(encoder: Encoder, batch: _Batch) -> Tensor:
    """How far the map and the weights move the tracks' cosines from those of the plain means before the map."""
    whole = [torch.cat(parts, dim=1) for parts in zip(*batch.sets, strict=True)]
    with torch.no_grad():
        before = F.normalize(torch.cat([segments.mean(dim=1) for segments in whole]), dim=1)
    after = F.normalize(torch.cat([pooled(encoder, segments) for segments in whole]), dim=1)
    return (after @ after.T - before @ before.T).square().mean()


def _draw(bank: SegmentBank, schedule: PoolingSchedule, rng: np.random.Generator) -> _Batch:
    """Draw tracks, and for all of them two disjoint sets of segments: a track's before and after a random moment."""
    music = torch.from_numpy(rng.choice(len(bank.music), min(schedule.music, len(bank.music)), replace=False))
    clips = torch.from_numpy(rng.choice(len(bank.clips), min(schedule.clips, len(bank.clips)), replace=False))
    sets: tuple[list[Tensor], list[Tensor]] = ([], [])
    for source, rows in ((bank.music, music), (bank.clips, clips)):
        length = source.shape[1]
        border = int(rng.integers(length // 4, length - length // 4)) if length > 3 else length // 2
        count = int(rng.integers(schedule.segments[0], schedule.segments[1] + 1))
        first = np.sort(rng.choice(border, min(count, border), replace=False))
        second = border + np.sort(rng.choice(length - border, min(count, length - border), replace=False))
        sets[0].append(source[rows][:, first])
        sets[1].append(source[rows][:, second])
    none = torch.zeros(len(music), bank.relation.shape[1])
    return _Batch(
        sets,
        torch.cat([music, clips + len(bank.music)]),
        torch.cat([bank.folders[music], torch.full((len(clips),), -1)]),
        torch.cat([none, bank.relation[clips]]),
    )


def _interruptions(segments: Tensor, bank: SegmentBank, rng: np.random.Generator) -> Tensor:
    """One to as many interruptions as there are segments, (B, I, D); a third of the sets get those of another track."""
    B, S, _ = segments.shape
    count = int(rng.integers(1, max(2, S)))
    chosen = torch.from_numpy(rng.integers(0, len(bank.interruptions), (B, count)))
    extra = bank.interruptions[chosen]  # (B, I, D)
    if rng.random() < 1 / 3 and count < S:
        others = segments.roll(1, dims=0)[:, :count]
        extra = torch.where((torch.from_numpy(rng.random(B)) < 0.5)[:, None, None], others, extra)
    return extra
