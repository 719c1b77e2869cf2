"""Heads that regress one or two teachers' features and outputs, and the distillation loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.losses import relation_loss
from engine.models.teacher import FEATURES, TAGS
from engine.models.yamnet import FEATURES as SECOND_FEATURES, WORDS
from engine.training.distill.excerpts import TeacherTargets
from engine.training.distill.second_teacher import SecondTeacherTargets

TAG_WEIGHT = 10.0
RELATION_WEIGHT = 4.0
SECOND_FEATURES_WEIGHT = 1.0
WORDS_WEIGHT = 4.0
SECOND_SCALE = 0.8  # of the second teacher's features in the joint space, relative to the first's


class TeacherHeads(nn.Module):
    """Linear heads from segment vectors to a teacher's features and tags; discarded after training.

    Args:
        dim: D of the segment vectors.
        second: Whether there is a second teacher.
    """

    def __init__(self, dim: int, second: bool = False) -> None:
        super().__init__()
        self.features = nn.Linear(dim, FEATURES)
        self.tags = nn.Linear(dim, TAGS)
        if second:
            self.second_features = nn.Linear(dim, SECOND_FEATURES)
            self.words = nn.Linear(dim, WORDS)

    def forward(self, vectors: Tensor, targets: TeacherTargets, second: SecondTeacherTargets | None = None) -> Tensor:
        """Compute the loss of segment vectors (B, D): features, tags or words, and the geometry of the space."""
        regression = F.mse_loss(self.features(vectors), targets.features)
        tagging = F.binary_cross_entropy_with_logits(self.tags(vectors), targets.tags)
        loss, space = regression + TAG_WEIGHT * tagging, targets.features
        if second is not None:
            loss = loss + self._second_loss(vectors, second)
            space = joint_space(targets.features, second.features)
        return loss + RELATION_WEIGHT * relation_loss(vectors, space)

    def _second_loss(self, vectors: Tensor, second: SecondTeacherTargets) -> Tensor:
        regression = F.mse_loss(self.second_features(vectors), second.features)
        words = self.words(vectors)[:, second.occurring]
        wording = F.binary_cross_entropy_with_logits(words, second.words[:, second.occurring])
        return SECOND_FEATURES_WEIGHT * regression + WORDS_WEIGHT * wording


def joint_space(first: Tensor, second: Tensor) -> Tensor:
    """Concatenate two teachers' standardised features (B, T1), (B, T2) into (B, T1 + T2).

    Standardised features have unit variance each, so their squared length is about T. Dividing by sqrt(T) gives both
    teachers unit length, regardless of their dimensions; SECOND_SCALE then weighs the second.
    """
    return torch.cat([first / FEATURES**0.5, SECOND_SCALE * second / SECOND_FEATURES**0.5], dim=1)
