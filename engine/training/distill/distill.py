"""What a student learns from one or two teachers: their features, their tags or words, their spaces' geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.losses import relation_loss
from engine.models.teacher import FEATURES, TAGS
from engine.models.yamnet import FEATURES as SECOND_FEATURES, WORDS
from engine.training.distill.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, Excerpts, Judgements, cut, judged_unit
from engine.training.distill.second_teacher import SecondJudgements, SecondOpinions

TAG_WEIGHT = 10.0
RELATION_WEIGHT = 4.0
SECOND_FEATURES_WEIGHT = 1.0
WORDS_WEIGHT = 4.0
SECOND_SHARE = 0.8  # length of the second teacher's features in the joined space, the first one's being 1


@dataclass(frozen=True)
class Lesson:
    """A batch of segments as the student hears them, and what the teacher, and perhaps a second one, said of each."""

    features: dict[str, Tensor]
    said: Judgements
    second: SecondJudgements | None = None


class Lessons:
    """Draws batches of judged segments for one encoder.

    An encoder whose windows hold several segments hears whole excerpts; any other one of an excerpt's windows.

    Args:
        excerpts: Judged.
        encoder: Its front-end makes what the student hears.
        second: The excerpts' second source (`engine.training.second_source`), or None.
        seconds: Of audio in a batch.
        opinions: A second teacher's answers to the same excerpts, or None.

    Raises:
        TrainingError: The encoder's segments have a length that the teacher did not judge.
    """

    def __init__(
        self,
        excerpts: Excerpts,
        encoder: Encoder,
        second: np.ndarray | None,
        seconds: float,
        opinions: SecondOpinions | None = None,
    ) -> None:
        judged_unit(encoder.plan.segment_seconds)
        self.excerpts, self.encoder, self.second, self.opinions = excerpts, encoder, second, opinions
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
        opinions = self.opinions
        opinion = None if opinions is None else opinions.judgements(judged_rows, windows, segment)
        return Lesson(self.encoder.front_end(heard, second), said, opinion)


class TeacherHeads(nn.Module):
    """Ties an embedding to a teacher's features, its tags, and the geometry of its space. Dropped after training.

    Args:
        dim: D of the embedding.
        second: Whether there is a second teacher, too.
    """

    def __init__(self, dim: int, second: bool = False) -> None:
        super().__init__()
        self.features = nn.Linear(dim, FEATURES)
        self.tags = nn.Linear(dim, TAGS)
        if second:
            self.second_features = nn.Linear(dim, SECOND_FEATURES)
            self.words = nn.Linear(dim, WORDS)

    def forward(self, vectors: Tensor, said: Judgements, second: SecondJudgements | None = None) -> Tensor:
        """h (B, D), what the teachers said of the same segments -> loss."""
        regression = F.mse_loss(self.features(vectors), said.features)
        tagging = F.binary_cross_entropy_with_logits(self.tags(vectors), said.tags)
        loss, space = regression + TAG_WEIGHT * tagging, said.features
        if second is not None:
            loss = loss + self._second_loss(vectors, second)
            space = joined(said.features, second.features)
        return loss + RELATION_WEIGHT * relation_loss(vectors, space)

    def _second_loss(self, vectors: Tensor, second: SecondJudgements) -> Tensor:
        regression = F.mse_loss(self.second_features(vectors), second.features)
        words = self.words(vectors)[:, second.heard]
        wording = F.binary_cross_entropy_with_logits(words, second.words[:, second.heard])
        return SECOND_FEATURES_WEIGHT * regression + WORDS_WEIGHT * wording


def joined(first: Tensor, second: Tensor) -> Tensor:
    """Two teachers' standardised features (B, T1), (B, T2) as one space (B, T1 + T2), in which neither is drowned."""
    return torch.cat([first / FEATURES**0.5, SECOND_SHARE * second / SECOND_FEATURES**0.5], dim=1)
