"""The training loop: distillation where a teacher is given, agreement of tracks' parts where it is asked for, then
labels and a metric term on whole tracks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.datasets.clips import ClipSamples
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.losses import AgreementLoss, MetricLoss, set_loss
from engine.training.agreement import Agreement, Collection, labelled_collection
from engine.training.augment.batch_augment import VariedTracks, vary_tracks
from engine.training.augment.masks import augment_features
from engine.training.augment.spectral import Samples
from engine.training.distill.distill import Lessons, TeacherHeads
from engine.training.schedule import Schedule
from engine.training.second_source import DerivedClips
from engine.training.state import Average, load_state, save_state
from engine.training.tracks import draw_track, label_tensors

SAVE_EVERY = 200  # steps
HEADS_PACE = 10.0  # the teacher's heads learn so much faster: until they fit, they teach the network little


@dataclass(frozen=True)
class Progress:
    """One step's account: losses by name, not averaged."""

    step: int
    steps: int
    losses: dict[str, float]


class Learner(nn.Module):
    """An encoder with what only its training needs: heads for one teacher or two, memories of contrastive losses."""

    def __init__(self, encoder: Encoder, relations: int, second: bool = False, agreement: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.teacher_heads = TeacherHeads(encoder.dim, second)
        self.metric = MetricLoss(encoder.dim, relations)
        if agreement:
            self.agreement = AgreementLoss(encoder.dim, relations)


class Training:
    """One training, step by step.

    Args:
        encoder: Trained in place; at the end it holds the averaged weights.
        source: Training clips.
        schedule: How.
        lessons: Judged excerpts, or None to learn from labels alone.
        state: Where to keep the state; an existing one is resumed.
        settings: What else must be equal for a state to be resumed.
        second: The clips' second source, where the encoder hears one.
        music: Tracks without labels and their second source, for the agreement of their parts.
    """

    def __init__(
        self,
        encoder: Encoder,
        source: ClipSamples,
        schedule: Schedule,
        lessons: Lessons | None,
        state: Path,
        settings: dict,
        second: DerivedClips | None = None,
        music: Collection | None = None,
    ) -> None:
        self.source, self.second = source, second
        self.schedule, self.lessons, self.state = schedule, lessons, state
        self.labels = label_tensors(source.clips, encoder.genres, encoder.moods)
        self.labelled = np.flatnonzero(self.labels.relation.any(dim=1).numpy())
        if not len(self.labelled):
            raise TrainingError(
                "expected clips with genres or a quadrant in the train split, found none",
                hint="see the columns of the CSV",
            )
        self.agreement: Agreement | None = None
        if schedule.agreement_weight:
            clips = labelled_collection(source, second)
            self.agreement = Agreement(clips, self.labels.relation, music, encoder, schedule)
        two = lessons is not None and lessons.opinions is not None
        self.learner = Learner(encoder, self.labels.relation.shape[1], two, self.agreement is not None)
        self.learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(_groups(self.learner), weight_decay=schedule.weight_decay)
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
        while self.step < self.schedule.steps:
            losses = self._advance(np.random.default_rng([self.schedule.seed, self.step]))
            if not all(map(math.isfinite, losses.values())):
                raise TrainingError(
                    f"loss is not finite at step {self.step}",
                    hint="choose a lower --learning-rate and another --out "
                    f"(steps before it, if {SAVE_EVERY} or more, are kept in {self.state})",
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
            group["lr"] = group["pace"] * self._learning_rate()
        losses: dict[str, Tensor] = {}
        if self.lessons:
            losses["teacher"] = self._teacher_loss(self.lessons, rng)
        if self.agreement:
            losses["agreement"] = self._agreement_loss(self.agreement, rng)
        if self.lessons is None or self.step >= self.schedule.tracks_from * self.schedule.steps:
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

    def _teacher_loss(self, lessons: Lessons, rng: np.random.Generator) -> Tensor:
        lesson = lessons.draw(rng)
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.learner.encoder.embed(lesson.features)
        return self.learner.teacher_heads(vectors.float(), lesson.said, lesson.second)

    def _agreement_loss(self, agreement: Agreement, rng: np.random.Generator) -> Tensor:
        pairs = agreement.draw(rng)
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.learner.encoder.embed(pairs.features)  # (2 * B * W, D)
        views = vectors.float().view(2, len(pairs.tracks), -1, vectors.shape[1]).mean(dim=2)  # (2, B, D)
        loss = self.learner.agreement(views, pairs.labels, pairs.tracks, pairs.folders)
        return self.schedule.agreement_weight * loss

    def _track_losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        schedule, encoder = self.schedule, self.learner.encoder
        clips = rng.choice(self.labelled, schedule.track_batch, replace=len(self.labelled) < schedule.track_batch)
        varied = self._tracks(clips, rng)
        features = self._features(varied, rng)
        with torch.autocast("cpu", torch.bfloat16):
            vectors = encoder.embed(features)  # (B * S, D)
        vectors = encoder.mapped(vectors.float()).view(schedule.track_batch, -1, encoder.dim)  # (B, S, D)
        raw = encoder.pool(vectors, encoder.score(vectors))  # (B, D)
        dropped = nn.functional.dropout(raw, 0.3)
        at = torch.from_numpy(clips)
        weights, others = varied.weights, at[varied.partners]
        losses = {name: torch.zeros(()) for name in ("genre", "mood")}
        genre_logits, mood_logits = (encoder.logits(head, dropped) for head in (encoder.genre_head, encoder.mood_head))
        for rows, shares in ((at, weights), (others, 1 - weights)):
            if shares.any():
                losses["genre"] = losses["genre"] + set_loss(genre_logits, self.labels.genres[rows], shares)
                losses["mood"] = losses["mood"] + set_loss(mood_logits, self.labels.moods[rows], shares)
        losses = {"genre": schedule.genre_weight * losses["genre"], "mood": schedule.mood_weight * losses["mood"]}
        relation = weights[:, None] * self.labels.relation[at] + (1 - weights[:, None]) * self.labels.relation[others]
        losses["metric"] = schedule.metric_weight * self.learner.metric(raw, relation, at)
        own = encoder.own_loss(raw, self.labels.genres[at])
        return losses if own is None else losses | {"own": schedule.genre_weight * own}

    def _tracks(self, clips: np.ndarray, rng: np.random.Generator) -> VariedTracks:
        """Random segments of these clips, varied."""
        encoder, schedule = self.learner.encoder, self.schedule
        seconds = encoder.plan.segment_seconds
        sources: list[Samples] = [self.source] if self.second is None else [self.source, self.second]
        count = max(2, round(schedule.track_seconds / seconds))
        tracks = [
            draw_track(
                sources, (int(i), self.source.length(int(i))), round(seconds * SAMPLE_RATE), count,
                schedule.augmentation, rng,
            )
            for i in clips
        ]  # fmt: skip
        return vary_tracks(tracks, schedule.effects, rng)

    @torch.no_grad()
    def _features(self, varied: VariedTracks, rng: np.random.Generator) -> dict[str, Tensor]:
        """Front-end features, track after track, masked."""
        encoder = self.learner.encoder
        features = encoder.front_end(*(torch.cat(windows) for windows in zip(*varied.tracks, strict=True)))
        return augment_features(features, self.schedule.effects, rng, encoder.spectrograms)


def _groups(learner: Learner) -> list[dict]:
    heads = list(learner.teacher_heads.parameters())
    known = {id(parameter) for parameter in heads}
    rest = [parameter for parameter in learner.parameters() if id(parameter) not in known]
    return [{"params": rest, "pace": 1.0}, {"params": heads, "pace": HEADS_PACE}]
