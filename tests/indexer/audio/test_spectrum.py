"""Spectra are those of the definition, mel filters those of librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from engine.indexer.audio.spectrum import mel_edges, mel_filters, power_spectrum
from tests.audio import stft

SAMPLE_RATE = 22_050


@pytest.mark.parametrize("length", [0, 1, 2047, 2048, 100_000])
@pytest.mark.parametrize(("frame", "hop"), [(2048, 512), (512, 441)])
def test_power(length: int, frame: int, hop: int) -> None:
    """Sound of any length, none included, has a frame at each multiple of the hop."""
    samples = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    expected = np.abs(stft(samples, frame, hop, pad="constant")) ** 2
    np.testing.assert_allclose(power_spectrum(samples, frame, hop), expected.T, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("frame", "bands", "lowest", "highest"), [(512, 32, 30.0, 10_000.0), (2048, 128, 0.0, 11_025.0)]
)
def test_mel(frame: int, bands: int, lowest: float, highest: float) -> None:
    """Filters and edges are librosa's, of Slaney's scale."""
    expected = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=frame, n_mels=bands, fmin=lowest, fmax=highest)
    np.testing.assert_allclose(mel_filters(frame, SAMPLE_RATE, bands, lowest, highest), expected.T, atol=1e-7)
    edges = librosa.mel_frequencies(bands + 2, fmin=lowest, fmax=highest)
    np.testing.assert_allclose(mel_edges(bands, lowest, highest), edges, rtol=1e-9)
