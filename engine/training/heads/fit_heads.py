"""After the last training step: centre the signatures, fit regularised heads, and place the genre centroids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import GroupKFold
from torch import Tensor, nn

from engine.datasets.clip_embeddings import embed_clips, pool_clips
from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.label_tensors import genre_shares, known_labels, label_tensors
from engine.models.encoder import Encoder
from engine.models.losses import set_loss
from engine.training.heads.trunk_space import TrunkSpace

PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)  # L2, ascending
FOLDS = 4
PRIOR_CLIPS = 20  # clips at zero added to the mean, which shrinks the mean of a few clips
PENALTY_SCALE = 3.0  # folds are optimistic, as the encoder was trained on these clips; measured on new artists
ITERATIONS = 150  # of L-BFGS


def fit_heads(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Centre the clips' signatures, fit genre and mood heads and centroids; return the chosen penalties.

    Centred signatures have fewer hubs, tracks that are neighbours of very many others (Suzuki et al. 2013).
    """
    return fit_heads_to(encoder, embed_clips(encoder, source, on_clip), source.clips)


def fit_heads_to(
    encoder: Encoder, vectors: Sequence[Tensor], clips: Sequence[Clip], centre: Tensor | None = None
) -> dict[str, float]:
    """Do the same with the clips' segment vectors, each (S, D), behind the map, centred on `centre` (D) if given."""
    mean = pool_clips(encoder, vectors).sum(dim=0) / (len(vectors) + PRIOR_CLIPS) if centre is None else centre  # (D,)
    encoder.centre(mean)
    raw = pool_clips(encoder, [each - mean for each in vectors])  # (N, D)
    labels = label_tensors(clips, encoder.genres, encoder.moods)
    space = TrunkSpace(encoder, raw)
    examples = space.from_signatures(raw)
    penalties = {
        "genre_penalty": _fit_head(encoder, encoder.genre_head, examples, labels.genres, clips),
        "mood_penalty": _fit_head(encoder, encoder.mood_head, examples, labels.moods, clips),
    }
    for head in (encoder.genre_head, encoder.mood_head):
        space.move(head)
    encoder.centroids.copy_(_centroids(F.normalize(raw, dim=1), labels.genres))
    return penalties


def _centroids(signatures: Tensor, genres: Tensor) -> Tensor:
    """Normalised means (G, D) of unit signatures; a clip of several genres has a share in each."""
    return F.normalize(genre_shares(genres).T @ signatures, dim=1)


@dataclass(frozen=True)
class _Examples:
    """Signatures (N, D), allowed labels (N, C), and the labels known in each clip's data set (N, C)."""

    raw: Tensor
    allowed: Tensor
    known: Tensor

    def subset(self, rows: np.ndarray) -> _Examples:
        """Return some of the examples."""
        return _Examples(self.raw[rows], self.allowed[rows], self.known[rows])


def _fit_head(encoder: Encoder, head: nn.Linear, raw: Tensor, allowed: Tensor, clips: Sequence[Clip]) -> float:
    """Fit a head on the labelled clips; return its penalty. Without labelled clips it predicts equal probabilities."""
    labelled = allowed.any(dim=1).numpy()
    examples = _Examples(raw, allowed, known_labels(allowed, clips)).subset(labelled)
    groups = [clip.group for clip, chosen in zip(clips, labelled, strict=True) if chosen]
    penalty = _choose_penalty(encoder, head, examples, groups)
    if groups:
        _fit(encoder, head, examples, penalty)
    else:
        _clear(head)
    return penalty


def _choose_penalty(encoder: Encoder, head: nn.Linear, examples: _Examples, groups: Sequence[str]) -> float:
    """Choose the L2 penalty by cross-validation with folds that share no artist.

    By the one-standard-error rule (Breiman et al. 1984) this is the greatest penalty whose mean loss is at most one
    standard error above the best one's, times PENALTY_SCALE. With a single group it is the middle of PENALTIES.
    """
    folds = min(FOLDS, len(set(groups)))
    if folds < 2:
        return PENALTIES[len(PENALTIES) // 2]
    splits = list(GroupKFold(folds).split(examples.raw, groups=groups))
    losses = np.array([_fold_losses(encoder, head, examples, splits, each) for each in PENALTIES])  # (P, folds)
    means = losses.mean(axis=1)
    best = means.argmin()
    bound = means[best] + losses[best].std(ddof=1) / folds**0.5
    return PENALTY_SCALE * max(penalty for penalty, mean in zip(PENALTIES, means, strict=True) if mean <= bound)


def _fold_losses(
    encoder: Encoder, head: nn.Linear, examples: _Examples, splits: list[tuple[np.ndarray, np.ndarray]], penalty: float
) -> list[float]:
    losses = []
    for train, test in splits:
        _fit(encoder, head, examples.subset(train), penalty)
        with torch.no_grad():
            losses.append(_loss(encoder, head, examples.subset(test)).item())
    return losses


def _fit(encoder: Encoder, head: nn.Linear, examples: _Examples, penalty: float) -> None:
    _clear(head)
    scale = examples.raw.std()  # makes the penalty independent of the signatures' scale
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = _loss(encoder, head, examples) + penalty * (head.weight * scale).square().sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)


def _clear(head: nn.Linear) -> None:
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()


def _loss(encoder: Encoder, head: nn.Linear, examples: _Examples) -> Tensor:
    """Mean of the loss among all labels and the loss among labels known in the clip's data set.

    The second does not penalise a label that the data set lacks: a data set without folk does not rule out folk.
    """
    logits = encoder.logits(head, examples.raw)
    restricted = logits.masked_fill(~examples.known, -torch.inf)
    return (set_loss(logits, examples.allowed) + set_loss(restricted, examples.allowed)) / 2
