"""Heads fitted in the space of the trunk, then moved behind `Encoder.metric`.

The metric scales directions for comparison rather than for classification, so an L2 penalty has another meaning behind
it: heads fitted there lose 0.05 accuracy on new artists. A linear head moves without loss. With r' = M r + b the
signature behind the map, r its preimage, and a head W (r - c) + d fitted on r centred by c:

    W (r - c) + d = W (M^-1 (r' - b) - c) + d = (W M^-1) r' + (d - W M^-1 b - W c)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.models.encoder import Encoder


class TrunkSpace:
    """The space before the map M r + b, centred on the mean c of the given examples.

    Args:
        encoder: Provides the map; without one, the space is that of the signatures, uncentred.
        raw: Un-normalised signatures or segment vectors behind the map, (N, D).
    """

    def __init__(self, encoder: Encoder, raw: Tensor) -> None:
        metric = encoder.metric
        dim = raw.shape[1]
        self.map = torch.eye(dim).double() if metric is None else metric.weight.detach().double()
        self.bias = torch.zeros(dim).double() if metric is None else metric.bias.detach().double()
        self.mean = torch.zeros(dim).double()
        if metric is not None:
            self.mean = self.from_signatures(raw).double().mean(dim=0)

    def from_signatures(self, raw: Tensor) -> Tensor:
        """Map un-normalised signatures or segment vectors (N, D) back into the trunk's space, centred."""
        return (torch.linalg.solve(self.map, (raw.double() - self.bias).T).T - self.mean).float()

    @torch.no_grad()
    def move(self, head: nn.Linear) -> None:
        """Rewrite a head fitted in the trunk's space to take un-normalised signatures."""
        weight = head.weight.double()
        moved = torch.linalg.solve(self.map.T, weight.T).T  # W M^-1
        head.bias.copy_(head.bias.double() - moved @ self.bias - weight @ self.mean)
        head.weight.copy_(moved)
