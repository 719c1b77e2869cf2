"""Batches of teacher-labelled excerpts, as front-end features of one encoder with the teachers' targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.training.distill.excerpts import (
    EXCERPT_SAMPLES,
    EXCERPT_SECONDS,
    Excerpts,
    TeacherTargets,
    cut,
    target_seconds,
)
from engine.training.distill.second_teacher import SecondTeacher, SecondTeacherTargets


@dataclass(frozen=True)
class DistillationBatch:
    """Features of B segments, with the targets of the teacher and, if there is one, of the second teacher."""

    features: dict[str, Tensor]
    targets: TeacherTargets
    second_targets: SecondTeacherTargets | None = None


class DistillationBatches:
    """Draws batches of labelled segments for one encoder.

    An encoder whose windows hold several segments gets whole excerpts; any other gets single windows of excerpts.

    Args:
        excerpts: Excerpts labelled by the teacher.
        encoder: Its front-end computes the features.
        seconds: Audio per batch.
        second_source: Second source of the excerpts (`engine.training.second_source`), or None.
        second_teacher: Outputs of a second teacher for the same excerpts, or None.

    Raises:
        TrainingError: The teacher's windows do not divide the encoder's segments.
    """

    def __init__(
        self,
        excerpts: Excerpts,
        encoder: Encoder,
        seconds: float,
        *,
        second_source: np.ndarray | None = None,
        second_teacher: SecondTeacher | None = None,
    ) -> None:
        target_seconds(encoder.plan.segment_seconds)
        self.excerpts, self.encoder = excerpts, encoder
        self.second_source, self.second_teacher = second_source, second_teacher
        self.whole = encoder.plan.segments > 1
        self.count = max(2, round(seconds / (EXCERPT_SECONDS if self.whole else encoder.plan.seconds)))

    @torch.no_grad()
    def draw(self, rng: np.random.Generator) -> DistillationBatch:
        """Draw a batch of segments."""
        segment = self.encoder.plan.segment_seconds
        parts = round(EXCERPT_SECONDS / segment)
        rows = rng.integers(0, len(self.excerpts), self.count)
        if self.whole:
            starts, length = np.zeros_like(rows), EXCERPT_SAMPLES
            target_rows, windows = np.repeat(rows, parts), np.tile(np.arange(parts), len(rows))
        else:
            target_rows, windows = rows, rng.integers(0, parts, self.count)
            length = round(segment * SAMPLE_RATE)
            starts = windows * length
        samples = self.excerpts.read(rows, starts, length)
        source = self.second_source
        second_samples = None if source is None else cut(source, rows, starts, length)
        targets = self.excerpts.targets(target_rows, windows, segment)
        second = self.second_teacher
        second_targets = None if second is None else second.targets(target_rows, windows, segment)
        return DistillationBatch(self.encoder.front_end(samples, second_samples), targets, second_targets)
