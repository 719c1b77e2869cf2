"""The front-end against its definition with librosa's mel filters, and the level that it starts from."""

import librosa
import numpy as np
import pytest
import torch

from engine.models.attention_signature import AttentionSignature
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.features import TARGET_RMS, LogMel, normalise_level
from tests.audio import stft
from tests.models.conftest import MakeTrack

TOLERANCE = 2e-3  # of log10(1 + 10,000 * power), whose values reach about 6


@pytest.mark.parametrize(
    ("n_fft", "hop_length", "n_mels", "f_min", "f_max"), [(1024, 441, 96, 20.0, 8000.0), (2048, 512, 64, 0.0, 11_025.0)]
)
def test_log_mel_is_librosas(
    make_track: MakeTrack, n_fft: int, hop_length: int, n_mels: int, f_min: float, f_max: float
) -> None:
    """Frames and compression are those of the definition, bands those of librosa with the same settings."""
    windows = make_track(2 * SAMPLE_RATE, 2)
    found = LogMel(SAMPLE_RATE, n_fft, hop_length, n_mels, f_min, f_max)(windows).numpy()
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=n_fft, n_mels=n_mels, fmin=f_min, fmax=f_max)
    expected = filters @ np.stack([np.abs(stft(window, n_fft, hop_length)) ** 2 for window in windows.numpy()])
    frames = windows.shape[1] // hop_length
    assert found.shape == (2, n_mels, frames)
    np.testing.assert_allclose(found, np.log10(1 + 1e4 * expected[..., :frames]), atol=TOLERANCE)


def test_the_encoders_front_end_is_librosas(make_track: MakeTrack) -> None:
    """The encoder's own settings reach the front-end: level first, then librosa's mel."""
    encoder = AttentionSignature()
    config = encoder.config
    windows = make_track(encoder.plan.samples, 1)
    level = windows.numpy()[0] * TARGET_RMS / np.sqrt(np.mean(windows.numpy()[0] ** 2))
    filters = librosa.filters.mel(
        sr=SAMPLE_RATE, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.f_min, fmax=config.f_max
    )
    expected = filters @ np.abs(stft(level, config.n_fft, config.hop_length)) ** 2
    found = encoder.front_end(windows)["mel"][0].numpy()
    np.testing.assert_allclose(found, np.log10(1 + 1e4 * expected)[:, : found.shape[1]], atol=TOLERANCE)


def test_a_tone_lies_in_its_band() -> None:
    """The band that a tone of 1 kHz excites most is the one whose centre is next to it."""
    time = torch.arange(SAMPLE_RATE) / SAMPLE_RATE
    mel = LogMel(SAMPLE_RATE, 1024, 441, 96, 20.0, 8000.0)(0.5 * torch.sin(2 * torch.pi * 1000 * time)[None])
    centres = librosa.mel_frequencies(98, fmin=20.0, fmax=8000.0)[1:-1]
    assert abs(centres[mel[0].mean(dim=1).argmax()] - 1000) < 40


@pytest.mark.parametrize("gain", [1e-2, 0.3, 1.0, 8.0])
def test_level_is_brought_to_the_target(gain: float) -> None:
    """Windows from -40 dB up leave with the target's level, each by its own gain."""
    windows = torch.randn(3, 5000, generator=torch.Generator().manual_seed(0)) * TARGET_RMS * gain
    windows[1] *= 0.5 if gain > 0.1 else 2
    levels = normalise_level(windows).square().mean(dim=1).sqrt()
    torch.testing.assert_close(levels, torch.full((3,), TARGET_RMS), rtol=0.05, atol=0)


def test_silence_stays_silent() -> None:
    """Nothing is divided by zero, and noise below -58 dBFS is lifted by 40 dB at most."""
    assert torch.equal(normalise_level(torch.zeros(1, 100)), torch.zeros(1, 100))
    faint = torch.full((1, 100), 1e-6)
    torch.testing.assert_close(normalise_level(faint), faint * 100)


def test_the_front_end_holds_no_weights(fresh: Encoder) -> None:
    """Filter banks are derived from settings: a checkpoint does not carry them."""
    assert not [name for name in fresh.state_dict() if "mel" in name]
