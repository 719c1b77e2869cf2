"""Front-end pieces that encoders share: level, then log-mel. Fixed functions of the samples: nothing is trained."""

from __future__ import annotations

import torch
import torchaudio
from torch import Tensor, nn

TARGET_RMS = 0.125  # -18 dBFS, about the level of a mastered recording
MAX_GAIN = 100.0  # +40 dB: a fade-out is lifted, the noise under a silence is not


def normalise_level(windows: Tensor) -> Tensor:
    """Bring each window (..., L) to TARGET_RMS, so that a file's gain does not matter (up to MAX_GAIN)."""
    rms = windows.square().mean(dim=-1, keepdim=True).sqrt()
    return windows * (TARGET_RMS / rms.clamp_min(TARGET_RMS / MAX_GAIN))


class LogMel(nn.Module):
    """Compressed mel spectrogram, log10(1 + 10,000 * mel power), as MusiCNN's front-end has it (Pons and Serra 2019).

    Args:
        sample_rate: In Hz.
        n_fft: Length of the Hann window in samples.
        hop_length: In samples.
        n_mels: Mel bands, Slaney scale and area normalisation.
        f_min, f_max: Band edges in Hz.
    """

    def __init__(self, sample_rate: int, n_fft: int, hop_length: int, n_mels: int, f_min: float, f_max: float) -> None:
        super().__init__()
        self.hop_length = hop_length
        self.mel = torchaudio.transforms.MelSpectrogram(
            sample_rate, n_fft, hop_length=hop_length, f_min=f_min, f_max=f_max, n_mels=n_mels,
            norm="slaney", mel_scale="slaney",
        )  # fmt: skip
        for name, _ in list(self.mel.named_buffers()):  # derived from the settings above: not weights
            owner, _, leaf = name.rpartition(".")
            self.mel.get_submodule(owner)._non_persistent_buffers_set.add(leaf)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (W, L) -> (W, n_mels, L // hop_length)."""
        frames = windows.shape[-1] // self.hop_length
        return torch.log10(1e4 * self.mel(windows)[..., :frames] + 1)
