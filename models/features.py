"""Shared front-end: level normalisation and log-mel spectrogram, without trained parameters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

TARGET_RMS = 0.125  # -18 dBFS, about the level of a mastered recording
MAX_GAIN = 100.0  # +40 dB: amplifies a fade-out, but not the noise floor of silence


def normalise_level(windows: Tensor) -> Tensor:
    """Scale each window (..., L) to TARGET_RMS, by at most MAX_GAIN, so that a file's gain does not matter."""
    rms = windows.square().mean(dim=-1, keepdim=True).sqrt()
    return windows * (TARGET_RMS / rms.clamp_min(TARGET_RMS / MAX_GAIN))


class LogMel(nn.Module):
    """Compressed mel spectrogram, log10(1 + 10,000 * mel power), the front-end of MusiCNN (Pons and Serra 2019).

    Frame x has the power P_f = |sum_n w_n x_n exp(-2 pi i f n / n_fft)|^2 in bin f. Band m sums it under a triangle of
    area 1 in Hz, M_m = sum_f P_f T_fm, so that white noise is level over the bands (Slaney). As the derivative of
    log10(1 + c M) is c / (1 + c M) / ln 10, levels far below 1 / c count linearly and those above it in decibels.

    Args:
        sample_rate: In Hz.
        n_fft: Length of the Hann window in samples.
        hop_length: In samples.
        n_mels: Mel bands, Slaney scale and area normalisation.
        f_min, f_max: Band edges in Hz.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, sample_rate: int, n_fft: int, hop_length: int, n_mels: int, f_min: float, f_max: float) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        filters = melscale_fbanks(n_fft // 2 + 1, f_min, f_max, n_mels, sample_rate, norm="slaney", mel_scale="slaney")
        # Derived from the settings: not weights.
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)  # (n_fft,)
        self.register_buffer("filters", filters, persistent=False)  # (n_fft / 2 + 1, n_mels)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (W, L) -> (W, n_mels, L // hop_length), frame t centred on sample t * hop_length."""
        half = self.n_fft // 2
        padded = F.pad(windows[:, None], (half, half), mode="reflect")[:, 0]
        frames = padded.unfold(-1, self.n_fft, self.hop_length)[:, : windows.shape[-1] // self.hop_length]
        spectrum = torch.fft.rfft(frames * self.window)  # (W, T, n_fft / 2 + 1)
        # abs() of complex numbers takes as long as the whole transform.
        power = torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
        return torch.log10(1e4 * (power @ self.filters) + 1).transpose(1, 2)
