"""Losses that train encoders. Every one averages over what is labelled and is zero where nothing is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def set_loss(logits: Tensor, allowed: Tensor, weights: Tensor | None = None) -> Tensor:
    """-log of the summed probability of each clip's allowed labels, averaged over labelled clips.

    Args:
        logits: (B, C).
        allowed: Boolean, (B, C); a row without any True is unlabelled and does not count.
        weights: How much each clip's labels count, (B,); by default 1.
    """
    labelled = allowed.any(dim=1)
    if not labelled.any():
        return logits.sum() * 0.0
    inside = logits[labelled].masked_fill(~allowed[labelled], -torch.inf).logsumexp(dim=1)
    losses = logits[labelled].logsumexp(dim=1) - inside
    return losses.mean() if weights is None else (weights[labelled] * losses).mean()


def relation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference between the two spaces' cosines over all pairs of a batch (Park et al. 2019).

    Args:
        student: (B, D).
        teacher: (B, T), centred, so that its cosines mean something.
    """
    ours, theirs = F.normalize(student, dim=1), F.normalize(teacher, dim=1)
    return (ours @ ours.T - theirs @ theirs.T).square().mean()


def acl_triplet_loss(signatures: Tensor, classes: Tensor, margin: float) -> Tensor:
    """Attention-weighted triplet loss over all triplets of a batch: Li and Wang 2025, equations 25 and 26.

    Distances are Euclidean between unit signatures; alpha_1, which the paper does not define, is a softmax over the
    batch's triplets of D(a, p) - D(a, n): hard ones weigh more. No gradient goes through it.

    Args:
        signatures: (B, D).
        classes: Boolean, (B, C). A positive shares a class with the anchor, a negative has others only.
        margin: alpha of eq 25.
    """
    unit = F.normalize(signatures, dim=1)
    distance = (2 - 2 * unit @ unit.T).clamp_min(1e-9).sqrt()  # D, (B, B)
    shared = classes.float() @ classes.float().T > 0
    labelled = classes.any(dim=1)
    positive = shared & ~torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    negative = ~shared & labelled[:, None] & labelled[None]
    triplets = positive[:, :, None] & negative[:, None, :]  # (B, B, B): anchor, positive, negative
    if not triplets.any():
        return signatures.sum() * 0.0
    gaps = (distance[:, :, None] - distance[:, None, :])[triplets]  # of eq 25
    return (gaps.detach().softmax(dim=0) * (gaps + margin).clamp_min(0)).sum()  # eq 26


NO_CLIP = -1  # marks what is still free of the memory
NO_FOLDER = -1  # of a track that is of no folder


class MetricLoss(nn.Module):
    """Supervised contrastive loss on signatures (Khosla et al. 2020, eq 2), graded positives, a memory of past batches.

    The memory (cross-batch, Wang et al. 2020) gives each query some hundred candidates however small the batch. How
    much a candidate is a positive is the relation between the two clips' label vectors: the sum of shared labels'
    weights. The memory is part of the module's state: a training that goes on after a stop compares with the same.

    Args:
        dim: D of the signatures.
        labels: Length of a clip's label vector.
        capacity: Signatures remembered.
        temperature: Of the softmax over cosines.
    """

    signatures: Tensor
    labels: Tensor
    clips: Tensor

    def __init__(self, dim: int, labels: int, capacity: int = 768, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature
        self.capacity = capacity
        self.register_buffer("signatures", torch.zeros(capacity, dim))
        self.register_buffer("labels", torch.zeros(capacity, labels))
        self.register_buffer("clips", torch.full((capacity,), NO_CLIP))

    def forward(self, signatures: Tensor, labels: Tensor, clips: Tensor) -> Tensor:
        """Signatures (B, D), label vectors (B, L) whose products weigh a pair, clip numbers (B,) from 0 -> loss.

        A clip is no candidate of itself.
        """
        queries = F.normalize(signatures, dim=1)
        pool = torch.cat([queries, self.signatures])  # (N, D)
        relation = labels @ torch.cat([labels, self.labels]).T  # (B, N)
        candidates = torch.cat([clips, self.clips])
        barred = (clips[:, None] == candidates) | (candidates == NO_CLIP)  # (B, N)
        self._remember(queries.detach(), labels, clips)
        return contrast(queries @ pool.T / self.temperature, relation, barred)

    def _remember(self, signatures: Tensor, labels: Tensor, clips: Tensor) -> None:
        self.signatures = torch.cat([signatures, self.signatures])[: self.capacity]
        self.labels = torch.cat([labels, self.labels])[: self.capacity]
        self.clips = torch.cat([clips, self.clips])[: self.capacity]


class AgreementLoss(nn.Module):
    """Contrast between two views of each track (Chen et al. 2020, NT-Xent), with a memory of past batches' tracks.

    The one positive of a view is the other view of the same track in the same batch. Negatives are the others, in the
    batch and in the memory, but for those that may well sound alike: of the same track, the same folder, or a label
    that both have. What is remembered is part of the module's state.

    Args:
        dim: D of the signatures.
        labels: Length of a track's label vector.
        capacity: Signatures remembered.
        temperature: Of the softmax over cosines.
    """

    signatures: Tensor
    labels: Tensor
    tracks: Tensor
    folders: Tensor

    def __init__(self, dim: int, labels: int, capacity: int = 1024, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature
        self.capacity = capacity
        self.register_buffer("signatures", torch.zeros(capacity, dim))
        self.register_buffer("labels", torch.zeros(capacity, labels))
        self.register_buffer("tracks", torch.full((capacity,), NO_CLIP))
        self.register_buffer("folders", torch.full((capacity,), NO_FOLDER))

    def forward(self, views: Tensor, labels: Tensor, tracks: Tensor, folders: Tensor) -> Tensor:
        """Two views of B different tracks -> loss.

        Args:
            views: Signatures, (2, B, D).
            labels: Vectors (B, L), none below 0, whose products are above 0 where two tracks share a label.
            tracks: Numbers (B,) from 0.
            folders: Numbers (B,) from 0, or NO_FOLDER.
        """
        queries = F.normalize(views, dim=2).flatten(0, 1)  # (2B, D)
        labels, tracks, folders = labels.repeat(2, 1), tracks.repeat(2), folders.repeat(2)
        pool = torch.cat([queries, self.signatures])  # (N, D)
        others, places = torch.cat([tracks, self.tracks]), torch.cat([folders, self.folders])  # (N,)
        same = tracks[:, None] == others  # (2B, N)
        alike = (folders[:, None] == places) & (folders[:, None] != NO_FOLDER)
        alike |= labels @ torch.cat([labels, self.labels]).T > 0
        positive = same.clone()
        positive[:, len(queries) :] = False
        positive.fill_diagonal_(False)
        barred = (same | alike | (others == NO_CLIP)) & ~positive
        self._remember(queries.detach(), labels, tracks, folders)
        return contrast(queries @ pool.T / self.temperature, positive.float(), barred)

    def _remember(self, signatures: Tensor, labels: Tensor, tracks: Tensor, folders: Tensor) -> None:
        self.signatures = torch.cat([signatures, self.signatures])[: self.capacity]
        self.labels = torch.cat([labels, self.labels])[: self.capacity]
        self.tracks = torch.cat([tracks, self.tracks])[: self.capacity]
        self.folders = torch.cat([folders, self.folders])[: self.capacity]


def contrast(logits: Tensor, relation: Tensor, barred: Tensor) -> Tensor:
    """-log of the share of each row's positives, weighed by `relation`, among what is not barred; mean over rows.

    All three are (B, N); a row without a positive does not count.
    """
    log_share = logits.masked_fill(barred, -1e9).log_softmax(dim=1)
    relation = relation.masked_fill(barred, 0.0)
    total = relation.sum(dim=1)
    if not (total > 0).any():
        return logits.sum() * 0.0
    loss = -(relation * log_share).sum(dim=1) / total.clamp_min(1e-6)
    return loss[total > 0].mean()
