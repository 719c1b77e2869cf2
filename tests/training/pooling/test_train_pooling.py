"""Pooling trained on stored vectors (`losses`, `segment_bank`, `interruptions`, `train_pooling`)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.checkpoint import build
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.training.pooling.interruptions import synthesise
from engine.training.pooling.losses import pool_segments
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.pooling.segment_bank import SegmentBank, embed_spread, embed_windows
from engine.training.pooling.train_pooling import train_pooling, whiten

DIM = 32
STEPS = 120


@pytest.fixture
def encoder() -> Encoder:
    """A small encoder whose trunk is not used: segment vectors are made here."""
    torch.manual_seed(0)
    return build("attention_signature", {"token_seconds": 1.0, "widths": [8], "frame_dim": 8, "stem": 4, "dim": DIM})


def vectors(tracks: int, segments: int, seed: int, shared: float = 3.0) -> Tensor:
    """Segment vectors (N, S, D): constant per track in half of the dimensions, varying in the others."""
    random = torch.Generator().manual_seed(seed)
    own = torch.randn(tracks, 1, DIM, generator=random)
    own[..., DIM // 2 :] = 0
    passing = shared * torch.randn(tracks, segments, DIM, generator=random)
    passing[..., : DIM // 2] /= 6
    return own + passing


@pytest.fixture
def bank() -> SegmentBank:
    """Sixty tracks in ten folders, forty clips of four labels, and interruptions that lie far out in one direction."""
    interruptions = 0.3 * torch.randn(20, DIM, generator=torch.Generator().manual_seed(5))
    interruptions[:, 0] += 8
    relation = F.one_hot(torch.arange(40) % 4, 4).float()
    return SegmentBank(vectors(60, 16, 1), torch.arange(60) // 6, vectors(40, 8, 2), relation, interruptions)


def agreement(encoder: Encoder, tracks: Tensor) -> float:
    """Share of tracks whose second half is the nearest of all second halves to the first one."""
    half = tracks.shape[1] // 2
    with torch.no_grad():
        first, second = (
            F.normalize(pool_segments(encoder, part), dim=1) for part in (tracks[:, :half], tracks[:, half:])
        )
    return float(((first @ second.T).argmax(dim=1) == torch.arange(len(tracks))).float().mean())


def train(encoder: Encoder, bank: SegmentBank, **settings: float) -> None:
    """Train for STEPS."""
    usual = {"geometry": 0.0, "learning_rate": 1e-2, "jitter": 0.0, "runs": 1, "interrupted": 0.6}
    schedule = PoolingSchedule(steps=STEPS, music=30, clips=20, **(usual | settings))  # type: ignore[arg-type]
    train_pooling(encoder, bank, schedule, lambda _: None)


def test_parts_of_new_tracks_come_near(encoder: Encoder, bank: SegmentBank) -> None:
    """On tracks outside the training data, the other half is the nearest much more often than before."""
    unheard = vectors(60, 16, 3)
    before = agreement(encoder, unheard)
    train(encoder, bank)
    assert agreement(encoder, unheard) > before + 0.2


def test_interruptions_lose_their_weight(encoder: Encoder, bank: SegmentBank) -> None:
    """Three interruptions among ten segments get a third of the weight that equal weights give them, or less."""
    train(encoder, bank)
    tracks = torch.cat([vectors(10, 7, 4), bank.interruptions[:3].expand(10, 3, DIM)], dim=1)
    with torch.no_grad():
        weights = encoder.score(encoder.mapped(tracks)).softmax(dim=1)
    assert weights[:, 7:].sum(dim=1).mean() < 0.1


def test_whitening_flattens_the_spectrum_and_keeps_the_weights(encoder: Encoder, bank: SegmentBank) -> None:
    """Whitening in full makes the signatures' covariance a multiple of the identity; no segment's weight changes."""
    encoder.add_metric()
    everything = torch.cat([bank.clips, bank.music[:, : bank.clips.shape[1]]])
    bank = dataclasses.replace(bank, music=bank.music[:, : bank.clips.shape[1]])
    with torch.no_grad():
        before = encoder.score(encoder.mapped(everything)).softmax(dim=1)
        whiten(encoder, bank, 1.0)
        after = encoder.score(encoder.mapped(everything)).softmax(dim=1)
        covariance = pool_segments(encoder, everything).T.cov()
    torch.testing.assert_close(after, before, atol=1e-4, rtol=0)
    torch.testing.assert_close(covariance, covariance.diagonal().mean() * torch.eye(DIM), atol=0.05, rtol=0)


def test_signatures_are_centred_on_the_clips(encoder: Encoder, bank: SegmentBank) -> None:
    """After the training, the clips' sums lie around zero; their mean had counted as if 20 more lay there before."""
    train(encoder, bank)
    with torch.no_grad():
        raw = pool_segments(encoder, bank.clips)
    assert raw.mean(dim=0).norm() < 0.5 * raw.norm(dim=1).mean()


def test_the_trunk_is_fixed(encoder: Encoder, bank: SegmentBank) -> None:
    """Only the attention layer and the map change."""
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    train(encoder, bank)
    changed = {
        name
        for name, value in encoder.state_dict().items()
        if name not in before or not torch.equal(value, before[name])
    }
    assert {name.split(".")[0] for name in changed} == {"attention", "metric"}


def test_vectors_are_stored_before_the_map(encoder: Encoder) -> None:
    """Stored vectors do not depend on a map that an encoder has already, and are the same number for every track."""

    class Tones:
        def __len__(self) -> int:
            return 2

        def length(self, index: int) -> int:
            return (3 + index) * SAMPLE_RATE

        def read(self, index: int, start: int, length: int) -> np.ndarray:
            return np.sin(0.05 * (index + 1) * np.arange(start, start + length)).astype(np.float32)

    plain = embed_spread(encoder.eval(), Tones(), seconds=3.0)
    assert plain.shape == (2, 3, DIM)
    torch.nn.init.zeros_(encoder.add_metric().weight)
    torch.testing.assert_close(embed_spread(encoder, Tones(), seconds=3.0), plain)
    assert encoder.metric is not None


def test_interruptions_are_no_music() -> None:
    """Silence, noise, hum and applause are finite, differ, and are none of them louder than full scale by much."""
    windows = synthesise(SAMPLE_RATE)
    assert len(windows) > 80
    assert all(np.isfinite(window).all() and len(window) == SAMPLE_RATE for window in windows)
    assert np.abs(np.stack(windows)).max() < 8
    assert embed_windows(build("attention_signature").eval(), windows[:2]).shape[0] == 2
