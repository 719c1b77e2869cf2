"""Refine the pooling on whole tracks that the trunk never saw: steps in closed form, which take seconds.

On its own training tracks, the trunk makes parts of a track agree so well that pooling has little to learn. On others:

    separation   directions that vary within a track count less (within-class covariance normalisation: Hatch et al.
                 2006): with W the shrunk covariance of segments around their track's mean, h becomes W^(-p/2) h
    labels       directions in which genres, and moods, of the train clips differ count more (as in Fisher's
                 discriminant): h becomes (1 + b B)^(1/2) h, B the covariance between their means
    guidance     directions that predict the signatures of a better encoder count more: with G = A A', A the ridge
                 regression of its signatures on ours, h becomes ((1 - s) I + s G)^(1/2) h
    sharpness    the power of the attention is multiplied by a factor
    centre       signatures are centred between the mean of the clips and that of the whole tracks: centred on one of
                 them, the other has more hubs (Suzuki et al. 2013)

All but sharpness follow the map and leave the weights of segments as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.datasets.label_tensors import LabelTensors, genre_shares
from engine.models.encoder import Encoder
from engine.models.layers.scoring import LinearScore, ReceivedAttention
from engine.training.pooling.losses import pool_segments
from engine.training.pooling.train_pooling import append_map

PRIOR_CLIPS = 10.0  # clips at the overall mean added to each label, which shrinks the mean of a few clips
MIN_SQUARE = 1e-4  # of a direction's scale under guidance


@dataclass(frozen=True)
class Refinement:
    """Settings of the refinement.

    Attributes:
        separation: Power p of the covariance within tracks; 0 leaves the map as it is.
        shrinkage: Share of the identity in that covariance, whose mean eigenvalue is 1.
        labels: Weight b of the covariance between labels, whose largest eigenvalue is 1.
        guidance: Share s of G, whose mean eigenvalue is 1; 0 needs no better encoder.
        ridge: Penalty of the regression, relative to the mean eigenvalue of the signatures' covariance.
        sharpness: Factor of the attention's power.
        centre: Share of the music's mean in the centre; the clips' mean has the rest.
    """

    separation: float = 0.5
    shrinkage: float = 0.3
    labels: float = 0.8
    guidance: float = 0.0
    ridge: float = 0.01
    sharpness: float = 1.25
    centre: float = 0.5


@torch.no_grad()
def refine(
    encoder: Encoder,
    music: Tensor,
    clips: Sequence[Tensor],
    labels: LabelTensors,
    refinement: Refinement,
    guide: Tensor | None = None,
) -> None:
    """Refine `Encoder.metric` and the attention in place; fit the heads and centre the signatures afterwards.

    Args:
        encoder: Gets a map if it has none.
        music: Segment vectors of whole tracks before the map, (N, S, D).
        clips: The same of labelled clips, each (S', D).
        labels: Of the clips.
        refinement: The settings.
        guide: Signatures of the clips, then of the music, by a better encoder, (M + N, E); needed for guidance.
    """
    if encoder.metric is None:
        encoder.add_metric()
    values, directions = torch.linalg.eigh(_within_tracks(encoder.mapped(music), refinement.shrinkage))
    append_map(encoder, directions, values ** (-refinement.separation / 2))
    if guide is not None and refinement.guidance:
        raw = _centred(_pool_all(encoder, clips)), _centred(pool_segments(encoder, music))
        targets = (_centred(F.normalize(part, dim=1)) for part in guide.split([len(clips), len(music)]))
        values, directions = torch.linalg.eigh(_predictors(torch.cat(raw), torch.cat([*targets]), refinement.ridge))
        append_map(encoder, directions, (1 + refinement.guidance * (values - 1)).clamp_min(MIN_SQUARE).sqrt())
    sharpen(encoder, refinement.sharpness)
    values, directions = torch.linalg.eigh(_between_labels(_pool_all(encoder, clips), labels))
    share = values.clamp_min(0) / values.max().clamp_min(torch.finfo(values.dtype).tiny)
    append_map(encoder, directions, (1 + refinement.labels * share).sqrt())


@torch.no_grad()
def centre_between(encoder: Encoder, clips: Sequence[Tensor], music: Tensor, share: float) -> Tensor:
    """Return the centre (D): (1 - share) times the mean signature of clips + share times that of music.

    Args:
        encoder: Maps and pools the segments.
        clips: Segment vectors before the map, each (S', D).
        music: The same of whole tracks, (N, S, D).
        share: 0 to 1.
    """
    return _pool_all(encoder, clips).mean(dim=0).lerp(pool_segments(encoder, music).mean(dim=0), share)


@torch.no_grad()
def sharpen(encoder: Encoder, factor: float) -> None:
    """Raise the weights of segments to the power `factor`, and normalise them again."""
    layer = encoder.attention_layer
    if isinstance(layer, LinearScore):
        layer.direction.weight.mul_(factor)
        return
    assert isinstance(layer, ReceivedAttention)
    assert layer.log_sharpness is not None
    layer.log_sharpness.add_(torch.tensor(factor).log())


@torch.no_grad()
def carry_head(head: nn.Linear, before: nn.Linear, after: nn.Linear) -> None:
    """Preserve the output of a head that reads h = M r + b when the map `before` becomes `after`."""
    weight = head.weight.double()
    direct = weight @ before.weight.double()  # the head as a function of r
    carried = torch.linalg.solve(after.weight.double().T, direct.T).T
    head.bias.copy_(head.bias.double() + weight @ before.bias.double() - carried @ after.bias.double())
    head.weight.copy_(carried)


def _pool_all(encoder: Encoder, clips: Sequence[Tensor]) -> Tensor:
    return torch.cat([pool_segments(encoder, clip[None]) for clip in clips])


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(dim=0)


def _predictors(raw: Tensor, targets: Tensor, ridge: float) -> Tensor:
    """Return A A' (D, D) with a mean eigenvalue of 1, A the ridge regression of targets (N, E) on signatures (N, D)."""
    covariance = raw.T @ raw
    penalty = ridge * covariance.trace() / len(covariance) * torch.eye(len(covariance))
    regression = torch.linalg.solve(covariance + penalty, raw.T @ targets)
    products = regression @ regression.T
    return products * (len(products) / products.trace().clamp_min(torch.finfo(raw.dtype).tiny))


def _within_tracks(vectors: Tensor, shrinkage: float) -> Tensor:
    """Return the shrunk covariance (D, D) of h (N, S, D) around the tracks' means, with a mean eigenvalue of 1."""
    deviations = (vectors - vectors.mean(dim=1, keepdim=True)).flatten(0, 1)
    within = deviations.T @ deviations
    within = within * (len(within) / within.trace())
    return (1 - shrinkage) * within + shrinkage * torch.eye(len(within))


def _between_labels(raw: Tensor, labels: LabelTensors) -> Tensor:
    """Return the sum (D, D) of the covariances between genres' and between moods' means of signatures (M, D)."""
    between = torch.zeros(raw.shape[1], raw.shape[1])
    for shares in (genre_shares(labels.genres), labels.moods.float()):
        known = shares.sum(dim=1) > 0
        if not known.any():
            continue
        centred = raw[known] - raw[known].mean(dim=0)
        counts = shares.sum(dim=0)
        means = (shares[known].T @ centred) / (counts[:, None] + PRIOR_CLIPS)
        covariance = (means * (counts / counts.sum())[:, None]).T @ means
        between += covariance / torch.linalg.eigvalsh(covariance).max().clamp_min(torch.finfo(raw.dtype).tiny)
    return between
