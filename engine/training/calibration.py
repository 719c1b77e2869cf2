"""Calibrate heads: one scale for each, so that a probability of 0.7 is right seven times in ten on unheard artists.

Heads are fitted on clips that the network has learnt from, with a strong penalty; how sure they may be is known only on
clips that it has not. The scale is the inverse of a temperature (Guo et al. 2017, section 4.2) and keeps every ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from engine.models.encoder import Encoder
from engine.models.losses import set_loss

SCALES = np.geomspace(0.25, 8.0, 61)
BINS = 10


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Clips that nothing was fitted on.

    Attributes:
        raw: Un-normalised signatures, (N, D).
        allowed: Allowed labels, (N, C); rows without any do not count.
        known: The labels that each clip's data set has, (N, C).
    """

    raw: Tensor
    allowed: Tensor
    known: Tensor

    def part(self, rows: np.ndarray) -> HeldOut:
        """Some clips."""
        at = torch.from_numpy(rows)
        return HeldOut(self.raw[at], self.allowed[at], self.known[at])


@torch.no_grad()
def calibrate(encoder: Encoder, head: nn.Linear, held_out: HeldOut) -> float:
    """Scale a head by the factor of SCALES with the smallest loss on held-out clips; returns it, 1 where none count."""
    if not held_out.allowed.any():
        return 1.0
    weight, bias = head.weight.clone(), head.bias.clone()
    losses = []
    for scale in SCALES:
        head.weight.copy_(weight * scale)
        head.bias.copy_(bias * scale)
        losses.append(set_loss(_logits(encoder, head, held_out), held_out.allowed).item())
    best = float(SCALES[int(np.argmin(losses))])
    head.weight.copy_(weight * best)
    head.bias.copy_(bias * best)
    return best


@torch.no_grad()
def calibration_error(encoder: Encoder, head: nn.Linear, held_out: HeldOut) -> float:
    """Expected calibration error (Guo et al. 2017, eq 3) of the likeliest label, in BINS bins of equal width."""
    counted = held_out.allowed.any(dim=1)
    probabilities = _logits(encoder, head, held_out).softmax(dim=1)[counted]
    sureness, chosen = probabilities.max(dim=1)
    right = held_out.allowed[counted].gather(1, chosen[:, None])[:, 0].float()
    bins = (sureness * BINS).long().clamp_max(BINS - 1)
    error = torch.zeros(())
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            error += inside.float().mean() * (right[inside].mean() - sureness[inside].mean()).abs()
    return float(error)


def cross_fitted_error(encoder: Encoder, head: nn.Linear, held_out: HeldOut, groups: np.ndarray) -> float:
    """Calibration error where each half of the artists is scaled by what fits the other; the head stays."""
    weight, bias = head.weight.detach().clone(), head.bias.detach().clone()
    names = np.unique(groups)
    sides = np.isin(groups, names[::2])
    errors, counts = [], []
    for side in (sides, ~sides):
        calibrate(encoder, head, held_out.part(np.flatnonzero(~side)))
        errors.append(calibration_error(encoder, head, held_out.part(np.flatnonzero(side))))
        counts.append(int(held_out.allowed[torch.from_numpy(side)].any(dim=1).sum()))
        with torch.no_grad():
            head.weight.copy_(weight)
            head.bias.copy_(bias)
    return float(np.average(errors, weights=counts)) if sum(counts) else 0.0


def _logits(encoder: Encoder, head: nn.Linear, held_out: HeldOut) -> Tensor:
    return encoder.logits(head, held_out.raw).masked_fill(~held_out.known, -torch.inf)
