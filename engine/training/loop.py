"""The training loop: distillation where a teacher is given, then labels and a metric term on whole tracks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import TrainingError
from engine.models.encoder import Encoder
from engine.models.losses import MetricLoss, set_loss
from engine.training.clips import ClipSamples
from engine.training.distill import Bank, TeacherHeads
from engine.training.patches import Augmentation
from engine.training.state import Average, load_state, save_state
from engine.training.tracks import draw_track, label_tensors

TRACK_AUGMENTATION = Augmentation(speed=1.1, equalise_db=6.0)
SAVE_EVERY = 200  # steps
FIRST_FILL = 2048  # excerpts judged before the first step, and after resuming


@dataclass(frozen=True)
class Schedule:
    """How a training runs.

    Attributes:
        steps: Optimiser steps.
        seed: Of weights and of every draw.
        learning_rate: Peak of AdamW's; warmed up over `warmup` steps, then a cosine to zero.
        weight_decay: AdamW's.
        average_decay: Of the moving average of weights that is shipped.
        bank_batch, bank_new, bank_capacity: Excerpts learnt from a step, judged anew a step, and remembered.
        tracks_from: Share of the steps after which track batches begin (0 without a teacher: nothing else teaches).
        track_batch, track_windows: Clips in a track batch, and windows of each.
        genre_weight, mood_weight, metric_weight: Of the track losses against distillation.
    """

    steps: int = 2400
    seed: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: int = 100
    average_decay: float = 0.998
    bank_batch: int = 96
    bank_new: int = 32
    bank_capacity: int = 40_000
    tracks_from: float = 0.7
    track_batch: int = 20
    track_windows: int = 6
    genre_weight: float = 0.15
    mood_weight: float = 0.15
    metric_weight: float = 0.15
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Progress:
    """One step's account: losses by name, not averaged."""

    step: int
    steps: int
    losses: dict[str, float]


class Learner(nn.Module):
    """An encoder with what only its training needs."""

    def __init__(self, encoder: Encoder, relations: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.teacher_heads = TeacherHeads(encoder.dim)
        self.metric = MetricLoss(encoder.dim, relations)


class Training:
    """One training, step by step.

    Args:
        encoder: Trained in place; at the end it holds the averaged weights.
        source: Training clips.
        schedule: How.
        bank: Judged excerpts, or None to learn from labels alone.
        state: Where to keep the state; an existing one is resumed.
    """

    def __init__(
        self, encoder: Encoder, source: ClipSamples, schedule: Schedule, bank: Bank | None, state: Path, settings: dict
    ) -> None:
        self.source, self.schedule, self.bank, self.state = source, schedule, bank, state
        self.labels = label_tensors(source.clips, encoder.genres, encoder.moods)
        self.labelled = np.flatnonzero(self.labels.relation.any(dim=1).numpy())
        if not len(self.labelled):
            raise TrainingError(
                "expected clips with genres or a quadrant in the train split, found none; see the columns of the CSV"
            )
        self.learner = Learner(encoder, self.labels.relation.shape[1])
        self.learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.learner.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.average = Average(self.learner, schedule.average_decay)
        self.settings = settings | asdict(schedule)
        self.step = (
            load_state(state, self.settings, self.learner, self.average, self.optimizer) if state.exists() else 0
        )

    def run(self, report: Callable[[Progress], None]) -> None:
        """Run to the end. Any stop in between loses at most SAVE_EVERY steps.

        Raises:
            TrainingError: A loss is not finite; the state saved before is still there.
        """
        if self.bank and self.step < self.schedule.steps:
            self.bank.fill(FIRST_FILL, np.random.default_rng([self.schedule.seed, self.step, 1]))
        while self.step < self.schedule.steps:
            losses = self._advance(np.random.default_rng([self.schedule.seed, self.step]))
            if not all(map(math.isfinite, losses.values())):
                raise TrainingError(
                    f"loss is not finite at step {self.step}; choose a lower --learning-rate and another --out "
                    f"(steps before it, if {SAVE_EVERY} or more, are kept in {self.state})"
                )
            self.step += 1
            if self.step % SAVE_EVERY == 0 or self.step == self.schedule.steps:
                save_state(self.state, self.step, self.settings, self.learner, self.average, self.optimizer)
            report(Progress(self.step, self.schedule.steps, losses))
        self.learner.load_state_dict(self.average.values)
        self.learner.eval()

    def _advance(self, rng: np.random.Generator) -> dict[str, float]:
        torch.manual_seed(int(rng.integers(2**31)))  # dropout
        self.learner.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        losses: dict[str, Tensor] = {}
        on_tracks = self.bank is None or self.step >= self.schedule.tracks_from * self.schedule.steps
        if self.bank:
            if not on_tracks:
                self.bank.fill(self.schedule.bank_new, rng)
            losses["teacher"] = self._teacher_loss(self.bank, rng)
        if on_tracks:
            losses |= self._track_losses(rng)
        total = torch.stack(list(losses.values())).sum()
        self.optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), 5.0)
        self.optimizer.step()
        self.average.update(self.learner, self.step)
        return {name: loss.item() for name, loss in losses.items()}

    def _learning_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / self.schedule.warmup)
        return self.schedule.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * self.step / self.schedule.steps))

    def _teacher_loss(self, bank: Bank, rng: np.random.Generator) -> Tensor:
        inputs, features, tags = bank.draw(self.schedule.bank_batch, rng)
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.learner.encoder.embed(inputs)
        return self.learner.teacher_heads(vectors.float(), features, tags)

    def _track_losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        schedule, encoder = self.schedule, self.learner.encoder
        B, W = schedule.track_batch, schedule.track_windows
        clips = rng.choice(self.labelled, B, replace=len(self.labelled) < B)
        windows = torch.cat([draw_track(self.source, int(i), encoder.plan, W, TRACK_AUGMENTATION, rng) for i in clips])
        with torch.no_grad():
            features = encoder.front_end(windows)
        with torch.autocast("cpu", torch.bfloat16):
            vectors = encoder.embed(features)  # (B * S, D)
        vectors = vectors.float().view(B, -1, encoder.dim)  # (B, S, D)
        raw = encoder.pool(vectors, encoder.score(vectors))  # (B, D)
        dropped = nn.functional.dropout(raw, 0.3)
        at = torch.from_numpy(clips)
        return {
            "genre": schedule.genre_weight * set_loss(encoder.genre_head(dropped), self.labels.genres[at]),
            "mood": schedule.mood_weight * set_loss(encoder.mood_head(dropped), self.labels.moods[at]),
            "metric": schedule.metric_weight * self.learner.metric(raw, self.labels.relation[at], at),
        }
