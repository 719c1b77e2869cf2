"""Refine a trained pooling on whole tracks that the trunk never saw: three steps in closed form, in seconds.

On the tracks of its own training, the trunk makes parts of a track agree so well that pooling learns little. On others:

    separation   directions that vary within a track count less (within-class covariance normalisation: Hatch et al.
                 2006): with W the shrunk covariance of segments around their track's mean, h becomes W^(-p/2) h
    labels       directions in which genres, and moods, of the train clips differ count more (as in Fisher's
                 discriminant): h becomes (1 + b B)^(1/2) h, B the covariance between their means
    sharpness    the power of the received attention is multiplied by a factor

The first two follow the map and leave the weights of segments as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.datasets.label_tensors import LabelTensors, genre_shares
from engine.models.encoder import Encoder
from engine.models.layers.scoring import ReceivedAttention
from engine.training.pooling.losses import pool_segments
from engine.training.pooling.train_pooling import append_map

PRIOR_CLIPS = 10.0  # clips at the overall mean added to each label, which shrinks the mean of a few clips


@dataclass(frozen=True)
class Refinement:
    """Settings of the refinement.

    Attributes:
        separation: Power p of the covariance within tracks; 0 leaves the map as it is.
        shrinkage: Share of the identity in that covariance, whose mean eigenvalue is 1.
        labels: Weight b of the covariance between labels, whose largest eigenvalue is 1.
        sharpness: Factor of the attention's power.
    """

    separation: float = 0.5
    shrinkage: float = 0.3
    labels: float = 0.8
    sharpness: float = 1.25


@torch.no_grad()
def refine(
    encoder: Encoder, music: Tensor, clips: Sequence[Tensor], labels: LabelTensors, refinement: Refinement
) -> None:
    """Refine `Encoder.metric` and the attention in place; fit the heads and centre the signatures afterwards.

    Args:
        encoder: With a map, and attention of the kind "received".
        music: Segment vectors of whole tracks before the map, (N, S, D).
        clips: The same of labelled clips, each (S', D).
        labels: Of the clips.
        refinement: The settings.
    """
    layer = encoder.attention_layer
    assert isinstance(layer, ReceivedAttention)
    assert layer.log_sharpness is not None
    values, directions = torch.linalg.eigh(_within_tracks(encoder.mapped(music), refinement.shrinkage))
    append_map(encoder, directions, values ** (-refinement.separation / 2))
    layer.log_sharpness.add_(torch.tensor(refinement.sharpness).log())
    raw = torch.cat([pool_segments(encoder, clip[None]) for clip in clips])
    values, directions = torch.linalg.eigh(_between_labels(raw, labels))
    share = values.clamp_min(0) / values.max().clamp_min(torch.finfo(values.dtype).tiny)
    append_map(encoder, directions, (1 + refinement.labels * share).sqrt())


@torch.no_grad()
def carry_head(head: nn.Linear, before: nn.Linear, after: nn.Linear) -> None:
    """Keep the output of a head that reads h = M r + b when the map `before` becomes `after`."""
    weight = head.weight.double()
    direct = weight @ before.weight.double()  # the head as a function of r
    carried = torch.linalg.solve(after.weight.double().T, direct.T).T
    head.bias.copy_(head.bias.double() + weight @ before.bias.double() - carried @ after.bias.double())
    head.weight.copy_(carried)


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
