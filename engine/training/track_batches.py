"""Batches of labelled tracks: random windows of random clips, augmented, as front-end features.

Windows with random gaps between them show the attention sequences like those of long tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import ClipSamples, SampleReader
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.training.augment.batch_augment import augment_batch
from engine.training.augment.masks import augment_features
from engine.training.augment.spectral import SpectralAugmentation, draw_length, excerpt_spectrum, random_equaliser
from engine.training.schedule import Schedule


@dataclass(frozen=True)
class TrackBatch:
    """Features of B tracks of S segments each.

    Attributes:
        features: By modality, track after track, (B * S, ...).
        clips: Clip numbers, (B,).
        partners: Numbers of the clips mixed into them, (B,).
        weights: Weights of the clips' own labels, (B,); the partners' have 1 - weight.
    """

    features: dict[str, Tensor]
    clips: Tensor
    partners: Tensor
    weights: Tensor


class TrackBatches:
    """Draws track batches for one encoder.

    Args:
        source: Labelled clips.
        second: Their second source, for encoders that use one.
        labelled: Numbers of the clips to draw from.
        encoder: Its front-end computes the features.
        schedule: Composition and augmentation of a batch.
    """

    def __init__(
        self,
        source: ClipSamples,
        second: SampleReader | None,
        labelled: np.ndarray,
        encoder: Encoder,
        schedule: Schedule,
    ) -> None:
        self.source, self.labelled, self.encoder, self.schedule = source, labelled, encoder, schedule
        self.readers: list[SampleReader] = [source] if second is None else [source, second]
        self.windows = max(2, round(schedule.track_seconds / encoder.plan.segment_seconds))
        self.samples = round(encoder.plan.segment_seconds * SAMPLE_RATE)

    @torch.no_grad()
    def draw(self, rng: np.random.Generator) -> TrackBatch:
        """Draw clips (with repetition only if there are too few), cut and augment windows, compute features."""
        size, effects = self.schedule.track_batch, self.schedule.effects
        clips = rng.choice(self.labelled, size, replace=len(self.labelled) < size)
        tracks = [self._draw_windows(int(clip), rng) for clip in clips]
        batch = augment_batch(tracks, effects, rng)
        features = self.encoder.front_end(*(torch.cat(windows) for windows in zip(*batch.tracks, strict=True)))
        features = augment_features(features, effects, rng, self.encoder.spectrograms)
        numbers = torch.from_numpy(clips)
        return TrackBatch(features, numbers, numbers[batch.partners], batch.weights)

    def _draw_windows(self, clip: int, rng: np.random.Generator) -> list[Tensor]:
        return draw_windows(
            self.readers,
            clip,
            available=self.source.length(clip),
            samples=self.samples,
            count=self.windows,
            augmentation=self.schedule.augmentation,
            rng=rng,
        )


def draw_windows(
    readers: Sequence[SampleReader],
    index: int,
    *,
    available: int,
    samples: int,
    count: int,
    augmentation: SpectralAugmentation,
    rng: np.random.Generator,
) -> list[Tensor]:
    """Cut windows (count, samples) at random places of one recording, in order, with one speed and one equaliser.

    Args:
        readers: Sources to cut at the same places.
        index: Number of the recording.
        available: Its length in samples.
        samples: Samples per window.
        count: Number of windows.
        augmentation: Range of speed and equaliser.
        rng: Source of all draws.
    """
    length = min(draw_length(samples, augmentation, rng), available)
    starts = np.sort(rng.integers(0, available - length + 1, count))
    equaliser = random_equaliser(samples // 2 + 1, rng.uniform(0, augmentation.equalise_db), rng)
    cuts = []
    for reader in readers:
        spectra = [excerpt_spectrum(reader.read(index, int(start), length), samples) * equaliser for start in starts]
        cuts.append(torch.fft.irfft(torch.stack(spectra), n=samples))
    return cuts
