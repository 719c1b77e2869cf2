"""Segment vectors of tracks, clips and non-music, embedded once for the training of the pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import ClipSamples, SampleCollection
from engine.datasets.label_tensors import label_tensors
from engine.datasets.music import MusicSamples
from engine.models.encoder import Encoder
from engine.training.pooling.interruptions import synthesise

MUSIC_SECONDS = 64.0  # embedded of a whole track, in windows spread over it
CLIP_SECONDS = 24.0


@dataclass(frozen=True, eq=False)
class SegmentBank:
    """Segment vectors as returned by `Encoder.embed`, before `Encoder.metric`.

    Attributes:
        music: Segments of unlabelled tracks in time order, (N, S, D).
        folders: Folder number of each track, (N,); tracks of one folder are neither positives nor negatives.
        clips: Segments of labelled clips in time order, (M, S', D).
        relation: Label vectors of the clips, (M, L); the product of two is the weight of the pair as a positive.
        interruptions: Segments of non-music, (J, D).
    """

    music: Tensor
    folders: Tensor
    clips: Tensor
    relation: Tensor
    interruptions: Tensor


def embed_bank(
    encoder: Encoder,
    clips: ClipSamples,
    music: MusicSamples,
    seed: int,
    on_recording: Callable[[], None] = lambda: None,
) -> SegmentBank:
    """Embed all training material of the pooling.

    Args:
        encoder: Its trunk computes the vectors.
        clips: Labelled clips.
        music: Unlabelled tracks.
        seed: Seed of the synthetic non-music.
        on_recording: Called after each track and clip, for progress.
    """
    return SegmentBank(
        music=embed_spread(encoder, music, MUSIC_SECONDS, on_recording),
        folders=torch.tensor([track.folder for track in music.tracks]),
        clips=embed_spread(encoder, clips, CLIP_SECONDS, on_recording),
        relation=label_tensors(clips.clips, encoder.genres, encoder.moods).relation,
        interruptions=torch.cat(
            [embed_windows(encoder, [window]) for window in synthesise(encoder.plan.samples, seed)]
        ),
    )


def embed_spread(
    encoder: Encoder, recordings: SampleCollection, seconds: float, on_recording: Callable[[], None] = lambda: None
) -> Tensor:
    """Embed about `seconds` of each recording in evenly spread windows: (N, S, D), with equal S for all."""
    samples = encoder.plan.samples
    count = max(1, round(seconds / encoder.plan.seconds))
    rows = []
    for index in range(len(recordings)):
        starts = np.linspace(0, max(0, recordings.length(index) - samples), count).round().astype(int)
        rows.append(embed_windows(encoder, [recordings.read(index, int(start), samples) for start in starts]))
        on_recording()
    return torch.stack(rows)


@torch.inference_mode()
def embed_windows(encoder: Encoder, windows: Sequence[np.ndarray]) -> Tensor:
    """Embed windows, each (L,), into segment vectors (S, D) before `Encoder.metric`."""
    metric, encoder.metric = encoder.metric, None
    try:
        return encoder.vectors_of(torch.from_numpy(np.stack(windows)))
    finally:
        encoder.metric = metric
