"""Deterministic effects on one waveform (L,), except for noise; all but `stretch` and `resample` preserve the length.

Their invariants are tests in tests/training/augment/test_waveform.py: a stretched tone retains its pitch, and so on.
"""

from __future__ import annotations

import numpy as np
import torch
import torchaudio
from torch import Tensor

N_FFT, HOP = 2048, 512  # phase vocoder, as in librosa's time_stretch


def fit_length(samples: Tensor, length: int) -> Tensor:
    """Truncate or zero-pad at the end: (n,) -> (length,)."""
    return torch.nn.functional.pad(samples[:length], (0, max(0, length - len(samples))))


def resample(samples: Tensor, length: int) -> Tensor:
    """Resample (n,) -> (length,) through the spectrum: band-limited, and exact for any ratio."""
    spectrum = torch.fft.rfft(samples)[: length // 2 + 1]
    spectrum = torch.nn.functional.pad(spectrum, (0, length // 2 + 1 - len(spectrum)))
    return torch.fft.irfft(spectrum, n=length) * (length / len(samples))


def stretch(samples: Tensor, ratio: float) -> Tensor:
    """Multiply the duration by `ratio` at constant pitch: (n,) -> (round(n * ratio),).

    torchaudio's phase vocoder (Flanagan and Golden 1966) is as fast as librosa's and needs no compilation.
    """
    window = torch.hann_window(N_FFT)
    spectra = torch.stft(samples, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)
    advance = torch.linspace(0, torch.pi * HOP, N_FFT // 2 + 1)[:, None]
    stretched = torchaudio.functional.phase_vocoder(spectra, 1 / ratio, advance)
    return torch.istft(stretched, N_FFT, HOP, window=window, length=round(len(samples) * ratio))


def rescale(samples: Tensor, duration: float, frequency: float) -> Tensor:
    """Multiply duration and frequency by these ratios, with one vocoder pass for both: (L,) -> (L,).

    Resampling by 1 / frequency raises the pitch and shortens by the same factor, so the vocoder first stretches by
    duration * frequency. If the product is 1, resampling alone suffices, without vocoder artefacts. The end is cut or
    zero-padded.
    """
    length = len(samples)
    if abs(duration * frequency - 1) > 1e-9:
        samples = stretch(samples, duration * frequency)
    if frequency != 1:
        samples = resample(samples, round(len(samples) / frequency))
    return fit_length(samples, length)


def equalise(samples: Tensor, gains: Tensor) -> Tensor:
    """Multiply the spectrum by `gains` (L // 2 + 1,), from 0 Hz to Nyquist: (L,) -> (L,)."""
    return torch.fft.irfft(torch.fft.rfft(samples) * gains, n=len(samples))


def add_noise(samples: Tensor, snr_db: float, rng: np.random.Generator) -> Tensor:
    """Add uniform noise at a signal-to-noise ratio of `snr_db`: (L,) -> (L,). Silence stays silent.

    Source: Meng et al., ICFF-Net, section 2.1, "Adding Noise".
    """
    rms = samples.square().mean().sqrt()
    noise = (
        torch.from_numpy(rng.uniform(-1, 1, len(samples)).astype(np.float32)) * 3**0.5
    )  # RMS 1: uniform noise on [-1, 1] has variance 1 / 3
    return samples + noise * (rms * 10 ** (-snr_db / 20))


def change_gain(samples: Tensor, decibels: float) -> Tensor:
    """Change the level by `decibels`, without clipping: (L,) -> (L,)."""
    return samples * 10 ** (decibels / 20)


def shift_left(samples: Tensor, count: int) -> Tensor:
    """Drop the first `count` samples and append as many zeros: (L,) -> (L,).

    Source: Meng et al., ICFF-Net, section 2.1, "Time Shifting".
    """
    return fit_length(samples[count:], len(samples))
