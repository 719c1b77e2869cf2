"""Augmented track batches: all windows of a track alike, labels mixed as the sound is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.datasets.clips import ClipSamples
from engine.errors import TrainingError
from engine.evaluation.training_curves import TrainingStep
from engine.models.encoder import SAMPLE_RATE
from engine.models.losses import set_loss
from engine.training.augment.batch_augment import augment_batch
from engine.training.augment.waveform_settings import WaveformAugmentation, read_augmentation
from engine.training.loop import Training
from engine.training.schedule import Schedule
from tests.training.conftest import SmallEncoder


def batch() -> list[list[torch.Tensor]]:
    """Three tracks of two windows of noise, the same sound in both windows, and a second source of half the level."""
    generator = torch.Generator().manual_seed(0)
    sounds = [0.1 * torch.randn(SAMPLE_RATE, generator=generator).repeat(2, 1) for _ in range(3)]
    return [[sound, sound / 2] for sound in sounds]


def test_no_effects_change_nothing() -> None:
    """As it stands, a batch passes unchanged, each track its own partner."""
    tracks = batch()
    varied = augment_batch(tracks, WaveformAugmentation(), np.random.default_rng(0))
    assert all(after is before for after, before in zip(varied.tracks, tracks, strict=True))
    assert varied.weights.tolist() == [1, 1, 1]
    assert varied.partners.tolist() == [0, 1, 2]


def test_windows_of_a_track_change_alike() -> None:
    """A random gain is one gain for a track's windows, another for the next; of two sources the second changes."""
    varied = augment_batch(batch(), WaveformAugmentation(gain_db=12.0), np.random.default_rng(0))
    gains = []
    for before, after in zip(batch(), varied.tracks, strict=True):
        assert torch.equal(after[0], before[0])
        assert torch.allclose(after[1][0], after[1][1])
        gains.append((after[1] / before[1]).median().item())
    assert np.ptp(gains) > 0.05


def test_mixing_weighs_both_labels() -> None:
    """Every track has another's sound in it, by the share that its own labels lose."""
    tracks = batch()
    varied = augment_batch(tracks, WaveformAugmentation(mix=1.0, mix_db=6.0), np.random.default_rng(0))
    for i, (partner, weight) in enumerate(zip(varied.partners.tolist(), varied.weights.tolist(), strict=True)):
        assert partner != i
        assert 0.3 < weight < 0.7
        mixed, own, other = varied.tracks[i][0][0], tracks[i][0][0], tracks[partner][0][0]
        shares = torch.linalg.lstsq(torch.stack([own, other], dim=1), mixed[:, None]).solution[:, 0]
        assert shares[0] / shares.sum() == pytest.approx(weight, abs=0.05)


def test_weights_share_a_loss() -> None:
    """A clip that is half one label and half another has the mean of both losses."""
    logits = torch.tensor([[2.0, -1.0], [0.5, 0.1]])
    first, second = torch.eye(2, dtype=torch.bool), torch.eye(2, dtype=torch.bool).flip(0)
    half = torch.full((2,), 0.5)
    mixed = set_loss(logits, first, half) + set_loss(logits, second, 1 - half)
    assert mixed == pytest.approx((set_loss(logits, first) + set_loss(logits, second)).item() / 2)


def test_a_training_with_every_kind_of_effect(
    small_encoder: SmallEncoder, samples: ClipSamples, tmp_path: Path
) -> None:
    """Effects, mixing and masks together train to finite losses, and another setting does not resume the state."""
    effects = WaveformAugmentation(noise=0.5, gain_db=6.0, mix=0.5, mix_db=6.0, time_masks=1, frequency_masks=1)
    schedule = Schedule(steps=2, warmup=1, tracks_from=0.0, track_batch=4, track_seconds=2.0, effects=effects)
    seen: list[TrainingStep] = []
    Training(small_encoder(), samples, schedule, state=tmp_path / "a.state", settings={}).run(seen.append)
    assert all(np.isfinite(list(progress.losses.values())).all() for progress in seen)
    plain = Schedule(steps=2, warmup=1, tracks_from=0.0, track_batch=4, track_seconds=2.0)
    with pytest.raises(TrainingError, match="other settings"):
        Training(small_encoder(), samples, plain, state=tmp_path / "a.state", settings={})


def test_augmentations_come_from_a_file(tmp_path: Path) -> None:
    """A TOML file names effects; another file, or an unknown name, is refused."""
    path = tmp_path / "effects.toml"
    path.write_text("noise = 0.3\nstretch = [0.9, 1.1]\n")
    assert read_augmentation(path) == WaveformAugmentation(noise=0.3, stretch=(0.9, 1.1))
    path.write_text("noise = ")
    with pytest.raises(TrainingError, match="expected augmentations as TOML"):
        read_augmentation(path)
    path.write_text("echo = 1")
    with pytest.raises(TrainingError, match="unknown augmentation 'echo'"):
        read_augmentation(path)
