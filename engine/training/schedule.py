"""How a training runs: its steps, its weights of losses, and what a step hears."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.training.augment.spectral import Augmentation
from engine.training.augment.waveform import Augmentations


@dataclass(frozen=True)
class Schedule:
    """How a training runs.

    Attributes:
        steps: Optimiser steps.
        seed: Of weights and of every draw.
        learning_rate: Peak of AdamW's; warmed up over `warmup` steps, then a cosine to zero.
        weight_decay: AdamW's.
        average_decay: Of the moving average of weights that is shipped.
        lesson_seconds: Judged audio learnt from in a step.
        tracks_from: Share of the steps after which track batches begin (0 without a teacher: nothing else teaches).
        track_batch, track_seconds: Clips in a track batch, and about how much is heard of each (two segments or more).
        genre_weight, mood_weight, metric_weight: Of the track losses against distillation.
        augmentation: Of speed and equaliser on tracks.
        effects: What else happens to tracks; nothing as it stands.
        agreement_weight: Of the agreement of a track's two parts, from the first step on; 0 leaves it out.
        agreement_clips, agreement_tracks: Labelled clips, and tracks without labels, that a step compares.
        agreement_windows: That are heard of each part, one segment each.
        agreement_augmentation: Of speed and equaliser on parts.
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
    augmentation: Augmentation = field(default_factory=lambda: Augmentation(speed=1.1, equalise_db=6.0))
    effects: Augmentations = field(default_factory=Augmentations)
    agreement_weight: float = 0.0
    agreement_clips: int = 6
    agreement_tracks: int = 6
    agreement_windows: int = 3
    agreement_augmentation: Augmentation = field(default_factory=lambda: Augmentation(speed=1.05, equalise_db=5.0))
