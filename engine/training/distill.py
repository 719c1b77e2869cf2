"""What a student learns from a teacher's judgements: its features, its tags, and the geometry of its space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.losses import relation_loss
from engine.models.teacher import FEATURES, TAGS
from engine.training.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, Excerpts, Judgements, cut, judged_unit

TAG_WEIGHT = 10.0
RELATION_WEIGHT = 4.0


@dataclass(frozen=True)
class Lesson:
    """A batch of segments as the student hears them, and what the teacher said of each."""

    features: dict[str, Tensor]
    said: Judgements


class Lessons:
    """Draws batches of judged segments for one encoder.

    An encoder whose windows hold several segments hears whole excerpts; any other one of an excerpt's windows.

    Args:
        excerpts: Judged.
        encoder: Its front-end makes what the student hears.
        second: The excerpts' second source (`engine.training.derived`), or None.
        seconds: Of audio in a batch.

    Raises:
        TrainingError: The encoder's segments have a length that the teacher did not judge.
    """

    def __init__(self, excerpts: Excerpts, encoder: Encoder, second: np.ndarray | None, seconds: float) -> None:
        judged_unit(encoder.plan.segment_seconds)
        self.excerpts, self.encoder, self.second = excerpts, encoder, second
        self.whole = encoder.plan.segments > 1
        self.count = max(2, round(seconds / (EXCERPT_SECONDS if self.whole else encoder.plan.seconds)))

    @torch.no_grad()
    def draw(self, rng: np.random.Generator) -> Lesson:
        """A batch of (B) segments."""
        segment = self.encoder.plan.segment_seconds
        parts = round(EXCERPT_SECONDS / segment)
        rows = rng.integers(0, len(self.excerpts), self.count)
        if self.whole:
            starts, length = np.zeros_like(rows), EXCERPT_SAMPLES
            judged_rows, windows = np.repeat(rows, parts), np.tile(np.arange(parts), len(rows))
        else:
            judged_rows, windows = rows, rng.integers(0, parts, self.count)
            length = round(segment * SAMPLE_RATE)
            starts = windows * length
        heard = self.excerpts.read(rows, starts, length)
        second = None if self.second is None else cut(self.second, rows, starts, length)
        said = self.excerpts.judgements(judged_rows, windows, segment)
        return Lesson(self.encoder.front_end(heard, second), said)


class TeacherHeads(nn.Module):
    """Ties an embedding to the teacher's features, its tags, and the geometry of its space. Dropped after training."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.features = nn.Linear(dim, FEATURES)
        self.tags = nn.Linear(dim, TAGS)

    def forward(self, vectors: Tensor, said: Judgements) -> Tensor:
        """h (B, D), what the teacher said of the same segments -> loss."""
        regression = F.mse_loss(self.features(vectors), said.features)
        tagging = F.binary_cross_entropy_with_logits(self.tags(vectors), said.tags)
        return regression + TAG_WEIGHT * tagging + RELATION_WEIGHT * relation_loss(vectors, said.features)
