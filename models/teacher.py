"""MusiCNN (Pons and Serra 2019, MSD weights, ISC licence) as a teacher in training. Not used at run time.

Equal to the published network up to float32 rounding, optimised for a CPU: the wide filters of its first layer are
matrix products; each maximum over bands is taken before the following norm, and by pairwise halving, which vectorises,
unlike PyTorch's reduction of a middle axis.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor, nn

from engine.errors import TrainingError

SAMPLE_RATE = 16_000  # Hz
N_MELS = 96
FEATURES = 200
TAGS = 50
NORM_EPSILON = 1e-3


class Teacher(nn.Module):
    """MusiCNN's penultimate layer and its fifty tags.

    Args:
        weights: An .npz of the network's arrays (never pickled objects).

    Raises:
        TrainingError: The file is missing or is not MusiCNN's weights.
    """

    dense0_kernel: Tensor
    dense0_bias: Tensor
    dense1_kernel: Tensor
    dense1_bias: Tensor

    def __init__(self, weights: Path) -> None:
        super().__init__()
        try:
            with np.load(weights, allow_pickle=False) as arrays:
                for name in arrays.files:
                    self.register_buffer(name, torch.from_numpy(arrays[name]))
        except (OSError, ValueError, TypeError, AttributeError, KeyError, zipfile.BadZipFile) as error:
            raise TrainingError(f"expected MusiCNN's weights as .npz in {weights}, found none: {error}") from error
        if not hasattr(self, "dense1_kernel"):
            raise TrainingError(f"expected MusiCNN's weights in {weights}, found other arrays")
        self.mel = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE, n_fft=512, hop_length=256, n_mels=N_MELS, norm="slaney", mel_scale="slaney"
        )

    def log_mel(self, waveform: Tensor) -> Tensor:
        """Samples (B, n) at SAMPLE_RATE -> (B, n // 256, N_MELS)."""
        frames = waveform.shape[1] // 256
        return torch.log10(1e4 * self.mel(waveform)[..., :frames] + 1).transpose(1, 2)

    @torch.inference_mode()
    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Log-mel patches (B, T, N_MELS) -> features (B, FEATURES), tag probabilities (B, TAGS)."""
        x = self._norm(patches[..., None], 0)[..., 0]
        fronts = [self._timbral(x, i) for i in (0, 1)] + [self._temporal(x, i) for i in (2, 3, 4)]
        maps = [torch.cat(fronts, dim=2)]  # (B, T, 561)
        z = maps[0]
        for i in (5, 6, 7):
            weight = getattr(self, f"conv{i}_kernel")[:, :, 0].permute(2, 1, 0)  # (out, in, 7)
            y = F.conv1d(z.transpose(1, 2), weight, getattr(self, f"conv{i}_bias"), padding=3).transpose(1, 2)
            y = self._norm(F.relu(y), i + 1)  # (B, T, 64)
            z = y if i == 5 else y + z
            maps.append(z)
        m = torch.cat(maps, dim=2)  # (B, T, 753)
        pooled = self._norm(torch.stack([m.amax(dim=1), m.mean(dim=1)], dim=2).flatten(1), 9)  # (B, 1506)
        features = self._norm(F.relu(pooled @ self.dense0_kernel + self.dense0_bias), 10)
        return features, torch.sigmoid(features @ self.dense1_kernel + self.dense1_bias)

    def _norm(self, x: Tensor, i: int) -> Tensor:
        gamma, beta, mean, var = (getattr(self, f"bn{i}_{part}") for part in ("gamma", "beta", "mean", "var"))
        scale = gamma * (var + NORM_EPSILON).rsqrt()
        return x * scale + (beta - mean * scale)

    def _peak(self, convolve: Callable[[Tensor], Tensor], i: int) -> Tensor:
        """Return max over bands of norm(relu(convolution)), with the maximum taken first.

        norm(relu(x + b)) = g relu(x + b) + c is monotonic in x. For g > 0, max_f norm(relu(x_f + b)) is
        norm(relu(max_f x_f + b)); for g < 0 it needs min_f x_f = -max_f (-x_f), so the filter's sign is flipped.
        """
        sign = torch.where(getattr(self, f"bn{i + 1}_gamma") < 0, -1.0, 1.0)  # (out,)
        winner = convolve(sign) * sign + getattr(self, f"conv{i}_bias")  # (B, T, out)
        return self._norm(F.relu(winner), i + 1)

    def _timbral(self, x: Tensor, i: int) -> Tensor:
        """Filters 7 frames by `width` bands: bands become channels, so that the convolution is 7 x 1."""
        kernel = getattr(self, f"conv{i}_kernel")  # (7, width, 1, out)
        bands = x.unfold(2, kernel.shape[1], 1).permute(0, 3, 1, 2)  # (B, width, T, F')
        bands = bands.contiguous(memory_format=torch.channels_last)
        weight = kernel[:, :, 0].permute(2, 1, 0)[..., None]  # (out, width, 7, 1)

        def convolve(sign: Tensor) -> Tensor:
            y = F.conv2d(bands, weight * sign.view(-1, 1, 1, 1), padding=(3, 0))  # (B, out, T, F'), channels last
            return _greatest(y.permute(0, 2, 3, 1))

        return self._peak(convolve, i)

    def _temporal(self, x: Tensor, i: int, block: int = 16) -> Tensor:
        """Filters `height` frames by one band: products with a Toeplitz matrix that yields `block` frames at a time."""
        kernel = getattr(self, f"conv{i}_kernel")[:, 0, 0]  # (height, out)
        height, n_out = kernel.shape
        length = x.shape[1]
        before, after = (height - 1) // 2, height // 2 + -length % block
        width = height + block - 1
        frames = F.pad(x, (0, 0, before, after)).unfold(1, width, block).contiguous()  # (B, T / block, F, width)

        def convolve(sign: Tensor) -> Tensor:
            rows = [F.pad(kernel * sign, (0, 0, k, block - 1 - k)) for k in range(block)]
            y = _greatest(frames @ torch.stack(rows, dim=1).flatten(1))  # (B, T / block, block * out)
            return y.view(len(x), -1, n_out)[:, :length]

        return self._peak(convolve, i)


def _greatest(x: Tensor) -> Tensor:
    """Return the maximum over the third axis, (B, T, F, C) -> (B, T, C), by halves that may overlap."""
    while (count := x.shape[2]) > 1:
        half = (count + 1) // 2
        x = torch.maximum(x[:, :, :half], x[:, :, count - half :])
    return x[:, :, 0]
