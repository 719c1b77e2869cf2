"""TS-Resformer: time and frequency attention on the first convolutions, residual blocks, and a Transformer beside them.

Paper: Y. Zhang, "TS-Resformer: a model based on multimodal fusion for the classification of music signals", Frontiers
in Neurorobotics 19, 2025. Comments give equation and section numbers.

Differs from the paper:
- Audio at 22,050 Hz (the paper: 44,100): the window is 2,048 samples; the hop is derived so that 12 s are 512 frames.
- The z-score (equation 2, with the paper's mean of absolute values) is taken for each slice by itself. Mel bands end
  at 11,025 Hz.
- The skip's 1 x 1 convolution follows an average pool where the map shrinks, and batch norm follows it.
- Without TF-attention (Table 3) the two shaped convolutions stay; figure 6 counts them as part of the module.
- Training (`engine.training`): AdamW on a teacher's outputs, then genre, mood and a contrastive term; heads refitted at
  the end. The paper: Adam 1e-3, batch 32, cross-entropy on FMA-small's eight genres.
- The classifier's fully connected layer is split: a projection to D numbers, the slice's vector, and heads on the
  track's weighted sum of slices (`engine.models.encoder`). A learned score weights the slices.
- A track gives three slices, spread evenly; the paper cuts a 30 s excerpt into four that overlap by half.

Not given in the paper, chosen here:
- The first two convolutions have a stride of 2. Four residual blocks of these widths; the first halves the map in time,
  the others in time and frequency.
- r of equation 8; the mel's HTK scale, 80 dB under a slice's loudest point, batch norm of each band.
- The Transformer reads the maximum of every four frames: 128 positions of 128 mel bands, with sinusoidal encoding
  (Vaswani et al. 2017) and layer norm after each sublayer. Recurrent networks in its place have one layer of the same
  width.
- The serial arrangement (the ablation's baseline): the Transformer reads the last residual map's 16 columns, projected.
- Time attention squeezes the T numbers of a map averaged over channels and bands; frequency attention likewise F.
- Branches are averaged over their positions and joined; the vector is standardised (batch norm without scale).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder, WindowPlan
from engine.models.layers.residual import ResidualBlock
from engine.models.layers.scoring import ScoreKind, score_layer

FRAMES_PER_SECOND = 512 / 12  # section 3.1: [128, 512] for 12 s
TRANSFORMER_STEP = 4  # frames in one of its positions
DYNAMIC_RANGE = 80.0  # dB below a slice's loudest point that are retained
RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU, "bigru": nn.GRU}
SEQUENCES = ("transformer", *RECURRENT, "none")
ARRANGEMENTS = ("parallel", "serial")


@dataclass(frozen=True)
class TSResformerConfig:
    """Sizes and switches.

    Attributes:
        slices: S, the slices read from a track.
        slice_seconds: Length of a slice (section 4.3.2: 3 to 15).
        n_mels, n_fft: Mel bands; window in samples at 22,050 Hz.
        frequency_filter: Shape M x 2 (bands, frames) of the convolution along frequency (section 4.3.3).
        time_filter: Shape 2 x N of the convolution along time.
        channels: Of each of these two convolutions (section 3.2.2: 32).
        squeeze: Reduction of the time and frequency attention.
        tf_attention: Whether time and frequency attention weight the maps.
        convolution: Whether there is a residual branch (Table 5).
        widths: Channels of the residual blocks.
        se: Whether the blocks squeeze and excite.
        se_reduction: r of eq 8.
        sequence: "transformer", "lstm", "gru", "bigru" or "none" (Table 5).
        arrangement: "parallel" or "serial" (Table 3).
        encoder_layers: Transformer layers, 1 to 5 (Table 4).
        heads, feed_forward, sequence_dropout: Of the Transformer (section 3.2.4).
        dim: D, length of the signature.
        dropout: Share of joined features dropped in training.
        score, score_heads: Kind of segment score (`engine.models.layers.scoring`), and its attention heads.
    """

    slices: int = 3
    slice_seconds: float = 12.0
    n_mels: int = 128
    n_fft: int = 2048
    frequency_filter: tuple[int, int] = (6, 2)
    time_filter: tuple[int, int] = (2, 10)
    channels: int = 32
    squeeze: int = 16
    tf_attention: bool = True
    convolution: bool = True
    widths: tuple[int, ...] = (48, 96, 144, 160)
    se: bool = True
    se_reduction: int = 8
    sequence: Literal["transformer", "lstm", "gru", "bigru", "none"] = "transformer"
    arrangement: Literal["parallel", "serial"] = "parallel"
    encoder_layers: int = 4
    heads: int = 4
    feed_forward: int = 512
    sequence_dropout: float = 0.4
    dim: int = 256
    dropout: float = 0.2
    score: ScoreKind = "received"
    score_heads: int = 4


class AxisAttention(nn.Module):
    """Time attention (figure 8) on axis 3 of a map, frequency attention on axis 2: a sigmoid weight per position."""

    def __init__(self, axis: int, length: int, squeeze: int) -> None:
        super().__init__()
        self.axis = axis
        self.squeeze = nn.Conv1d(length, max(1, length // squeeze), 1)
        self.excite = nn.Conv1d(max(1, length // squeeze), length, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, T) -> (B, C, F, T), weighted along one axis."""
        others = [axis for axis in (1, 2, 3) if axis != self.axis]
        means = x.mean(dim=others)[..., None]  # (B, length, 1), eq 6
        weights = torch.sigmoid(self.excite(F.relu(self.squeeze(means))))
        return x * (weights[:, None] if self.axis == 2 else weights[:, None].transpose(2, 3))


class TimeFrequency(nn.Module):
    """Section 3.2.2: two first convolutions of different shapes, each map weighted along its axis, concatenated."""

    def __init__(self, config: TSResformerConfig, frames: int) -> None:
        super().__init__()
        self.along_frequency = _same_convolution(config.channels, config.frequency_filter)
        self.along_time = _same_convolution(config.channels, config.time_filter)
        self.attention = config.tf_attention
        if config.tf_attention:
            self.frequency_attention = AxisAttention(2, -(-config.n_mels // 2), config.squeeze)
            self.time_attention = AxisAttention(3, -(-frames // 2), config.squeeze)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 1, F, T) -> (B, 2 * channels, F / 2, T / 2)."""
        by_frequency, by_time = self.along_frequency(mel), self.along_time(mel)
        if self.attention:
            by_frequency, by_time = self.frequency_attention(by_frequency), self.time_attention(by_time)
        return torch.cat([by_frequency, by_time], dim=1)


def _same_convolution(channels: int, shape: tuple[int, int]) -> nn.Sequential:
    height, width = shape
    pad = nn.ZeroPad2d(((width - 1) // 2, width // 2, (height - 1) // 2, height // 2))  # same size as the input
    return nn.Sequential(pad, nn.Conv2d(1, channels, shape, 2, bias=False), nn.BatchNorm2d(channels), nn.ReLU())


class SequenceEncoder(nn.Module):
    """Section 3.2.4: models the order in time, by a Transformer or a recurrent network in its place (Table 5)."""

    def __init__(self, config: TSResformerConfig, width: int) -> None:
        super().__init__()
        self.kind = config.sequence
        self.width = width
        self.layers: nn.Module
        if self.kind == "transformer":
            layer = nn.TransformerEncoderLayer(
                width, config.heads, config.feed_forward, config.sequence_dropout, batch_first=True
            )
            self.layers = nn.TransformerEncoder(layer, config.encoder_layers, enable_nested_tensor=False)
        else:
            both = self.kind == "bigru"
            self.layers = RECURRENT[self.kind](
                width, width // 2 if both else width, batch_first=True, bidirectional=both
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, width), the mean over time."""
        if self.kind != "transformer":
            return self.layers(x)[0].mean(dim=1)
        return self.layers(x + positions(x.shape[1], self.width).to(x)).mean(dim=1)


def positions(length: int, width: int) -> Tensor:
    """Sinusoidal positional encoding (length, width), Vaswani et al. 2017, section 3.5."""
    at = torch.arange(length)[:, None]
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    return torch.stack([torch.sin(at * rates), torch.cos(at * rates)], dim=2).flatten(1)[:, :width]


class SliceNetwork(nn.Module):
    """Figure 5: the residual branch and the sequence branch, from the log-mel of a slice to its vector.

    Raises:
        ValueError: See `TSResformer`.
    """

    def __init__(self, config: TSResformerConfig, frames: int) -> None:
        super().__init__()
        for setting, found, choices in (
            ("sequence", config.sequence, SEQUENCES),
            ("arrangement", config.arrangement, ARRANGEMENTS),
        ):
            if found not in choices:
                raise ValueError(f"expected {setting} to be one of {', '.join(choices)}, found {found!r}")
        self.serial = config.arrangement == "serial"
        if not config.convolution and (self.serial or config.sequence == "none"):
            raise ValueError("without convolution there must be a sequence encoder, in parallel")
        if self.serial and config.sequence == "none":
            raise ValueError("a serial arrangement needs a sequence encoder")
        self.input_norm = nn.BatchNorm1d(config.n_mels)
        self.first = self.blocks = self.sequence = None
        joined = 0
        rows, channels = -(-config.n_mels // 2), 2 * config.channels
        if config.convolution:
            self.first = TimeFrequency(config, frames)
            blocks = []
            for i, width in enumerate(config.widths):
                stride = (1, 2) if i == 0 else (2, 2)
                # SE: eq 7 to 9
                blocks += [ResidualBlock(channels, width, stride, config.se_reduction, config.se, project=True)]
                rows, channels = -(-rows // stride[0]), width
            self.blocks = nn.Sequential(*blocks)
            joined += 0 if self.serial else channels
        if config.sequence != "none":
            width = channels * rows if self.serial else config.n_mels
            self.narrow = nn.Linear(width, config.n_mels) if self.serial else nn.Identity()
            self.sequence = SequenceEncoder(config, config.n_mels)
            joined += config.n_mels
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(joined, config.dim)
        self.standardise = nn.BatchNorm1d(config.dim, affine=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel slices (N, F, T) -> vectors (N, D)."""
        mel = self.input_norm(mel)
        parts, x = [], None
        if self.first is not None and self.blocks is not None:
            x = self.blocks(self.first(mel[:, None].contiguous(memory_format=torch.channels_last)))  # (N, C, F', T')
            if not self.serial:
                parts += [x.mean(dim=(2, 3))]
        if self.sequence is not None:
            if self.serial and x is not None:
                steps = self.narrow(x.flatten(1, 2).transpose(1, 2))  # (N, T', F)
            else:
                steps = F.max_pool1d(mel, TRANSFORMER_STEP).transpose(1, 2)  # (N, T / 4, F)
            parts += [self.sequence(steps)]
        return self.standardise(self.project(self.dropout(torch.cat(parts, dim=1))))


class TSResformer(Encoder):
    """TS-Resformer with the interface that all encoders share.

    Raises:
        ValueError: The sequence encoder or the arrangement is unknown, or the branches do not fit together.
    """

    window: Tensor
    mel: Tensor
    front_end_fields = ("slice_seconds", "n_mels", "n_fft")

    def __init__(self, config: TSResformerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TSResformerConfig()
        self.plan = WindowPlan(config.slice_seconds, config.slices)  # eq 1
        self.dim = config.dim
        self.frames = round(config.slice_seconds * FRAMES_PER_SECOND)  # T, section 3.1
        self.hop_length = self.plan.samples // self.frames
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)  # eq 3
        mel = torchaudio.functional.melscale_fbanks(  # eq 5
            config.n_fft // 2 + 1, 0.0, SAMPLE_RATE / 2, config.n_mels, SAMPLE_RATE
        )
        self.register_buffer("mel", mel, persistent=False)
        self.network = SliceNetwork(config, self.frames)
        self.score_layer = score_layer(
            config.score, config.dim, config.score_heads, self.plan.count * self.plan.segments
        )
        self.add_heads()

    def front_end(self, windows: Tensor, second: Tensor | None = None) -> dict[str, Tensor]:
        """Windows (W, L) -> {"mel": (W, n_mels, T)}, in dB."""
        mean = windows.abs().mean(dim=1, keepdim=True)
        scaled = (windows - mean) / windows.std(dim=1, keepdim=True).clamp_min(1e-4)  # eq 2
        spectrum = torch.stft(  # eq 3
            scaled, self.config.n_fft, self.hop_length, window=self.window, pad_mode="constant", return_complex=True
        )
        power = spectrum.abs().square()[..., : self.frames]  # eq 4
        energies = torch.einsum("wft,fm->wmt", power, self.mel)
        decibels = torchaudio.functional.amplitude_to_DB(energies[:, None], 10.0, 1e-10, 0.0, DYNAMIC_RANGE)[:, 0]
        return {"mel": decibels}

    @property
    def standardise(self) -> nn.BatchNorm1d:
        """The last layer of `embed`."""
        return self.network.standardise

    def embed(self, features: dict[str, Tensor]) -> Tensor:
        """{"mel": (S, n_mels, T)} -> h (S, D)."""
        return self.network(features["mel"])
