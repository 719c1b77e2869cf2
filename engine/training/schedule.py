"""Schedule of a training: steps, loss weights, and the composition of batches."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.training.augment.spectral import SpectralAugmentation
from engine.training.augment.waveform_settings import WaveformAugmentation


@dataclass(frozen=True)
class Schedule:
    """Schedule of a training. Names are part of saved states: renaming one refuses every older state.

    Attributes:
        steps: Optimiser steps.
        seed: Seed of weights and of all draws.
        learning_rate: Peak of AdamW's learning rate: linear warm-up over `warmup` steps, then a cosine to zero.
        weight_decay: AdamW's weight decay.
        warmup: Steps of the warm-up.
        average_decay: Decay of the moving average of weights, which is the result of the training.
        lesson_seconds: Teacher-labelled audio per step.
        tracks_from: Share of the steps after which track batches join the teacher's; 0 without a teacher.
        track_batch, track_seconds: Clips per track batch, and audio per clip (rounded to two segments or more).
        genre_weight, mood_weight, metric_weight: Weights of the track losses; the distillation loss has weight 1.
        augmentation: Speed and equaliser of track batches.
        effects: Further augmentation of track batches; none by default.
        agreement_weight: Weight of the agreement loss, from the first step on; 0 disables it.
        agreement_clips, agreement_tracks: Labelled clips and unlabelled tracks per agreement batch.
        agreement_windows: Windows per part of a track, one segment each.
        agreement_augmentation: Speed and equaliser of parts.
    """

    steps: int = 2400
    seed: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: int = 100
    average_decay: float = 0.998
    lesson_seconds: float = 192.0
    tracks_from: float = 0.8
    track_batch: int = 20
    track_seconds: float = 18.0
    genre_weight: float = 0.15
    mood_weight: float = 0.15
    metric_weight: float = 0.15
    augmentation: SpectralAugmentation = field(default_factory=lambda: SpectralAugmentation(speed=1.1, equalise_db=6.0))
    effects: WaveformAugmentation = field(default_factory=WaveformAugmentation)
    agreement_weight: float = 0.0
    agreement_clips: int = 6
    agreement_tracks: int = 6
    agreement_windows: int = 3
    agreement_augmentation: SpectralAugmentation = field(
        default_factory=lambda: SpectralAugmentation(speed=1.05, equalise_db=5.0)
    )
