"""Windows of track batches: order, length, level, and origin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.datasets.clips import ClipSamples
from engine.models.encoder import SAMPLE_RATE
from engine.models.features import TARGET_RMS
from engine.training.augment.spectral import SpectralAugmentation
from engine.training.track_batches import draw_windows

NOTHING = SpectralAugmentation(speed=1.0, mix=0.0, equalise_db=0.0)


def level(waveform: torch.Tensor) -> float:
    """Root mean square."""
    return waveform.square().mean().sqrt().item()


def draw(samples: ClipSamples, readers: list[ClipSamples], length: int, count: int, seed: int) -> list[torch.Tensor]:
    """Unaugmented windows of the first clip."""
    return draw_windows(
        readers,
        0,
        available=samples.length(0),
        samples=length,
        count=count,
        augmentation=NOTHING,
        rng=np.random.default_rng(seed),
    )


def test_track_windows_are_in_order_and_shaped(samples: ClipSamples) -> None:
    """A track batch's windows have the plan's length and the target level, also where the clip is hardly longer."""
    for seconds, count in ((1.0, 6), (4.9, 3), (30.0, 2)):
        (windows,) = draw(samples, [samples], round(seconds * SAMPLE_RATE), count, seed=0)
        assert windows.shape == (count, round(seconds * SAMPLE_RATE))
        assert torch.isfinite(windows).all()
        assert level(windows) == pytest.approx(TARGET_RMS, rel=0.05)


def test_track_windows_come_from_the_clip(samples: ClipSamples) -> None:
    """Without augmentation every window is a passage of the clip, scaled, each later than the last; sources agree."""
    windows, again = draw(samples, [samples, samples], SAMPLE_RATE, 4, seed=5)
    assert torch.equal(windows, again)
    whole = samples.read(0, 0, samples.length(0))
    places = []
    for window in windows.numpy():
        n = 2 * len(whole)
        matches = np.fft.irfft(np.fft.rfft(whole, n) * np.conj(np.fft.rfft(window, n)), n)
        energy = np.convolve(whole**2, np.ones(len(window)), "valid")
        similarity = matches[: len(energy)] / np.sqrt(energy * (window**2).sum() + 1e-12)
        places.append(int(similarity.argmax()))
        assert similarity.max() > 0.99
    assert places == sorted(places)
