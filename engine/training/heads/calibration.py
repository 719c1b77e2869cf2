"""Calibration of heads: one scale per head, so that predictions of probability 0.7 are right in 70 % of cases.

Heads are fitted with a strong penalty on clips that the network was trained on, so their confidence can be measured
only on held-out clips. The scale is the inverse of a temperature (Guo et al. 2017, section 4.2): softmax(z / T) has the
same ranking for every T > 0.

Of N clips, even perfectly calibrated predictions show an error: about 0.05 for 350 clips and 0.08 for 100. Every error
is therefore reported beside the one that chance alone gives.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
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
DIVISIONS = 10  # of the artists into random halves
DRAWS = 200  # of labels from the predictions themselves


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
        error = cross_fitted_error(encoder, head, held_out, groups)
        results[f"{name}_calibration_error"] = error.measured
        results[f"{name}_calibration_error_by_chance"] = error.by_chance
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


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error of N predictions.

    Attributes:
        measured: See `calibration_error`.
        by_chance: Mean error of perfectly calibrated predictions of the same confidences.
    """

    measured: float
    by_chance: float


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Return the expected calibration error (Guo et al. 2017, eq 3) with BINS equal bins.

    ECE = sum_b (n_b / N) |accuracy of bin b - mean confidence of bin b|, with clips binned by confidence.

    Args:
        confidence: Probability of the most probable label, (N,).
        correct: Whether that label is right, (N,).
    """
    bins = (confidence * BINS).astype(int).clip(0, BINS - 1)
    excess = np.bincount(bins, correct - confidence, BINS)  # n_b (accuracy - mean confidence)
    return float(np.abs(excess).sum() / max(1, len(confidence)))


def error_by_chance(confidence: np.ndarray, seed: int = 0) -> float:
    """Return the mean calibration error of labels that are right as often as the confidences (N,) predict."""
    rng = np.random.default_rng(seed)
    draws = rng.random((DRAWS, len(confidence))) < confidence
    return float(np.mean([calibration_error(confidence, correct) for correct in draws.astype(float)]))


def cross_fitted_error(
    encoder: Encoder, head: nn.Linear, held_out: HeldOutClips, groups: np.ndarray
) -> CalibrationError:
    """Return the error with each half of the artists scaled by the other half; the head is unchanged.

    The error is that of both halves' predictions together, averaged over DIVISIONS random divisions.

    Args:
        encoder: The head's.
        head: To be scaled.
        held_out: Clips that nothing was fitted on.
        groups: Artist of each clip, (N,).
    """
    labelled = held_out.allowed.any(dim=1).numpy()
    if not labelled.any():
        return CalibrationError(0.0, 0.0)
    clips, artists = held_out.subset(np.flatnonzero(labelled)), groups[labelled]
    names = np.unique(artists)
    errors = []
    for seed in range(DIVISIONS):
        first_half = np.isin(artists, np.random.default_rng(seed).permutation(names)[::2])
        confidence, correct = _cross_fitted_predictions(encoder, head, clips, first_half)
        errors.append((calibration_error(confidence, correct), error_by_chance(confidence, seed)))
    measured, by_chance = np.mean(errors, axis=0)
    return CalibrationError(float(measured), float(by_chance))


def predictions(encoder: Encoder, head: nn.Linear, clips: HeldOutClips) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of each labelled clip's most probable label (N,), and whether it is right (N,)."""
    labelled = clips.allowed.any(dim=1)
    with torch.no_grad():
        confidence, predicted = _logits(encoder, head, clips).softmax(dim=1)[labelled].max(dim=1)
    correct = clips.allowed[labelled].gather(1, predicted[:, None])[:, 0]
    return confidence.double().numpy(), correct.double().numpy()


def _cross_fitted_predictions(
    encoder: Encoder, head: nn.Linear, clips: HeldOutClips, first_half: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    confidence, correct = np.zeros(len(first_half)), np.zeros(len(first_half))
    for half in (first_half, ~first_half):
        scaled = deepcopy(head)
        calibrate(encoder, scaled, clips.subset(np.flatnonzero(~half)))
        confidence[half], correct[half] = predictions(encoder, scaled, clips.subset(np.flatnonzero(half)))
    return confidence, correct


def _logits(encoder: Encoder, head: nn.Linear, held_out: HeldOutClips) -> Tensor:
    return encoder.logits(head, held_out.raw).masked_fill(~held_out.known, -torch.inf)
