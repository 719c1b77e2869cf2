"""A batch of tracks through augmentation: all windows of a track alike, two tracks mixed with their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import SAMPLE_RATE
from engine.training.augment.waveform import Augmentations, augment_waveform, mix_waveforms


@dataclass(frozen=True)
class VariedTracks:
    """A batch of B tracks, each as windows (W, L) of one or two sources.

    Attributes:
        tracks: B lists of sources.
        partners: Which other track was mixed into each, (B,); itself where none was.
        weights: Of each track's own labels, (B,); the partner's weigh the rest.
    """

    tracks: list[list[Tensor]]
    partners: Tensor
    weights: Tensor


def vary_tracks(tracks: list[list[Tensor]], settings: Augmentations, rng: np.random.Generator) -> VariedTracks:
    """Effects on each track, the same ones on all of its windows; then mixing in pairs.

    Where a track has two sources, effects act on the second alone, as Meng et al. vary the accompaniment (ICFF-Net,
    section 2.1); mixing acts on both.
    """
    seeds = rng.integers(2**63, size=(len(tracks), 2))
    if settings.effects():
        tracks = [
            [*sources[:-1], torch.stack([_changed(window, settings, int(seed)) for window in sources[-1]])]
            for sources, (seed, _) in zip(tracks, seeds, strict=True)
        ]
    partners = torch.arange(len(tracks))
    weights = torch.ones(len(tracks))
    if settings.mix and len(tracks) > 1:
        partners = (partners + int(rng.integers(1, len(tracks)))) % len(tracks)
        mixed = []
        for i, (_, seed) in enumerate(seeds):
            others = tracks[int(partners[i])]
            sources, weights[i] = _mixed(tracks[i], others, settings, int(seed))
            mixed.append(sources)
        tracks = mixed
    return VariedTracks(tracks, partners, weights)


def _changed(window: Tensor, settings: Augmentations, seed: int) -> Tensor:
    return augment_waveform(window, SAMPLE_RATE, settings, np.random.default_rng(seed))


def _mixed(
    sources: list[Tensor], others: list[Tensor], settings: Augmentations, seed: int
) -> tuple[list[Tensor], float]:
    weights, mixed = [], []
    for windows, theirs in zip(sources, others, strict=True):
        mixtures = [
            mix_waveforms(a, b, settings, np.random.default_rng(seed)) for a, b in zip(windows, theirs, strict=True)
        ]
        mixed.append(torch.stack([mixture.samples for mixture in mixtures]))
        weights += [mixture.weight for mixture in mixtures]
    return mixed, float(np.mean(weights))
