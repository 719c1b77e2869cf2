"""Segment vectors of whole tracks and of clips, stored for the training of pooling and of word heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import Encoder
from engine.training.augment.spectral import Drawable

MUSIC_SECONDS = 64.0  # about how much is heard of a whole track, in windows spread over it
CLIP_SECONDS = 24.0


def spread_vectors(
    encoder: Encoder, recordings: Drawable, seconds: float, on_each: Callable[[], None] = lambda: None
) -> Tensor:
    """Embed windows spread evenly over each recording: (N, S, D), S the same for all; before `Encoder.metric`."""
    samples = encoder.plan.samples
    count = max(1, round(seconds / encoder.plan.seconds))
    rows = []
    for index in range(len(recordings)):
        starts = np.linspace(0, max(0, recordings.length(index) - samples), count).round().astype(int)
        rows.append(embed_windows(encoder, [recordings.read(index, int(start), samples) for start in starts]))
        on_each()
    return torch.stack(rows)


@torch.inference_mode()
def embed_windows(encoder: Encoder, windows: Sequence[np.ndarray]) -> Tensor:
    """What `embed` gives of windows, each (L,): (S, D), before `Encoder.metric`."""
    metric, encoder.metric = encoder.metric, None
    try:
        return encoder.vectors_of(torch.from_numpy(np.stack(windows)))
    finally:
        encoder.metric = metric
