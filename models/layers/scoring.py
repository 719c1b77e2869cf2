"""Attention over a track's segments: scores whose softmax weighs the segments' sum, the track's signature.

All five encoders use these layers. A mask `audible` excludes silent segments: they neither give nor receive
attention, and their score is -inf.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

ScoreKind: TypeAlias = Literal["received", "attention", "mean", "linear"]

QUERY_CHUNK = 256  # queries compared at once: the attention over an hour of segments stays small
LEAST_RECEIVED = 1e-6  # of the average: keeps the logarithm finite


def score_layer(kind: ScoreKind, dim: int, heads: int, tokens: int) -> nn.Module:
    """Build a layer that maps h (B, S, D) and an optional mask (B, S) to scores (B, S).

    Args:
        kind: "received", "attention" or "mean" (see `ReceivedAttention`), or "linear".
        dim: D.
        heads: Attention heads.
        tokens: S that "attention" is relative to.
    """
    return LinearScore(dim) if kind == "linear" else ReceivedAttention(dim, heads, tokens, kind)


def projections(layer: nn.Module) -> list[nn.Linear]:
    """Return the linear maps of a layer of `score_layer` that read h: a map of h is undone in their weights."""
    if isinstance(layer, LinearScore):
        return [layer.direction]
    assert isinstance(layer, ReceivedAttention)
    return [layer.query, layer.key]


def mask_silent(scores: Tensor, audible: Tensor | None) -> Tensor:
    """Set the scores (B, S) of silent segments (B, S) to -inf: their softmax weight is exactly 0."""
    return scores if audible is None else scores.masked_fill(~audible, -torch.inf)


class LinearScore(nn.Module):
    """Score each segment independently by one learned direction, initially 0 (uniform weights)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.direction = nn.Linear(dim, 1, bias=False)  # a bias would cancel in the softmax
        nn.init.zeros_(self.direction.weight)

    def forward(self, vectors: Tensor, audible: Tensor | None = None) -> Tensor:
        """h (B, S, D) -> scores (B, S)."""
        return mask_silent(self.direction(vectors)[..., 0], audible)


class ReceivedAttention(nn.Module):
    """Multi-head self-attention over segments, read as the attention that each segment receives (Sridhar 2024, 2.1).

    Query q gives segment s the share A_qs = softmax_s(q_q . k_s / sqrt(D / heads)), and sum_s A_qs = 1. Averaged over
    heads and the S queries, segment s receives a_s = mean_q A_qs, so that sum_s a_s = 1 and the average segment
    receives 1 / S. Relative to that average it receives r_s = S a_s, whose mean is 1 for any S. The score of s is

        "received"   g log r_s, so that the weights are r_s^g / sum_t r_t^g, g learned (initially 1)
        "attention"  g r_s / tokens, g learned (initially `tokens`)
        "mean"       a_s (section 3.2 as printed: all but uniform weights, the more so the longer the track)

    The logarithm keeps the weights in proportion to the attention received: no segment's weight can pass the largest
    share of attention raised to g, where the exponential of the other two lets one segment of ten take nearly all.

    Args:
        dim: D.
        heads: Attention heads.
        tokens: S that "attention" is relative to.
        kind: One of the three.
    """

    def __init__(self, dim: int, heads: int, tokens: int, kind: ScoreKind = "received") -> None:
        super().__init__()
        self.heads, self.tokens, self.kind = heads, tokens, kind
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim, bias=False)  # a bias on the keys cancels in the softmax
        initial = {"received": 1.0, "attention": float(tokens)}.get(kind)
        self.log_sharpness = None if initial is None else nn.Parameter(torch.tensor(initial).log())

    def forward(self, vectors: Tensor, audible: Tensor | None = None) -> Tensor:
        """h (B, S, D) -> scores (B, S)."""
        received = self.received(vectors, audible)
        if self.log_sharpness is None:
            return mask_silent(received / vectors.shape[1], audible)
        sharpness = self.log_sharpness.exp()
        if self.kind == "received":
            return mask_silent(sharpness * (received + LEAST_RECEIVED).log(), audible)
        return mask_silent(sharpness * received / self.tokens, audible)

    @torch.no_grad()
    def recentre(self, mean: Tensor) -> None:
        """Preserve the scores when `mean` (D) is subtracted from every vector: Wq (h - m) + (b + Wq m) = Wq h + b.

        The keys need no change: q . Wk m is the same for all keys of a query and cancels in the softmax.
        """
        self.query.bias.add_(self.query.weight @ mean)

    def received(self, vectors: Tensor, audible: Tensor | None = None) -> Tensor:
        """h (B, S, D) -> r (B, S), relative attention received; sums to the number of audible segments."""
        B, S, D = vectors.shape
        split = (B, S, self.heads, D // self.heads)
        queries = self.query(vectors).view(split).transpose(1, 2)  # (B, heads, S, D / heads)
        keys = self.key(vectors).view(split).transpose(1, 2)
        received = vectors.new_zeros(B, S)
        for start in range(0, S, QUERY_CHUNK):
            part = queries[:, :, start : start + QUERY_CHUNK]
            logits = part @ keys.transpose(2, 3) / (D // self.heads) ** 0.5  # (B, heads, Q, S)
            if audible is not None:
                logits = logits.masked_fill(~audible[:, None, None], -torch.inf)
            given = logits.softmax(dim=3).mean(dim=1)  # (B, Q, S)
            if audible is not None:
                given = given * audible[:, start : start + QUERY_CHUNK, None]
            received = received + given.sum(dim=1)
        return received
