"""Distillation from a patient, consistent teacher (Beyer et al. 2022): it judges the excerpt that the student hears.

Judging is dearer than learning: judged excerpts go into a bank of the latest ones; each step learns from a draw of it.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.encoder import Encoder
from engine.models.losses import relation_loss
from engine.models.teacher import FEATURES, TAGS, Teacher
from engine.training.clips import ClipSamples
from engine.training.patches import Augmentation, draw_patch, render

JUDGED_AT_ONCE = 8  # the teacher's fastest batch on a CPU
TAG_WEIGHT = 10.0
RELATION_WEIGHT = 4.0
CALIBRATION = 512  # excerpts from which the teacher's features are standardised


class Bank:
    """The latest judged excerpts: the student's features (float16) beside the teacher's answers, in a ring.

    Args:
        teacher: Judges.
        encoder: Its front-end makes what the student hears; of a single modality.
        source: Clips to cut excerpts from.
        capacity: Excerpts kept.
    """

    def __init__(
        self, teacher: Teacher, encoder: Encoder, source: ClipSamples, capacity: int, augmentation: Augmentation
    ) -> None:
        self.teacher, self.encoder, self.source = teacher, encoder, source
        self.capacity, self.augmentation = capacity, augmentation
        self.size = self.written = 0
        self.inputs: dict[str, Tensor] = {}
        self.features = torch.zeros(capacity, FEATURES, dtype=torch.float16)
        self.tags = torch.zeros(capacity, TAGS, dtype=torch.float16)
        self.mean, self.std = torch.zeros(FEATURES), torch.ones(FEATURES)

    def fill(self, count: int, rng: np.random.Generator) -> None:
        """Judge `count` new excerpts; the first CALIBRATION of them fix the standardisation."""
        for first in range(0, count, JUDGED_AT_ONCE):
            self._add(min(JUDGED_AT_ONCE, count - first), rng)
        if self.written <= max(count, CALIBRATION):
            known = self.features[: self.size].float()
            self.mean, self.std = known.mean(dim=0), known.std(dim=0).clamp_min(1e-3)

    @torch.no_grad()
    def _add(self, count: int, rng: np.random.Generator) -> None:
        samples = self.encoder.plan.samples
        heard = render([draw_patch(self.source, samples, self.augmentation, rng) for _ in range(count)], samples)
        features, tags = self.teacher(self.teacher.log_mel(heard.teacher))
        inputs = self.encoder.front_end(heard.student)
        at = torch.arange(self.written, self.written + count) % self.capacity
        for name, values in inputs.items():
            if name not in self.inputs:
                self.inputs[name] = torch.zeros(self.capacity, *values.shape[1:], dtype=torch.float16)
            self.inputs[name][at] = values.half()
        self.features[at], self.tags[at] = features.half(), tags.half()
        self.written += count
        self.size = min(self.written, self.capacity)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Random excerpts: the student's features, the teacher's, standardised (B, FEATURES), its tags (B, TAGS)."""
        at = torch.from_numpy(rng.integers(0, self.size, count))
        inputs = {name: values[at].float() for name, values in self.inputs.items()}
        return inputs, (self.features[at].float() - self.mean) / self.std, self.tags[at].float()


class TeacherHeads(nn.Module):
    """Ties an embedding to the teacher's features, its tags, and the geometry of its space. Dropped after training."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.features = nn.Linear(dim, FEATURES)
        self.tags = nn.Linear(dim, TAGS)

    def forward(self, vectors: Tensor, features: Tensor, tags: Tensor) -> Tensor:
        """h (B, D), the teacher's standardised features and tags -> loss."""
        regression = F.mse_loss(self.features(vectors), features)
        tagging = F.binary_cross_entropy_with_logits(self.tags(vectors), tags)
        return regression + TAG_WEIGHT * tagging + RELATION_WEIGHT * relation_loss(vectors, features)
