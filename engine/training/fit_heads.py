"""After the last step: centre the signatures, fit the heads with regularisation, place the reference centroids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import GroupKFold
from torch import Tensor, nn

from engine.datasets.clips import Clip, ClipSamples
from engine.models.encoder import Encoder
from engine.models.losses import set_loss
from engine.training.tracks import genre_shares, label_tensors, planned_windows
from engine.training.trunk_space import TrunkSpace

PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
FOLDS = 4
PRIOR_CLIPS = 20  # the mean of a handful of clips says little: it counts as if so many more had a mean of zero
FLATTERY = 3.0  # on artists that the network has not heard, about three times the penalty that folds choose is best


def summarise_clips(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Tensor:
    """Encode every clip as indexing would: un-normalised signatures (N, D)."""
    return _pooled(encoder, _clip_vectors(encoder, source, on_clip))


def finish(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Centre the clips' signatures, fit heads and centroids on them; returns the chosen penalties.

    Around their mean, signatures have fewer hubs, tracks that are everybody's neighbour (Suzuki et al. 2013).
    """
    return finish_vectors(encoder, _clip_vectors(encoder, source, on_clip), source.clips)


def finish_vectors(encoder: Encoder, vectors: list[Tensor], clips: list[Clip]) -> dict[str, float]:
    """`finish` on the clips' segment vectors, each (S, D), as `Encoder.vectors_of` gave them."""
    mean = _pooled(encoder, vectors).sum(dim=0) / (len(vectors) + PRIOR_CLIPS)  # (D,)
    encoder.centre(mean)
    raw = _pooled(encoder, [each - mean for each in vectors])
    labels = label_tensors(clips, encoder.genres, encoder.moods)
    space = TrunkSpace(encoder, raw)
    chosen = {
        "genre_penalty": _fit_head(encoder, encoder.genre_head, space.of(raw), labels.genres, clips),
        "mood_penalty": _fit_head(encoder, encoder.mood_head, space.of(raw), labels.moods, clips),
    }
    for head in (encoder.genre_head, encoder.mood_head):
        space.move(head)
    encoder.centroids.copy_(_centroids(F.normalize(raw, dim=1), labels.genres))
    return chosen


def _clip_vectors(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None]) -> list[Tensor]:
    """h (S, D) of each clip."""
    vectors = []
    for index in range(len(source)):
        vectors.append(encoder.vectors_of(planned_windows(source, index, encoder.plan)))
        on_clip()
    return vectors


@torch.inference_mode()
def _pooled(encoder: Encoder, vectors: list[Tensor]) -> Tensor:
    """Un-normalised signatures (N, D)."""
    return torch.cat([encoder.pool(each[None], encoder.score(each[None])) for each in vectors])


def _centroids(signatures: Tensor, genres: Tensor) -> Tensor:
    """Normalised means (G, D): a clip with several allowed genres counts for each by its share."""
    return F.normalize(genre_shares(genres).T @ signatures, dim=1)


@dataclass(frozen=True)
class _Lesson:
    """What a head is fitted on: un-normalised signatures (N, D), allowed labels, and those its data set has, (N, C)."""

    raw: Tensor
    allowed: Tensor
    known: Tensor

    def part(self, rows: np.ndarray) -> _Lesson:
        """Some clips."""
        return _Lesson(self.raw[rows], self.allowed[rows], self.known[rows])


def _fit_head(encoder: Encoder, head: nn.Linear, raw: Tensor, allowed: Tensor, clips: list[Clip]) -> float:
    """Refit a head on the labelled clips, its L2 penalty chosen on folds that share no artist.

    FLATTERY times the greatest penalty whose loss is within one standard error of the best one's (Breiman et al. 1984):
    the network has learnt from these very clips, and folds flatter a head that trusts it. Without a labelled clip the
    head answers that all are equally likely.
    """
    labelled = allowed.any(dim=1).numpy()
    lesson = _Lesson(raw, allowed, known_labels(allowed, clips)).part(labelled)
    groups = [clip.artist or str(clip.path) for clip, keep in zip(clips, labelled, strict=True) if keep]
    folds = min(FOLDS, len(set(groups)))
    penalty = PENALTIES[len(PENALTIES) // 2]
    if folds > 1:
        splits = list(GroupKFold(folds).split(lesson.raw, groups=groups))
        losses = np.array([_held_out_losses(encoder, head, lesson, splits, each) for each in PENALTIES])  # (P, folds)
        best = losses.mean(axis=1).argmin()
        bound = losses[best].mean() + losses[best].std(ddof=1) / folds**0.5
        penalty = FLATTERY * max(
            each for each, loss in zip(PENALTIES, losses.mean(axis=1), strict=True) if loss <= bound
        )
    if len(lesson.raw):
        _fit(encoder, head, lesson, penalty)
    else:
        _clear(head)
    return penalty


def known_labels(allowed: Tensor, clips: list[Clip]) -> Tensor:
    """The labels (N, C) that occur in each clip's data set."""
    known = torch.zeros_like(allowed)
    datasets = np.array([clip.dataset for clip in clips])
    for dataset in set(datasets.tolist()):
        rows = torch.from_numpy(datasets == dataset)
        known[rows] = allowed[rows].any(dim=0)
    return known


def _held_out_losses(
    encoder: Encoder, head: nn.Linear, lesson: _Lesson, splits: list[tuple[np.ndarray, np.ndarray]], penalty: float
) -> list[float]:
    losses = []
    for train, test in splits:
        _fit(encoder, head, lesson.part(train), penalty)
        with torch.no_grad():
            losses.append(_head_loss(encoder, head, lesson.part(test)).item())
    return losses


def _head_loss(encoder: Encoder, head: nn.Linear, lesson: _Lesson) -> Tensor:
    """Half of the loss among all labels, half among those that the clip's data set has.

    A data set without folk does not say that its clips are no folk.
    """
    logits = encoder.logits(head, lesson.raw)
    among_known = logits.masked_fill(~lesson.known, -torch.inf)
    return (set_loss(logits, lesson.allowed) + set_loss(among_known, lesson.allowed)) / 2


def _clear(head: nn.Linear) -> None:
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()


def _fit(encoder: Encoder, head: nn.Linear, lesson: _Lesson, penalty: float) -> None:
    _clear(head)
    scale = lesson.raw.std()  # so that the penalty means the same whatever the signatures' size
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = _head_loss(encoder, head, lesson) + penalty * (head.weight * scale).square().sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
