"""Losses that train encoders. Each is a mean over labelled examples; 0, with a gradient, if there are none."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def set_loss(logits: Tensor, allowed: Tensor, weights: Tensor | None = None) -> Tensor:
    """Compute -log of the summed probability of each clip's allowed labels, averaged over labelled clips.

    With z the logits and A the allowed labels: -log sum_{c in A} softmax(z)_c = logsumexp(z) - logsumexp(z_A).

    Args:
        logits: (B, C).
        allowed: Boolean, (B, C); a row without True is unlabelled and does not count.
        weights: Weight of each clip's labels, (B,); 1 by default.
    """
    labelled = allowed.any(dim=1)
    if not labelled.any():
        return logits.sum() * 0.0
    inside = logits[labelled].masked_fill(~allowed[labelled], -torch.inf).logsumexp(dim=1)
    losses = logits[labelled].logsumexp(dim=1) - inside
    return losses.mean() if weights is None else (weights[labelled] * losses).mean()


def relation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the mean squared difference of the two spaces' cosines over all pairs of a batch (Park et al. 2019).

    Args:
        student: (B, D).
        teacher: (B, T), centred: around a large common mean all cosines would be near 1.
    """
    ours, theirs = F.normalize(student, dim=1), F.normalize(teacher, dim=1)
    return (ours @ ours.T - theirs @ theirs.T).square().mean()


def acl_triplet_loss(signatures: Tensor, classes: Tensor, margin: float) -> Tensor:
    """Compute the attention-weighted triplet loss over all triplets of a batch (Li and Wang 2025, eq 25 and 26).

    Distances are Euclidean between unit signatures. The paper does not define alpha_1; here it is a softmax of
    D(a, p) - D(a, n) over the batch's triplets, so hard ones weigh more. No gradient flows through it.

    Args:
        signatures: (B, D).
        classes: Boolean, (B, C). A positive shares a class with the anchor, a negative shares none.
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


EMPTY_SLOT = -1  # number of an unused memory slot; tracks are numbered from 0
NO_FOLDER = -1  # folder of a track that belongs to none


class ContrastiveMemory(nn.Module):
    """Base of contrastive losses that remember the signatures and label vectors of past batches.

    A memory (cross-batch memory, Wang et al. 2020) gives each query hundreds of candidates even in small batches.
    Its arrays are buffers, so a resumed training compares with the same candidates.

    Args:
        dim: D of the signatures.
        labels: Length L of a label vector.
        capacity: Number of remembered signatures M; the oldest are dropped first.
        temperature: Divides the cosines before the softmax.
        numbers: Names of further buffers, each (M,), int64, filled with EMPTY_SLOT.
    """

    signatures: Tensor
    labels: Tensor

    def __init__(self, dim: int, labels: int, capacity: int, temperature: float, numbers: tuple[str, ...]) -> None:
        super().__init__()
        self.temperature = temperature
        self.capacity = capacity
        self.register_buffer("signatures", torch.zeros(capacity, dim))
        self.register_buffer("labels", torch.zeros(capacity, labels))
        for name in numbers:
            self.register_buffer(name, torch.full((capacity,), EMPTY_SLOT))

    def remember(self, **batch: Tensor) -> None:
        """Push rows into the buffers of these names, all of the same length, and drop the oldest."""
        for name, rows in batch.items():
            setattr(self, name, torch.cat([rows, getattr(self, name)])[: self.capacity])

    def cosine_logits(self, queries: Tensor) -> Tensor:
        """Compare unit queries (B, D) with themselves and the memory: cosine / temperature, (B, B + M)."""
        return queries @ torch.cat([queries, self.signatures]).T / self.temperature

    def label_products(self, labels: Tensor) -> Tensor:
        """Multiply label vectors (B, L) with themselves and the memory's: (B, B + M)."""
        return labels @ torch.cat([labels, self.labels]).T


class MetricLoss(ContrastiveMemory):
    """Supervised contrastive loss on signatures (Khosla et al. 2020, eq 2) with graded positives and a memory.

    The weight of a candidate as a positive is the product of the two clips' label vectors: the sum of their shared
    labels' weights.
    """

    clips: Tensor

    def __init__(self, dim: int, labels: int, capacity: int = 768, temperature: float = 0.1) -> None:
        super().__init__(dim, labels, capacity, temperature, numbers=("clips",))

    def forward(self, signatures: Tensor, labels: Tensor, clips: Tensor) -> Tensor:
        """Compute the loss of a batch, then remember the batch.

        Args:
            signatures: (B, D).
            labels: Label vectors, (B, L).
            clips: Clip numbers, (B,), from 0; a clip is not a candidate for itself.
        """
        queries = F.normalize(signatures, dim=1)
        logits, relation = self.cosine_logits(queries), self.label_products(labels)  # (B, B + M)
        candidates = torch.cat([clips, self.clips])  # (B + M,)
        excluded = (clips[:, None] == candidates) | (candidates == EMPTY_SLOT)
        self.remember(signatures=queries.detach(), labels=labels, clips=clips)
        return contrast(logits, relation, excluded)


class AgreementLoss(ContrastiveMemory):
    """Contrast between two views of each track (NT-Xent: Chen et al. 2020, eq 1), with a memory.

    The only positive of a view is the other view of the same track in the same batch. Negatives are all other
    signatures in the batch and the memory, except those likely to sound alike: the same track, the same folder, or a
    shared label.
    """

    tracks: Tensor
    folders: Tensor

    def __init__(self, dim: int, labels: int, capacity: int = 1024, temperature: float = 0.1) -> None:
        super().__init__(dim, labels, capacity, temperature, numbers=("tracks", "folders"))

    def forward(self, views: Tensor, labels: Tensor, tracks: Tensor, folders: Tensor) -> Tensor:
        """Compute the loss of two views of B different tracks, then remember both views.

        Args:
            views: Signatures, (2, B, D).
            labels: Non-negative label vectors, (B, L); two tracks share a label where their product is positive.
            tracks: Track numbers, (B,), from 0.
            folders: Folder numbers, (B,), from 0, or NO_FOLDER.
        """
        queries = F.normalize(views, dim=2).flatten(0, 1)  # (2B, D)
        labels, tracks, folders = labels.repeat(2, 1), tracks.repeat(2), folders.repeat(2)
        logits, shared = self.cosine_logits(queries), self.label_products(labels) > 0  # (2B, 2B + M)
        all_tracks, all_folders = torch.cat([tracks, self.tracks]), torch.cat([folders, self.folders])  # (2B + M,)
        same = tracks[:, None] == all_tracks
        same_folder = (folders[:, None] == all_folders) & (folders[:, None] != NO_FOLDER)
        positive = same.clone()
        positive[:, len(queries) :] = False
        positive.fill_diagonal_(False)
        excluded = (same | same_folder | shared | (all_tracks == EMPTY_SLOT)) & ~positive
        self.remember(signatures=queries.detach(), labels=labels, tracks=tracks, folders=folders)
        return contrast(logits, positive.float(), excluded)


def contrast(logits: Tensor, relation: Tensor, excluded: Tensor) -> Tensor:
    """Weighted InfoNCE: -sum_j w_ij log p_ij / sum_j w_ij, averaged over rows i that have a positive.

    p_i is the softmax of row i over its candidates, w_ij the weight of candidate j as a positive.

    Args:
        logits: (B, N).
        relation: Weights w >= 0, (B, N).
        excluded: Pairs that are no candidates, boolean, (B, N).
    """
    log_share = logits.masked_fill(excluded, -1e9).log_softmax(dim=1)
    relation = relation.masked_fill(excluded, 0.0)
    total = relation.sum(dim=1)
    if not (total > 0).any():
        return logits.sum() * 0.0
    loss = -(relation * log_share).sum(dim=1) / total.clamp_min(1e-6)
    return loss[total > 0].mean()
