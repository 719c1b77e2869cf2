"""Clips encoded as indexing encodes tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from engine.datasets.clip_embeddings import clip_windows, embed_clips, encode_clips
from engine.datasets.clips import ClipSamples
from engine.indexer.audio.reading import read_track
from engine.models.encoder import SAMPLE_RATE, WindowPlan
from tests.training.conftest import SmallEncoder


def test_windows_are_those_of_indexing(table: Path, samples: ClipSamples) -> None:
    """The windows that heads are fitted on are those that indexing reads of the same file."""
    plan = WindowPlan(1.0, 4)
    indexed = read_track(table.parent / "a.wav", plan.seconds, plan.count, SAMPLE_RATE, plan.placement).windows
    np.testing.assert_allclose(clip_windows(samples, 0, plan).numpy(), indexed, atol=1e-4)
    assert clip_windows(samples, 0, WindowPlan(9.0, 4)).shape == (1, 9 * SAMPLE_RATE)


def test_signatures_pool_segment_vectors(samples: ClipSamples, small_encoder: SmallEncoder) -> None:
    """A clip's signature is its segment vectors weighted by attention; progress is reported clip by clip."""
    encoder = small_encoder().eval()
    done: list[int] = []
    vectors = embed_clips(encoder, samples, lambda: done.append(1))
    assert len(done) == len(vectors) == len(samples)
    with torch.no_grad():
        weights = encoder.score(vectors[1][None]).softmax(dim=1)[0]
    expected = (weights[:, None] * vectors[1]).sum(dim=0)
    torch.testing.assert_close(encode_clips(encoder, samples)[1], expected, atol=1e-5, rtol=1e-4)
