"""The training loop: distillation, agreement of track parts, then labels and a metric term on whole tracks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.datasets.clips import ClipSamples, SampleReader
from engine.datasets.label_tensors import label_tensors
from engine.errors import TrainingError
from engine.evaluation.training_curves import TrainingStep
from engine.models.encoder import Encoder
from engine.models.losses import AgreementLoss, MetricLoss, set_loss
from engine.training.agreement import AgreementBatches, TrackCollection, clip_collection
from engine.training.distill.batches import DistillationBatches
from engine.training.distill.teacher_heads import TeacherHeads
from engine.training.schedule import Schedule
from engine.training.state import Average, load_state, save_state
from engine.training.track_batches import TrackBatch, TrackBatches

SAVE_EVERY = 200  # steps
TEACHER_LR_FACTOR = (
    10.0  # learning-rate multiplier for the teacher heads: untrained, they give the network little signal
)
DROPOUT = 0.3  # of signatures before the genre and mood heads
MAX_GRADIENT_NORM = 5.0


class Learner(nn.Module):
    """An encoder with the modules needed only in training: teacher heads, and losses with a memory."""

    def __init__(self, encoder: Encoder, relations: int, *, second_teacher: bool, agreement: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.teacher_heads = TeacherHeads(encoder.dim, second_teacher)
        self.metric = MetricLoss(encoder.dim, relations)
        if agreement:
            self.agreement = AgreementLoss(encoder.dim, relations)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the optimiser's groups, each with its learning-rate factor."""
        heads = list(self.teacher_heads.parameters())
        in_heads = {id(parameter) for parameter in heads}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in in_heads]
        return [{"params": rest, "lr_factor": 1.0}, {"params": heads, "lr_factor": TEACHER_LR_FACTOR}]


class Training:
    """One training, step by step.

    Args:
        encoder: Trained in place; at the end it has the averaged weights.
        source: Labelled clips.
        schedule: Steps, losses and batches.
        state: File for the state; an existing one is resumed.
        settings: Further settings that must be equal for a state to be resumed.
        distillation: Batches of teacher-labelled excerpts; None to train from labels alone.
        second: The clips' second source, for encoders that use one.
        music: Unlabelled tracks for the agreement loss.

    Raises:
        TrainingError: No clip is labelled, or the state cannot be resumed.
    """

    def __init__(
        self,
        encoder: Encoder,
        source: ClipSamples,
        schedule: Schedule,
        *,
        state: Path,
        settings: dict[str, Any],
        distillation: DistillationBatches | None = None,
        second: SampleReader | None = None,
        music: TrackCollection | None = None,
    ) -> None:
        self.schedule, self.state, self.distillation = schedule, state, distillation
        self.labels = label_tensors(source.clips, encoder.genres, encoder.moods)
        labelled = np.flatnonzero(self.labels.relation.any(dim=1).numpy())
        if not len(labelled):
            raise TrainingError(
                "expected clips with genres or a quadrant in the train split, found none",
                hint="see the columns of the CSV",
            )
        self.tracks = TrackBatches(source, second, labelled, encoder, schedule)
        self.agreement: AgreementBatches | None = None
        if schedule.agreement_weight:
            clips = clip_collection(source, second)
            self.agreement = AgreementBatches(clips, self.labels.relation, music, encoder, schedule)
        self.learner = Learner(
            encoder,
            self.labels.relation.shape[1],
            second_teacher=distillation is not None and distillation.second_teacher is not None,
            agreement=self.agreement is not None,
        )
        self.learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.learner.parameter_groups(), weight_decay=schedule.weight_decay)
        self.average = Average(self.learner, schedule.average_decay)
        self.settings = settings | asdict(schedule)
        self.step = (
            load_state(state, self.settings, self.learner, self.average, self.optimizer) if state.exists() else 0
        )

    def run(self, on_step: Callable[[TrainingStep], None]) -> None:
        """Run all remaining steps. An interruption loses at most SAVE_EVERY steps.

        Raises:
            TrainingError: A loss is not finite; the last saved state remains.
        """
        while self.step < self.schedule.steps:
            losses = self._advance(np.random.default_rng([self.schedule.seed, self.step]))
            if not all(map(math.isfinite, losses.values())):
                raise TrainingError(
                    f"loss is not finite at step {self.step}",
                    hint="choose a lower --learning-rate and another --out "
                    f"(steps before it, if {SAVE_EVERY} or more, are saved in {self.state})",
                )
            self.step += 1
            if self.step % SAVE_EVERY == 0 or self.step == self.schedule.steps:
                save_state(self.state, self.step, self.settings, self.learner, self.average, self.optimizer)
            on_step(TrainingStep(self.step, losses, self.optimizer.param_groups[0]["lr"]))
        self.learner.load_state_dict(self.average.values)
        self.learner.eval()

    def _advance(self, rng: np.random.Generator) -> dict[str, float]:
        """Take one optimiser step; return the weighted losses by name."""
        torch.manual_seed(int(rng.integers(2**31)))  # dropout
        self.learner.train()
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr_factor"] * self._learning_rate()
        losses = self._losses(rng)
        self.optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.average.update(self.learner, self.step)
        return {name: loss.item() for name, loss in losses.items()}

    def _learning_rate(self) -> float:
        """Linear warm-up, then a cosine to zero."""
        warmup = min(1.0, (self.step + 1) / self.schedule.warmup)
        return self.schedule.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * self.step / self.schedule.steps))

    def _losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        if self.distillation:
            losses["teacher"] = self._teacher_loss(self.distillation, rng)
        if self.agreement:
            losses["agreement"] = self._agreement_loss(self.agreement, rng)
        if self.distillation is None or self.step >= self.schedule.tracks_from * self.schedule.steps:
            losses |= self._track_losses(self.tracks.draw(rng))
        return losses

    def _embed(self, features: dict[str, Tensor]) -> Tensor:
        """Segment vectors (N, D), float32, computed in bfloat16."""
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.learner.encoder.embed(features)
        return vectors.float()

    def _teacher_loss(self, batches: DistillationBatches, rng: np.random.Generator) -> Tensor:
        batch = batches.draw(rng)
        return self.learner.teacher_heads(self._embed(batch.features), batch.targets, batch.second_targets)

    def _agreement_loss(self, batches: AgreementBatches, rng: np.random.Generator) -> Tensor:
        batch = batches.draw(rng)
        vectors = self._embed(batch.features)  # (2 * B * W, D)
        views = vectors.view(2, len(batch.tracks), -1, vectors.shape[1]).mean(dim=2)  # (2, B, D)
        loss = self.learner.agreement(views, batch.labels, batch.tracks, batch.folders)
        return self.schedule.agreement_weight * loss

    def _track_losses(self, batch: TrackBatch) -> dict[str, Tensor]:
        """Weighted losses of genre, mood, metric, and the encoder's own term, on signatures of any length."""
        schedule, encoder = self.schedule, self.learner.encoder
        vectors = encoder.mapped(self._embed(batch.features)).view(len(batch.clips), -1, encoder.dim)  # (B, S, D)
        raw = encoder.pool(vectors, encoder.score(vectors))  # (B, D)
        dropped = nn.functional.dropout(raw, DROPOUT)
        genre, mood = (encoder.logits(head, dropped) for head in (encoder.genre_head, encoder.mood_head))
        losses = {
            "genre": schedule.genre_weight * _mixed_set_loss(genre, self.labels.genres, batch),
            "mood": schedule.mood_weight * _mixed_set_loss(mood, self.labels.moods, batch),
            "metric": schedule.metric_weight * self.learner.metric(raw, self._mixed_relation(batch), batch.clips),
        }
        alone = batch.weights == 1  # the encoder's own term knows no mixtures
        own = encoder.own_loss(raw[alone], self.labels.genres[batch.clips][alone]) if alone.any() else None
        return losses if own is None else losses | {"own": schedule.genre_weight * own}

    def _mixed_relation(self, batch: TrackBatch) -> Tensor:
        """Label vectors (B, L) of mixtures: each clip's and its partner's, by weight."""
        weights, relation = batch.weights[:, None], self.labels.relation
        return weights * relation[batch.clips] + (1 - weights) * relation[batch.partners]


def _mixed_set_loss(logits: Tensor, allowed: Tensor, batch: TrackBatch) -> Tensor:
    """Set loss of mixtures: against each clip's labels and against its partner's, by weight."""
    loss = set_loss(logits, allowed[batch.clips], batch.weights)
    if (batch.weights == 1).all():
        return loss
    return loss + set_loss(logits, allowed[batch.partners], 1 - batch.weights)
