"""After the last step: fit the heads with regularisation, place the reference centroids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import GroupKFold
from torch import Tensor, nn

from engine.models.encoder import Encoder
from engine.models.losses import set_loss
from engine.training.clips import Clip, ClipSamples
from engine.training.tracks import genre_shares, label_tensors, planned_windows

PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
FOLDS = 4


def summarise_clips(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Tensor:
    """Encode every clip as indexing would: un-normalised signatures (N, D)."""
    rows = []
    with torch.inference_mode():
        for index in range(len(source)):
            vectors = encoder.vectors_of(planned_windows(source, index, encoder.plan))[None]
            rows.append(encoder.pool(vectors, encoder.score(vectors))[0])
            on_clip()
    return torch.stack(rows)


def finish(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Fit heads and centroids on the clips' signatures; returns the chosen penalties."""
    raw = summarise_clips(encoder, source, on_clip)
    labels = label_tensors(source.clips, encoder.genres, encoder.moods)
    chosen = {
        "genre_penalty": _fit_head(encoder, encoder.genre_head, raw, labels.genres, source.clips),
        "mood_penalty": _fit_head(encoder, encoder.mood_head, raw, labels.moods, source.clips),
    }
    encoder.centroids.copy_(_centroids(F.normalize(raw, dim=1), labels.genres))
    return chosen


def _centroids(signatures: Tensor, genres: Tensor) -> Tensor:
    """Normalised means (G, D): a clip with several allowed genres counts for each by its share."""
    return F.normalize(genre_shares(genres).T @ signatures, dim=1)


def _fit_head(encoder: Encoder, head: nn.Linear, raw: Tensor, allowed: Tensor, clips: list[Clip]) -> float:
    """Refit a head on the labelled clips, its L2 penalty chosen on folds that share no artist.

    Without a labelled clip the head answers that all are equally likely.
    """
    labelled = allowed.any(dim=1).numpy()
    x, y = raw[labelled], allowed[labelled]
    groups = [clip.artist or str(clip.path) for clip, keep in zip(clips, labelled, strict=True) if keep]
    folds = min(FOLDS, len(set(groups)))
    penalty = PENALTIES[len(PENALTIES) // 2]
    if folds > 1:
        splits = list(GroupKFold(folds).split(x, groups=groups))
        penalty = min(PENALTIES, key=lambda candidate: _held_out_loss(encoder, head, x, y, splits, candidate))
    if len(x):
        _fit(encoder, head, x, y, penalty)
    else:
        _clear(head)
    return penalty


def _held_out_loss(
    encoder: Encoder, head: nn.Linear, x: Tensor, y: Tensor, splits: list[tuple[np.ndarray, np.ndarray]], penalty: float
) -> float:
    losses = []
    for train, test in splits:
        _fit(encoder, head, x[train], y[train], penalty)
        with torch.no_grad():
            losses.append(set_loss(encoder.logits(head, x[test]), y[test]).item())
    return sum(losses) / len(losses)


def _clear(head: nn.Linear) -> None:
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()


def _fit(encoder: Encoder, head: nn.Linear, x: Tensor, y: Tensor, penalty: float) -> None:
    _clear(head)
    scale = x.std()  # so that the penalty means the same whatever the signatures' size
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = set_loss(encoder.logits(head, x), y) + penalty * (head.weight * scale).square().sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
