"""Augmentation of a batch of tracks: equal effects on all windows of a track, and mixing of pairs with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import SAMPLE_RATE
from engine.training.augment.waveform import augment_waveform, mix_waveforms
from engine.training.augment.waveform_settings import WaveformAugmentation


@dataclass(frozen=True)
class AugmentedBatch:
    """A batch of B tracks, each with windows (W, L) of one or two sources.

    Attributes:
        tracks: B lists of sources.
        partners: Position of the track mixed into each one, (B,).
        weights: Weight of each track's own labels, (B,); 1 if nothing was mixed in. The partner's have 1 - weight.
    """

    tracks: list[list[Tensor]]
    partners: Tensor
    weights: Tensor


def augment_batch(
    tracks: Sequence[list[Tensor]], settings: WaveformAugmentation, rng: np.random.Generator
) -> AugmentedBatch:
    """Apply effects to each track, equal ones to all its windows, then mix tracks in pairs.

    If tracks have two sources, effects change the second only, as Meng et al. change the accompaniment (ICFF-Net,
    section 2.1); mixing changes both.
    """
    seeds = rng.integers(2**63, size=(len(tracks), 2))  # of effects, of mixing
    changed = list(tracks)
    if settings.shares():
        changed = [
            _apply_effects(sources, settings, int(seed)) for sources, seed in zip(tracks, seeds[:, 0], strict=True)
        ]
    partners, weights = torch.arange(len(tracks)), torch.ones(len(tracks))
    if not settings.mix or len(tracks) < 2:
        return AugmentedBatch(changed, partners, weights)
    partners = (partners + int(rng.integers(1, len(tracks)))) % len(tracks)
    mixed = []
    for i, partner in enumerate(partners.tolist()):
        sources, weights[i] = _mix_tracks(changed[i], changed[partner], settings, int(seeds[i, 1]))
        mixed.append(sources)
    return AugmentedBatch(mixed, partners, weights)


def _apply_effects(sources: list[Tensor], settings: WaveformAugmentation, seed: int) -> list[Tensor]:
    windows = [augment_waveform(window, SAMPLE_RATE, settings, np.random.default_rng(seed)) for window in sources[-1]]
    return [*sources[:-1], torch.stack(windows)]


def _mix_tracks(
    sources: list[Tensor], others: list[Tensor], settings: WaveformAugmentation, seed: int
) -> tuple[list[Tensor], float]:
    """Mix window by window; return the mixed sources and the mean weight of the first track's labels."""
    weights, mixed = [], []
    for own, other in zip(sources, others, strict=True):
        mixtures = [mix_waveforms(a, b, settings, np.random.default_rng(seed)) for a, b in zip(own, other, strict=True)]
        mixed.append(torch.stack([mixture.samples for mixture in mixtures]))
        weights += [mixture.weight for mixture in mixtures]
    return mixed, float(np.mean(weights))
