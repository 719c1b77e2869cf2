"""Attention CNN: four convolutions on a mel image, average and max pooling together, one attention vector beside them.

Paper: T. Li, "Attention-based Convolutional Neural Network for Music Genre Classification" (KTH, a poster). It has no
equations; comments give the names of its diagram.

Differs from the paper:
- Its classes are one softmax layer's; here the layer's input is projected to D numbers, the segment's vector, and heads
  read the track's weighted sum of them (`engine.models.encoder`). Valence is read from the mood head: sad, neutral and
  happy are Q3, Q4 and Q1 renormalised.
- Thirteen slices spread evenly over a track are weighted by a learned score; the paper classifies a 30 s sample's ten
  slices one by one.
- The attention reads the combined map, as in the diagram; in the text it reads the max pool's.
- Training (`engine.training`): a teacher's outputs and labels of several sets, not ten genres of the Free Music Archive
  with a grid search; that is a study (`scripts/studies/paper5_grid.toml`).

Not given in the paper, chosen here:
- Kernel 3 x 3, ReLU; the mel's window, edges and compression, one level for each slice, batch norm of each band.
- The attention's form: additive, a score for each of the last map's positions, softmax over them, the weighted sum of
  the positions (Bahdanau et al. 2015).
- With 3 or 5 layers, the last one is the strided one and the rest are each followed by a max pool.
- The vector is standardised (batch norm without scale): cosines then compare the differences between tracks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder, WindowPlan
from engine.models.features import LogMel, normalise_level
from engine.models.layers.scoring import ScoreKind, score_layer


@dataclass(frozen=True)
class AttentionCNNConfig:
    """Sizes and switches.

    Attributes:
        slices: S, slices read of a track (the paper: ten).
        slice_seconds: Length of a slice (the paper: three).
        bands: Mel bands, and frames of a slice (the paper: 128 x 128).
        n_fft, f_min, f_max: The log-mel's window in samples at 22,050 Hz, and its edges in Hz.
        widths: Channels of each convolution (the paper: four; its study: three to five).
        pool: Of the last map: "average", "max", or "both", averaged.
        attention: Whether the attention vector is concatenated with the pooled map.
        dim: D, length of the signature.
        dropout: Share of pooled features dropped in training.
        score, score_heads: Kind of segment score (`engine.models.layers.scoring`), and its attention heads.
    """

    slices: int = 13
    slice_seconds: float = 3.0
    bands: int = 128
    n_fft: int = 1024
    f_min: float = 20.0
    f_max: float = 10_000.0
    widths: tuple[int, ...] = (64, 128, 256, 512)
    pool: Literal["both", "average", "max"] = "both"
    attention: bool = True
    dim: int = 160
    dropout: float = 0.3
    score: ScoreKind = "received"
    score_heads: int = 4


class MapAttention(nn.Module):
    """The layer "Attention": weights over the last map's positions, and their weighted sum."""

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(channels, hidden, 1)
        self.score = nn.Conv2d(hidden, 1, 1, bias=False)

    def weights(self, x: Tensor) -> Tensor:
        """(B, C, F, T) -> (B, F * T), each row sums to 1."""
        return self.score(torch.tanh(self.hidden(x))).flatten(1).softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, T) -> the attention vector (B, C)."""
        return torch.einsum("bp,bcp->bc", self.weights(x), x.flatten(2))


class SliceCNN(nn.Module):
    """The network of the paper's diagram, from the mel image to the input of its softmax layer."""

    def __init__(self, config: AttentionCNNConfig) -> None:
        super().__init__()
        layers, channels, side = [], 1, config.bands
        for width in config.widths[:-1]:  # Conv1 to Conv3, BN_conv, Pool
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
            channels, side = width, side // 2
        last = config.widths[-1]  # Conv4: the strided one
        layers += [nn.Conv2d(channels, last, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(last), nn.ReLU()]
        self.input_norm = nn.BatchNorm1d(config.bands)
        self.convolutions = nn.Sequential(*layers)
        self.average = nn.AvgPool2d(2)  # Pool4Ave
        self.maximum = nn.MaxPool2d(2)  # Pool4Max
        self.pool = config.pool
        self.attention = MapAttention(last) if config.attention else None  # Attention
        positions = (side // 4) ** 2
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(last * (positions + bool(config.attention)), config.dim)
        self.standardise = nn.BatchNorm1d(config.dim, affine=False)

    def last_map(self, mel: Tensor) -> Tensor:
        """Mel images (N, bands, bands) -> the pooled last map (N, C, F', T')."""
        x = self.input_norm(mel)[:, None].contiguous(memory_format=torch.channels_last)  # (N, 1, F, T)
        x = self.convolutions(x)
        if self.pool == "both":
            return (self.average(x) + self.maximum(x)) / 2  # Pool4Combined
        return self.average(x) if self.pool == "average" else self.maximum(x)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel images (N, bands, bands) -> vectors (N, D)."""
        x = self.last_map(mel)
        parts = [x.flatten(1)] if self.attention is None else [x.flatten(1), self.attention(x)]  # Concatenate
        return self.standardise(self.project(self.dropout(torch.cat(parts, dim=1))))


class AttentionCNN(Encoder):
    """The encoder of paper 5 behind the common contract."""

    front_end_fields = ("slice_seconds", "bands", "n_fft", "f_min", "f_max")

    def __init__(self, config: AttentionCNNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AttentionCNNConfig()
        self.plan = WindowPlan(config.slice_seconds, config.slices)
        self.dim = config.dim
        hop = self.plan.samples // config.bands  # as many frames as bands
        self.log_mel = LogMel(SAMPLE_RATE, config.n_fft, hop, config.bands, config.f_min, config.f_max)
        self.cnn = SliceCNN(config)
        self.score_layer = score_layer(
            config.score, config.dim, config.score_heads, self.plan.count * self.plan.segments
        )
        self.add_heads()

    def front_end(self, windows: Tensor, second: Tensor | None = None) -> dict[str, Tensor]:
        """Windows (W, L) -> {"mel": (W, bands, bands)}."""
        return {"mel": self.log_mel(normalise_level(windows))[..., : self.config.bands]}

    @property
    def standardise(self) -> nn.BatchNorm1d:
        """The last layer of `embed`."""
        return self.cnn.standardise

    def embed(self, features: dict[str, Tensor]) -> Tensor:
        """{"mel": (S, bands, bands)} -> h (S, D)."""
        return self.cnn(features["mel"])
