"""Batches and losses of the pooling: agreement, labels, geometry, interruptions, and entropy.

With x the unit signatures of two disjoint sets of segments of each track:

    agreement     the other set of the same track is the only positive among all tracks of the batch (SimCLR: Chen et
                  al. 2020, eq 1)
    labels        supervised contrastive (Khosla et al. 2020, eq 2), graded by shared genre, mood and artist
    geometry      mean squared difference between cosines after and before the map (Park et al. 2019)
    interruption  -log of the attention on music, where non-music or another track is added to a set
    entropy       Kullback-Leibler divergence of the attention from uniform weights

Sets have a random number of segments at random places, so that attention does not depend on the number of segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.encoder import Encoder
from engine.models.losses import NO_FOLDER, contrast
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.pooling.segment_bank import SegmentBank

SIMILAR = 0.4  # two clips with a relation above this are not each other's negatives
OTHER_TRACK_SHARE = 1 / 3  # of interrupted sets may be interrupted by another track


@dataclass(frozen=True, eq=False)
class PoolingBatch:
    """B tracks: unlabelled music first, then clips.

    Attributes:
        sets: Two disjoint sets of segments; each has one tensor (B', S, D) for the music and one for the clips.
        tracks: Track numbers, (B,).
        folders: Folder numbers, NO_FOLDER for clips, (B,).
        relation: Label vectors, zero for music, (B, L).
    """

    sets: tuple[list[Tensor], list[Tensor]]
    tracks: Tensor
    folders: Tensor
    relation: Tensor


@dataclass(frozen=True, eq=False)
class _Pooled:
    """Unit signatures (2B, D), attention on music (2B,) of interrupted sets or None, and divergence (2B,)."""

    signatures: Tensor
    music_shares: Tensor | None
    divergence: Tensor


def pool_segments(encoder: Encoder, segments: Tensor) -> Tensor:
    """Map and pool segment vectors (N, S, D) into un-normalised signatures (N, D)."""
    vectors = encoder.mapped(segments)
    return encoder.pool(vectors, encoder.score(vectors))


def pooling_losses(
    encoder: Encoder, bank: SegmentBank, schedule: PoolingSchedule, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Draw a batch and compute its weighted losses by name; terms of weight zero are left out."""
    batch = draw_batch(bank, schedule, rng)
    pooled = _pool_sets(encoder, batch, bank, schedule, rng)
    losses = _contrastive_losses(pooled.signatures, batch, schedule)
    if schedule.geometry:
        losses["geometry"] = schedule.geometry * _geometry_loss(encoder, batch)
    if pooled.music_shares is not None:
        losses["interruption"] = -schedule.interruption * pooled.music_shares.clamp_min(1e-6).log().mean()
    if schedule.entropy:
        losses["entropy"] = schedule.entropy * pooled.divergence.mean()
    return losses


def draw_batch(bank: SegmentBank, schedule: PoolingSchedule, rng: np.random.Generator) -> PoolingBatch:
    """Draw tracks and clips, and two disjoint sets of segments of each: before and after a random position."""
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
    unlabelled = torch.zeros(len(music), bank.relation.shape[1])
    return PoolingBatch(
        sets,
        torch.cat([music, clips + len(bank.music)]),
        torch.cat([bank.folders[music], torch.full((len(clips),), NO_FOLDER)]),
        torch.cat([unlabelled, bank.relation[clips]]),
    )


def _pool_sets(
    encoder: Encoder, batch: PoolingBatch, bank: SegmentBank, schedule: PoolingSchedule, rng: np.random.Generator
) -> _Pooled:
    interrupted = rng.random() < schedule.interrupted and len(bank.interruptions) > 0
    signatures, shares, divergences = [], [], []
    for segments in (*batch.sets[0], *batch.sets[1]):
        extra = _draw_interruptions(segments, bank, rng) if interrupted else None
        noisy = segments + schedule.jitter * torch.randn_like(segments)
        vectors = encoder.mapped(noisy if extra is None else torch.cat([noisy, extra], dim=1))
        scores = encoder.score(vectors)
        weights = scores.softmax(dim=1)  # (B', S)
        signatures.append(F.normalize(encoder.pool(vectors, scores), dim=1))
        if extra is not None:
            shares.append(weights[:, : segments.shape[1]].sum(dim=1))
        divergences.append((weights * (weights * weights.shape[1]).clamp_min(1e-6).log()).sum(dim=1))
    return _Pooled(torch.cat(signatures), torch.cat(shares) if shares else None, torch.cat(divergences))


def _contrastive_losses(signatures: Tensor, batch: PoolingBatch, schedule: PoolingSchedule) -> dict[str, Tensor]:
    tracks, folders, relation = (torch.cat([part, part]) for part in (batch.tracks, batch.folders, batch.relation))
    same = tracks[:, None] == tracks[None]
    itself = torch.eye(len(signatures), dtype=torch.bool)
    same_folder = (folders[:, None] == folders[None]) & (folders[:, None] != NO_FOLDER) & ~same
    products = relation @ relation.T
    logits = signatures @ signatures.T / schedule.temperature  # (2B, 2B)
    excluded = itself | same_folder | ((products > SIMILAR) & ~same)
    losses = {"agreement": schedule.agreement * contrast(logits, same.float(), excluded)}
    if schedule.labels:
        losses["labels"] = schedule.labels * contrast(logits, products, itself | same_folder | same)
    return losses


def _geometry_loss(encoder: Encoder, batch: PoolingBatch) -> Tensor:
    """Mean squared change of the tracks' cosines by map and attention, against plain means before the map."""
    whole = [torch.cat(parts, dim=1) for parts in zip(*batch.sets, strict=True)]
    with torch.no_grad():
        before = F.normalize(torch.cat([segments.mean(dim=1) for segments in whole]), dim=1)
    after = F.normalize(torch.cat([pool_segments(encoder, segments) for segments in whole]), dim=1)
    return (after @ after.T - before @ before.T).square().mean()


def _draw_interruptions(segments: Tensor, bank: SegmentBank, rng: np.random.Generator) -> Tensor:
    """Draw up to as many interruptions as there are segments, (B, I, D): non-music, or segments of another track."""
    B, S, _ = segments.shape
    count = int(rng.integers(1, max(2, S)))
    chosen = torch.from_numpy(rng.integers(0, len(bank.interruptions), (B, count)))
    extra = bank.interruptions[chosen]  # (B, I, D)
    if rng.random() < OTHER_TRACK_SHARE and count < S:
        others = segments.roll(1, dims=0)[:, :count]
        extra = torch.where((torch.from_numpy(rng.random(B)) < 0.5)[:, None, None], others, extra)
    return extra
