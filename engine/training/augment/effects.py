"""Effects on one waveform (L,), each of a given strength: nothing is drawn here but noise. All keep the length.

What must stay true of each stands in tests/training/test_augment.py: a stretched tone keeps its pitch, and so on.
"""

from __future__ import annotations

import numpy as np
import torch
import torchaudio
from torch import Tensor

N_FFT, HOP = 2048, 512  # of the phase vocoder: the sizes of librosa's time_stretch


def fit_length(samples: Tensor, length: int) -> Tensor:
    """Cut at the end, or fill up with silence: (n,) -> (length,)."""
    return torch.nn.functional.pad(samples[:length], (0, max(0, length - len(samples))))


def resample(samples: Tensor, length: int) -> Tensor:
    """The same sound in `length` samples instead of n, through its spectrum: band-limited, exact for any ratio."""
    spectrum = torch.fft.rfft(samples)[: length // 2 + 1]
    spectrum = torch.nn.functional.pad(spectrum, (0, length // 2 + 1 - len(spectrum)))
    return torch.fft.irfft(spectrum, n=length) * (length / len(samples))


def stretch(samples: Tensor, ratio: float) -> Tensor:
    """Play for `ratio` times as long at the same pitch: (n,) -> (round(n * ratio),).

    A phase vocoder (Flanagan and Golden 1966), torchaudio's: as quick as librosa's, and compiles nothing.
    """
    window = torch.hann_window(N_FFT)
    spectra = torch.stft(samples, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)
    advance = torch.linspace(0, torch.pi * HOP, N_FFT // 2 + 1)[:, None]
    stretched = torchaudio.functional.phase_vocoder(spectra, 1 / ratio, advance)
    return torch.istft(stretched, N_FFT, HOP, window=window, length=round(len(samples) * ratio))


def rescale(samples: Tensor, duration: float, frequency: float) -> Tensor:
    """Last `duration` times as long and sound at `frequency` times the pitch, with one vocoder for both: (L,) -> (L,).

    Resampling shortens as it raises, so the vocoder first stretches by both ratios. Where they cancel, the sound is
    merely played faster, and no vocoder is heard. What falls beyond the end is cut; what is missing is silent.
    """
    length = len(samples)
    if abs(duration * frequency - 1) > 1e-9:
        samples = stretch(samples, duration * frequency)
    if frequency != 1:
        samples = resample(samples, round(len(samples) / frequency))
    return fit_length(samples, length)


def equalise(samples: Tensor, gains: Tensor) -> Tensor:
    """Weigh the spectrum by `gains` (L // 2 + 1,), from 0 Hz to Nyquist: (L,) -> (L,)."""
    return torch.fft.irfft(torch.fft.rfft(samples) * gains, n=len(samples))


def add_noise(samples: Tensor, snr_db: float, rng: np.random.Generator) -> Tensor:
    """Add uniform noise `snr_db` below the sound's level: (L,) -> (L,). Silence stays silent.

    Source: Meng et al., ICFF-Net, section 2.1, "Adding Noise".
    """
    rms = samples.square().mean().sqrt()
    noise = torch.from_numpy(rng.uniform(-1, 1, len(samples)).astype(np.float32)) * 3**0.5  # of RMS 1
    return samples + noise * (rms * 10 ** (-snr_db / 20))


def change_gain(samples: Tensor, decibels: float) -> Tensor:
    """Make louder by `decibels`: (L,) -> (L,). Nothing is clipped."""
    return samples * 10 ** (decibels / 20)


def shift_left(samples: Tensor, count: int) -> Tensor:
    """Drop the first `count` samples and end in as many of silence: (L,) -> (L,).

    Source: Meng et al., ICFF-Net, section 2.1, "Time Shifting".
    """
    return fit_length(samples[count:], len(samples))
