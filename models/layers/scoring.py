"""Attention over a track's segments, for encoders whose paper hears one segment only."""

from __future__ import annotations

from torch import Tensor, nn


class LinearScore(nn.Module):
    """One learned direction scores each segment by itself; it begins with all segments alike."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.direction = nn.Linear(dim, 1, bias=False)  # a bias would cancel in the softmax
        nn.init.zeros_(self.direction.weight)

    def forward(self, vectors: Tensor) -> Tensor:
        """h (B, S, D) -> scores (B, S)."""
        return self.direction(vectors)[..., 0]
