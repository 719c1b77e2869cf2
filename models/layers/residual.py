"""Residual convolution blocks with squeeze-and-excitation (He et al. 2016; Hu, Shen, Sun 2018, equations 2 to 4)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate computed from all channels' means: x_c sigmoid(W2 relu(W1 mean(x)))_c."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, T) -> (B, C, F, T)."""
        means = x.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1), eq 2
        gates = torch.sigmoid(self.excite(F.relu(self.squeeze(means))))  # eq 3
        return x * gates  # eq 4


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm and squeeze-and-excitation, beside a shortcut; `stride` shrinks the map.

    Args:
        in_channels, out_channels: Of the map.
        stride: Along bands and time, or of both.
        reduction: Of the squeeze.
        gate: Whether to squeeze and excite.
        project: Whether the shortcut is a 1 x 1 convolution even if the shape does not change.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int | tuple[int, int] = 1,
        reduction: int = 8,
        gate: bool = True,
        project: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.gate: nn.Module = SqueezeExcitation(out_channels, reduction) if gate else nn.Identity()
        self.shortcut: nn.Module = nn.Identity()
        if project or stride != 1 or in_channels != out_channels:
            pool = nn.AvgPool2d(stride, ceil_mode=True) if stride != 1 else nn.Identity()
            self.shortcut = nn.Sequential(
                pool, nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, F, T) -> (B, C_out, F / stride, T / stride)."""
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.gate(self.norm2(self.conv2(y)))
        return F.relu(y + self.shortcut(x))
