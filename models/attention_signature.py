"""Attention signature: one CNN on each token, multi-head attention over the tokens, a softmax-weighted signature.

Paper: A. Sridhar, "Attention-guided Spectrogram Sequence Modeling with CNNs for Music Genre Classification", 2024
(arXiv 2411.14474). The paper has no numbered equations; sections are named beside the lines.

Differs from the paper:
- The log-mel spectrogram is computed from the samples; the paper cuts a picture of it into 217 x 45 pixels a token.
- The ten 4 s tokens are spread evenly over the whole track; the paper cuts 30 s with about one second of overlap.
- h_s is the CNN's own embedding of token s, as section 3.2 weights it, so attention needs queries and keys but no
  values; the figure of section 2.1 passes the attended sequence to the classifier.
- Weights are proportional to a power of the attention that token s receives, averaged over heads and queries; the
  power is learned. Section 3.2's softmax of that mean (`score="mean"`) is all but uniform, the more so the longer the
  track, and a sharpened softmax of it (`score="attention"`) let one token of ten take a third of the weight in the
  median full-length track. `score="linear"` scores each token by itself instead. See `layers/scoring.py`.
- The genre head reads the weighted sum, over fifteen genres (the paper: GTZAN's ten); a mood head reads it beside.
- Training: the paper trains on GTZAN's genres alone. Here genre, mood and a contrastive term on signatures, with a
  teacher's outputs if one is given; heads are refitted at the end (`engine.training`).
- Genre signatures (section 3.2) are means of unit signatures, normalised; the paper averages the weighted sums.

Not given in the paper, chosen here:
- The log-mel's bands, window, hop and edges (the paper gives the picture's size only).
- The CNN: a residual network with squeeze-and-excitation, then attentive and max pooling over a token's time.
- Attention has no positional encoding: tokens in another order give the same signature.
- Nearness of signatures (section 3.5): the cosine.
- Each token is brought to one level first, so that a recording's gain does not matter; log10(1 + 10,000 x) compresses
  the mel, batch norm standardises its bands. Four heads, and dropout before the projection.
- The embedding is standardised (batch norm without scale): cosines then compare the differences between tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder, WindowPlan
from engine.models.features import LogMel, normalise_level
from engine.models.layers.residual import ResidualBlock
from engine.models.layers.scoring import ScoreKind, score_layer


@dataclass(frozen=True)
class AttentionSignatureConfig:
    """Sizes and switches.

    Attributes:
        tokens: S, windows read of a track (section 2.2: ten).
        token_seconds: Length of a token (section 2.2: four).
        n_mels, n_fft, hop_length, f_min, f_max: The log-mel front-end; lengths in samples at 22,050 Hz, edges in Hz.
        stem: Channels after the first, strided convolution.
        widths: Channels of each stage; each stage halves the map and has `blocks` residual blocks.
        frame_dim: Channels of a time position before pooling.
        dim: D, length of the signature.
        heads: Attention heads.
        score: "received", "attention", "mean" or "linear": see `engine.models.layers.scoring`.
        dropout: Share of pooled features dropped in training.
    """

    tokens: int = 10
    token_seconds: float = 4.0
    n_mels: int = 96
    n_fft: int = 1024
    hop_length: int = 441
    f_min: float = 20.0
    f_max: float = 8000.0
    stem: int = 32
    widths: tuple[int, ...] = (48, 112, 224)
    blocks: int = 2
    frame_dim: int = 384
    dim: int = 256
    heads: int = 4
    score: ScoreKind = "received"
    dropout: float = 0.2


class TokenCNN(nn.Module):
    """Section 2.1: the convolutional network that is applied to each token by itself (time-distributed)."""

    def __init__(self, config: AttentionSignatureConfig) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm1d(config.n_mels)
        self.stem = nn.Sequential(
            nn.Conv2d(1, config.stem, 5, 2, 2, bias=False), nn.BatchNorm2d(config.stem), nn.ReLU()
        )
        stages, channels = [], config.stem
        for width in config.widths:
            stages += [ResidualBlock(channels, width, stride=2)]
            stages += [ResidualBlock(width, width) for _ in range(config.blocks - 1)]
            channels = width
        self.stages = nn.Sequential(*stages)
        bands = config.n_mels
        for _ in range(len(config.widths) + 1):
            bands = (bands + 1) // 2
        self.frame = nn.Sequential(
            nn.Conv1d(channels * bands, config.frame_dim, 1, bias=False), nn.BatchNorm1d(config.frame_dim), nn.ReLU()
        )
        self.weigh = nn.Conv1d(config.frame_dim, config.frame_dim, 1, bias=False)  # a bias would cancel
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(2 * config.frame_dim, config.dim)
        self.standardise = nn.BatchNorm1d(config.dim, affine=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel tokens (N, n_mels, T) -> embeddings (N, D)."""
        x = self.input_norm(mel)[:, None].contiguous(memory_format=torch.channels_last)  # (N, 1, F, T)
        x = self.stages(self.stem(x))  # (N, C, F / 16, T / 16)
        frames = self.frame(x.flatten(1, 2))  # (N, frame_dim, T / 16)
        attended = (self.weigh(frames).softmax(dim=2) * frames).sum(dim=2)  # (N, frame_dim)
        pooled = torch.cat([attended, frames.amax(dim=2)], dim=1)  # (N, 2 * frame_dim)
        return self.standardise(self.project(self.dropout(pooled)))


class AttentionSignature(Encoder):
    """The encoder of paper 3 behind the common contract."""

    front_end_fields = ("token_seconds", "n_mels", "n_fft", "hop_length", "f_min", "f_max")

    def __init__(self, config: AttentionSignatureConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AttentionSignatureConfig()
        self.plan = WindowPlan(config.token_seconds, config.tokens)
        self.dim = config.dim
        self.log_mel = LogMel(SAMPLE_RATE, config.n_fft, config.hop_length, config.n_mels, config.f_min, config.f_max)
        self.cnn = TokenCNN(config)
        self.attention = score_layer(config.score, config.dim, config.heads, config.tokens)
        self.add_heads()

    def front_end(self, windows: Tensor, second: Tensor | None = None) -> dict[str, Tensor]:
        """Windows (W, L) -> {"mel": (W, n_mels, T)}."""
        return {"mel": self.log_mel(normalise_level(windows))}

    @property
    def standardise(self) -> nn.BatchNorm1d:
        """The last layer of `embed`."""
        return self.cnn.standardise

    def embed(self, features: dict[str, Tensor]) -> Tensor:
        """{"mel": (S, n_mels, T)} -> h (S, D)."""
        return self.cnn(features["mel"])

    @property
    def attention_layer(self) -> nn.Module:
        """The multi-head attention over tokens."""
        return self.attention
