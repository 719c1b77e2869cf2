"""Fit heads in the space of the trunk, then move them behind `Encoder.metric`.

The metric's directions are scaled for comparison, not for classification: an L2 penalty means something else there,
and heads fitted behind it are 0.05 worse on unheard artists. A linear head can be moved without loss:
W (M^-1 (r - b) - c) + d = (W M^-1) r + (d - W M^-1 b - W c).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.models.encoder import Encoder


class TrunkSpace:
    """Un-normalised signatures (N, D) before the map M r + b, centred on those that it was made with (c)."""

    def __init__(self, encoder: Encoder, raw: Tensor) -> None:
        metric = encoder.metric
        dim = raw.shape[1]
        self.map = torch.eye(dim).double() if metric is None else metric.weight.detach().double()
        self.bias = torch.zeros(dim).double() if metric is None else metric.bias.detach().double()
        self.mean = torch.zeros(dim).double()
        if metric is not None:
            self.mean = self.of(raw).double().mean(dim=0)

    def of(self, raw: Tensor) -> Tensor:
        """Un-normalised signatures, or segment vectors, (N, D) -> the same in the trunk's space, centred."""
        return (torch.linalg.solve(self.map, (raw.double() - self.bias).T).T - self.mean).float()

    @torch.no_grad()
    def move(self, head: nn.Linear) -> None:
        """Make a head that reads the trunk's space read un-normalised signatures."""
        weight = head.weight.double()
        moved = torch.linalg.solve(self.map.T, weight.T).T  # W M^-1
        head.bias.copy_(head.bias.double() - moved @ self.bias - weight @ self.mean)
        head.weight.copy_(moved)
