"""Windows of samples in memory, placed as indexing places those of a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.indexer.audio.placement import audible_segments, levels
from engine.indexer.audio.reading import place_in
from engine.models.encoder import SAMPLE_RATE, Encoder, WindowPlan


@dataclass(frozen=True, eq=False)
class PlannedWindows:
    """Windows of one track.

    Attributes:
        starts: In samples, (W,).
        samples: (W, L), zeros after the end of the track.
        levels: RMS of each segment, full scale 1, (S,) with S = W * plan.segments.
        audible: Segments that may have weight, (S,); all of them with placement "whole".
    """

    starts: list[int]
    samples: Tensor
    levels: NDArray[np.float32]
    audible: NDArray[np.bool_]


def planned_windows(track: NDArray[np.float32], plan: WindowPlan) -> PlannedWindows:
    """Cut the windows that indexing would read of a track (n,) at SAMPLE_RATE."""
    starts = [
        round(start * SAMPLE_RATE) for start in place_in(track, plan.seconds, plan.count, SAMPLE_RATE, plan.placement)
    ]
    windows = np.stack([padded(track[start : start + plan.samples], plan.samples) for start in starts])
    found = levels(windows, plan.segments)
    audible = audible_segments(found) if plan.placement == "sound" else np.ones(len(found), np.bool_)
    return PlannedWindows(starts, torch.from_numpy(windows), found, audible)


@torch.inference_mode()
def attend(encoder: Encoder, vectors: Tensor, windows: PlannedWindows) -> NDArray[np.float32]:
    """Return the attention weights (S,) of a track's segment vectors (S, D); they sum to 1."""
    scores: Tensor = encoder.score(vectors[None], torch.from_numpy(windows.audible)[None])[0]
    return scores.softmax(dim=0).numpy()


def padded(part: NDArray, length: int) -> NDArray:
    """Return a part (n,), n <= length, with zeros (or False) behind it: (length,)."""
    return np.pad(part, (0, length - len(part)))
