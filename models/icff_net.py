"""ICFF-Net: a mel image of the mix and the waveform of the accompaniment, fused by interlaced cross-attention.

Paper: S. Meng et al., "ICFF-Net: Interlaced cross-attention feature fusion network for music genre classification".
Comments give equation and section numbers.

Differs from the paper:
- Section 2.2 averages the last map globally and calls the result H x W x C. After an average there is one key, its
  softmax is 1, and the attention is dead: here the last map's positions are the tokens u_2, those of the 1-D branch are
  u_1; both are projected to one width and layer-normalised (else equation 5's products are so small that its softmax is
  uniform), and u' is averaged over its tokens after equation 10.
- The accompaniment comes from a repeating-pattern mask (`engine.models.separator`), the paper's from Spleeter. A
  pattern needs time to repeat: windows are two blocks of 21 s, split into segments of 3 s after the mask.
- The mel's one channel takes the place of its picture in three colours; 128 bands, stretched to 256 x 256.
- The hidden layer of 1,000 (section 2.3) is projected to D numbers, the segment's vector; heads read the track's
  weighted sum of them (`engine.models.encoder`), and a learned score weights the segments.
- The networks' outputs are shorter than their inputs: u_t is (T / 8, L / 8), u_f (T / 8, F / 8), not (T, L), (T, F).
- Audio at 22,050 Hz, mel bands from 20 Hz to 10 kHz (the paper: 44,100 Hz); fourteen segments of a track, not ten.
- Its augmentations of the 1-D input are rows of a study (`engine.training.augment.named_variants`), on each block of
  21 s; the shipped weights were trained without. Time stretching uses a phase vocoder, not SoundTouch.
- Training (`engine.training`): AdamW on a teacher's outputs, then genre, mood and a contrastive term; heads refitted at
  the end. The paper: cross-entropy alone. A teacher's excerpts last 12 s, so that their masks see 12 s only.

Not given in the paper, chosen here:
- Channels of both networks, d_k, D; the stem's convolution steps by 2; batch norm on all inputs and after convolutions;
  every segment brought to one level; the mel's window, hop and compression.
- Frames of L = 1,024 samples with half overlap, and the magnitudes of their Fourier transform, F = 513, compressed by
  log(1 + 100 x).
- The 1-D network: three convolutions over time on each input, each pooled by 2: 16 positions, L / 8 and F / 8 channels.
- The vector is standardised (batch norm without scale): cosines then compare the differences between tracks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder, WindowPlan
from engine.models.features import LogMel, normalise_level
from engine.models.layers.scoring import ScoreKind, score_layer
from engine.models.separator import make_separator

LAYERS_1D = 3  # convolutions of the 1-D branch, each pooled by 2
POOL_1D = 2**LAYERS_1D  # frames in one of its positions; its inputs' lengths shrink likewise


@dataclass(frozen=True)
class ICFFNetConfig:
    """Sizes and switches.

    Attributes:
        windows: Blocks read of a track.
        segments: Segments in a block.
        segment_seconds: Length of a segment (section 3.2: three).
        n_mels, n_fft, hop_length: Of the mel picture, in samples at 22,050 Hz.
        side: Rows and columns of the picture (section 3.2: 256).
        frame_length: L, samples of a frame of the 1-D input.
        source: "accompaniment", or "mix" (section 2.1 switched off).
        features: "both", "2d" or "1d" (section 4.4).
        attention: "interlaced" (eq 2 to 10) or "cross" (eq 2 to 6).
        widths: Channels of the stem, then of each pair of convolutions.
        width: d_k, channels of the tokens in attention.
        hidden: Of the MLP (section 2.3: 1,000).
        dim: D, length of the signature.
        dropout: Of the MLP (section 2.3: 0.3).
        score, score_heads: Kind of segment score (`engine.models.layers.scoring`), and its attention heads.
        separator_weights: A safetensors file of a trained separator, or None for the repeating pattern.
    """

    windows: int = 2
    segments: int = 7
    segment_seconds: float = 3.0
    n_mels: int = 128
    n_fft: int = 1024
    hop_length: int = 512
    side: int = 256
    frame_length: int = 1024
    source: Literal["accompaniment", "mix"] = "accompaniment"
    features: Literal["both", "2d", "1d"] = "both"
    attention: Literal["interlaced", "cross"] = "interlaced"
    widths: tuple[int, ...] = (24, 40, 80, 128, 112)
    width: int = 160
    hidden: int = 1000
    dim: int = 256
    dropout: float = 0.3
    score: ScoreKind = "received"
    score_heads: int = 4
    separator_weights: str | None = None


class PictureCNN(nn.Module):
    """Section 2.2, 2-D: 3 x 3 stem and pool, eight convolutions in pairs with four pools, the last 5 x 5, ELU."""

    def __init__(self, config: ICFFNetConfig) -> None:
        super().__init__()
        self.side = config.side
        self.input_norm = nn.BatchNorm1d(config.n_mels)
        stem, *widths = config.widths
        layers = [*_convolution(1, stem, 3, 2), nn.MaxPool2d(2)]
        channels = stem
        for i, width in enumerate(widths):
            last = 5 if i == len(widths) - 1 else 3
            layers += [*_convolution(channels, width, 3), *_convolution(width, width, last), nn.MaxPool2d(2)]
            channels = width
        self.layers = nn.Sequential(*layers)
        self.channels = channels

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel (B, n_mels, T) -> u_2 (B, H * W, C)."""
        x = self.input_norm(mel)[:, None]
        x = F.interpolate(x, (self.side, self.side), mode="bilinear", align_corners=False)
        x = self.layers(x.contiguous(memory_format=torch.channels_last))
        return x.flatten(2).transpose(1, 2)


def _convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(out_channels), nn.ELU()]


class SignalCNN(nn.Module):
    """Section 2.2, 1-D: convolutions over time on the frames' samples and on their spectra, joined."""

    def __init__(self, config: ICFFNetConfig) -> None:
        super().__init__()
        lengths = (config.frame_length, config.frame_length // 2 + 1)  # L, F
        self.time, self.frequency = (_signal_network(length, length // POOL_1D) for length in lengths)
        self.positions = config.frame_length // POOL_1D  # P = max(L, F), after the networks
        self.channels = 2 * self.positions

    def forward(self, samples: Tensor, spectra: Tensor) -> Tensor:
        """x_t (B, T, L), x_f (B, T, F) -> u_1 (B, T', 2 P)."""
        by_time = self.time(samples.transpose(1, 2)).transpose(1, 2)  # u_t (B, T', L')
        by_frequency = self.frequency(spectra.transpose(1, 2)).transpose(1, 2)  # u_f (B, T', F')
        stretched = F.interpolate(by_frequency, self.positions, mode="linear", align_corners=False)
        return torch.stack([by_time, stretched], dim=3).flatten(2)  # (B, T', P, 2) -> (B, T', 2 P)


def _signal_network(length: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.BatchNorm1d(length)]
    channels = length
    for _ in range(LAYERS_1D):
        convolution = nn.Conv1d(channels, width, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm1d(width), nn.ELU(), nn.MaxPool1d(2, ceil_mode=True)]
        channels = width
    return nn.Sequential(*layers)


class CrossAttention(nn.Module):
    """Section 2.3: u' = softmax(Q K^T / sqrt(d)) V + u, with Q from own tokens u, K and V from the other source."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)  # eq 2, 7
        self.key = nn.Linear(width, width, bias=False)  # eq 3, 8
        self.value = nn.Linear(width, width, bias=False)  # eq 4, 9

    def weights(self, own: Tensor, other: Tensor) -> Tensor:
        """Tokens (B, P, d), (B, P', d) -> alpha (B, P, P'); rows sum to 1."""
        logits = self.query(own) @ self.key(other).transpose(1, 2) / own.shape[2] ** 0.5
        return logits.softmax(dim=2)  # eq 5

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        """Tokens (B, P, d), (B, P', d) -> updated own tokens (B, P, d)."""
        return self.weights(own, other) @ self.value(other) + own  # eq 6, 10


class FusionNetwork(nn.Module):
    """Both branches, their fusion, and the MLP."""

    def __init__(self, config: ICFFNetConfig) -> None:
        super().__init__()
        self.features, self.interlaced = config.features, config.attention == "interlaced"
        if config.features != "1d":
            self.picture = PictureCNN(config)
            self.project2 = nn.Sequential(nn.Linear(self.picture.channels, config.width), nn.LayerNorm(config.width))
        if config.features != "2d":
            self.signal = SignalCNN(config)
            self.project1 = nn.Sequential(nn.Linear(self.signal.channels, config.width), nn.LayerNorm(config.width))
        if config.features == "both":
            self.first = CrossAttention(config.width)
            self.second = CrossAttention(config.width) if self.interlaced else None
        self.mlp = nn.Sequential(
            nn.Linear(config.width, config.hidden), nn.ELU(), nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.dim),
        )  # fmt: skip
        self.standardise = nn.BatchNorm1d(config.dim, affine=False)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Features (S, ...) -> h (S, D)."""
        return self.standardise(self.mlp(self.fuse(features).mean(dim=1)))

    def fuse(self, features: dict[str, Tensor]) -> Tensor:
        """Features (S, ...) -> u' (S, P, d)."""
        if self.features == "1d":
            return self.one_dimensional(features)
        two = self.project2(self.picture(features["mel"]))  # u_2
        if self.features == "2d":
            return two
        one = self.one_dimensional(features)  # u_1
        enriched = self.first(two, one)  # u'_2, eq 2 to 6
        return enriched if self.second is None else self.second(one, enriched)  # u', eq 7 to 10

    def one_dimensional(self, features: dict[str, Tensor]) -> Tensor:
        """Frames and spectra (S, T, ...) -> u_1 (S, T', d)."""
        return self.project1(self.signal(features["frames"], features["spectra"]))


class ICFFNet(Encoder):
    """The encoder of paper 4 behind the common contract."""

    window: Tensor
    front_end_fields = (
        "segments", "segment_seconds", "n_mels", "n_fft", "hop_length", "frame_length", "source", "features",
        "separator_weights",
    )  # fmt: skip

    def __init__(self, config: ICFFNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ICFFNetConfig()
        self.plan = WindowPlan(config.segments * config.segment_seconds, config.windows, config.segments)
        self.dim = config.dim
        self.separator = make_separator(config.separator_weights)
        self.log_mel = LogMel(SAMPLE_RATE, config.n_fft, config.hop_length, config.n_mels, 20.0, 10_000.0)
        self.register_buffer("window", torch.hann_window(config.frame_length), persistent=False)
        self.network = FusionNetwork(config)
        self.score_layer = score_layer(
            config.score, config.dim, config.score_heads, self.plan.count * self.plan.segments
        )
        self.add_heads()

    def second_source(self, windows: Tensor) -> Tensor | None:
        """Windows (W, L) -> accompaniment (W, L), or None if the mix is used instead."""
        if self.config.features == "2d" or self.config.source == "mix":
            return None
        return self.separator.accompaniment(normalise_level(windows))

    def front_end(self, windows: Tensor, second: Tensor | None = None) -> dict[str, Tensor]:
        """Windows (W, L), of whole segments -> by segment {"mel": (S, n_mels, T), "frames": (S, T, L), "spectra"}."""
        length = round(self.config.segment_seconds * SAMPLE_RATE)
        windows = normalise_level(windows)  # before segments: a quiet one must not depend on the file's gain
        features = {}
        if self.config.features != "1d":
            features["mel"] = self.log_mel(normalise_level(windows.reshape(-1, length)))
        if self.config.features != "2d":
            source = second if second is not None else self.second_source(windows)
            features |= self.signal_features((windows if source is None else source).reshape(-1, length))
        return features

    def signal_features(self, segments: Tensor) -> dict[str, Tensor]:
        """Segments (S, L) of the accompaniment -> x_t (S, T, L), x_f (S, T, F): section 2.2, eq 1."""
        frames = normalise_level(segments).unfold(
            1, self.config.frame_length, self.config.frame_length // 2
        )  # (S, T, L)
        spectra = torch.fft.rfft(frames * self.window).abs()  # eq 1
        return {"frames": frames, "spectra": torch.log1p(100 * spectra)}

    @property
    def standardise(self) -> nn.BatchNorm1d:
        """The last layer of `embed`."""
        return self.network.standardise

    def embed(self, features: dict[str, Tensor]) -> Tensor:
        """Features of segments -> h (S, D)."""
        return self.network(features)
