"""Calibration of heads: one scale per head, so that predictions of probability 0.7 are right in 70 % of cases.

Heads are fitted with a strong penalty on clips that the network was trained on, so their confidence can be measured
only on held-out clips. The scale is the inverse of a temperature (Guo et al. 2017, section 4.2): softmax(z / T) has the
same ranking for every T > 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from engine.datasets.clip_embeddings import encode_clips
from engine.datasets.clips import ClipSamples
from engine.datasets.label_tensors import known_labels, label_tensors
from engine.models.encoder import Encoder
from engine.models.losses import set_loss

SCALES = np.geomspace(0.25, 8.0, 61)
BINS = 10


@dataclass(frozen=True, eq=False)
class HeldOutClips:
    """Clips that no parameter was fitted on.

    Attributes:
        raw: Un-normalised signatures, (N, D).
        allowed: Allowed labels, (N, C); rows without any are ignored.
        known: Labels known in each clip's data set, (N, C).
    """

    raw: Tensor
    allowed: Tensor
    known: Tensor

    def subset(self, rows: np.ndarray) -> HeldOutClips:
        """Return some of the clips, by position."""
        index = torch.from_numpy(rows)
        return HeldOutClips(self.raw[index], self.allowed[index], self.known[index])


def calibrate_heads(
    encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Scale the genre and mood heads on held-out clips; return the scales and the cross-fitted calibration errors."""
    raw = encode_clips(encoder, source, on_clip)
    labels = label_tensors(source.clips, encoder.genres, encoder.moods)
    groups = np.array([clip.group for clip in source.clips])
    results = {}
    for name, head, allowed in (
        ("genre", encoder.genre_head, labels.genres),
        ("mood", encoder.mood_head, labels.moods),
    ):
        held_out = HeldOutClips(raw, allowed, known_labels(allowed, source.clips))
        results[f"{name}_calibration_error"] = cross_fitted_error(encoder, head, held_out, groups)
        results[f"{name}_scale"] = calibrate(encoder, head, held_out)
    return results


@torch.no_grad()
def calibrate(encoder: Encoder, head: nn.Linear, held_out: HeldOutClips) -> float:
    """Scale a head by the one of SCALES with the smallest loss; return it, or 1 if no clip is labelled."""
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
def calibration_error(encoder: Encoder, head: nn.Linear, held_out: HeldOutClips) -> float:
    """Return the expected calibration error (Guo et al. 2017, eq 3) of the most probable label, with BINS equal bins.

    ECE = sum_b (n_b / N) |accuracy of bin b - mean confidence of bin b|, with clips binned by confidence.
    """
    labelled = held_out.allowed.any(dim=1)
    probabilities = _logits(encoder, head, held_out).softmax(dim=1)[labelled]
    confidence, predicted = probabilities.max(dim=1)
    correct = held_out.allowed[labelled].gather(1, predicted[:, None])[:, 0].float()
    bins = (confidence * BINS).long().clamp_max(BINS - 1)
    error = torch.zeros(())
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            error += inside.float().mean() * (correct[inside].mean() - confidence[inside].mean()).abs()
    return float(error)


def cross_fitted_error(encoder: Encoder, head: nn.Linear, held_out: HeldOutClips, groups: np.ndarray) -> float:
    """Return the calibration error with each half of the artists scaled by the other half; the head is unchanged."""
    weight, bias = head.weight.detach().clone(), head.bias.detach().clone()
    first_half = np.isin(groups, np.unique(groups)[::2])
    errors, counts = [], []
    for half in (first_half, ~first_half):
        calibrate(encoder, head, held_out.subset(np.flatnonzero(~half)))
        errors.append(calibration_error(encoder, head, held_out.subset(np.flatnonzero(half))))
        counts.append(int(held_out.allowed[torch.from_numpy(half)].any(dim=1).sum()))
        with torch.no_grad():
            head.weight.copy_(weight)
            head.bias.copy_(bias)
    return float(np.average(errors, weights=counts)) if sum(counts) else 0.0


def _logits(encoder: Encoder, head: nn.Linear, held_out: HeldOutClips) -> Tensor:
    return encoder.logits(head, held_out.raw).masked_fill(~held_out.known, -torch.inf)
