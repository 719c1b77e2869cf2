"""Clips encoded as indexing encodes tracks: segment vectors of the planned windows, and signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.datasets.clips import ClipSamples
from engine.datasets.planned_windows import planned_windows
from engine.models.encoder import Encoder, WindowPlan


def clip_windows(source: ClipSamples, index: int, plan: WindowPlan) -> Tensor:
    """Return the windows (W, L) that indexing would read of a clip."""
    return planned_windows(source.read(index, 0, source.length(index)), plan).samples


def embed_clips(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> list[Tensor]:
    """Return the segment vectors (S, D) of each clip; S depends on the clip's length."""
    vectors = []
    for index in range(len(source)):
        vectors.append(encoder.vectors_of(clip_windows(source, index, encoder.plan)))
        on_clip()
    return vectors


@torch.inference_mode()
def pool_clips(encoder: Encoder, vectors: Sequence[Tensor]) -> Tensor:
    """Pool each clip's segment vectors (S, D) by attention into un-normalised signatures (N, D)."""
    return torch.cat([encoder.pool(each[None], encoder.score(each[None])) for each in vectors])


def encode_clips(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Tensor:
    """Return the un-normalised signatures (N, D) of all clips."""
    return pool_clips(encoder, embed_clips(encoder, source, on_clip))
