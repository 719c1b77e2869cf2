"""Schedule of the training of the pooling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PoolingSchedule:
    """Schedule of the training of the pooling; recorded in the weights of an encoder.

    Attributes:
        steps: Optimiser steps.
        seed: Seed of all draws.
        learning_rate: Peak of Adam's learning rate, followed by a cosine to zero.
        temperature: Divides the cosines before the softmax.
        music, clips: Unlabelled tracks and labelled clips per batch.
        segments: Least and greatest number of segments per set.
        agreement, labels, geometry, interruption, entropy: Weights of the losses.
        interrupted: Share of batches with interruptions.
        jitter: Standard deviation of noise on segment vectors, whose own is about 1. Without noise, pooling relies on
            the trunk's memory of the tracks that it was trained on.
        runs: Number of trainings with different draws whose weights are averaged.
        whitening: Exponent of `engine.training.pooling.train_pooling.whiten`; 0 leaves the spectrum unchanged.
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
