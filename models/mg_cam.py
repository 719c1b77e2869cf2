"""MG-CAM: a spectrogram and its cepstrum, each through a residual CNN, fused by mutual attention.

Paper: Y.-W. Li and Y.-H. Wang, "A Bimodal Music Genre Classification Model Based on Convolutional Attention
Mechanisms", 2025. Comments give equation numbers.

Differs from the paper:
- The shortcut of equation 2 is averaged where the map shrinks, and projected (every layer changes the number of
  channels); Leaky ReLU follows the sum, as in equation 16. Equation 3's plain sum then does not hold.
- Section 4.1's step 4 takes a logarithm and transforms back: here the branch reads the log-power itself.
- Equations 21 and 22 take queries from one modality, keys from the other, and values from the first again, so that
  nothing would be exchanged. Here the values come from the modality that gives the keys.
- Equations 17 and 18 mix their symbols. Read: f gives a number for each time position of the last map, softmax over
  positions, and two fully connected layers on the weighted positions give h*.
- The softmax's weights are multiplied by the number of positions (their mean is 1), which keeps the scale.
- h* is normalised over all of a segment's positions together, which preserves equation 17's weighting, and Z is
  layer-normalised: else the products in equations 21 and 22 are so small that their softmax is uniform.
- Equation 20 draws weights for each group of nodes, which all read all groups; here one W_h and one beta_h serve every
  time position, each reading its own Z. They come from a generator with its own seed, and are never trained.
- V^label F (equation 24) is the heads' product with the track's weighted sum of segments; a learned score weights the
  segments. Softplus's outputs are divided by their sum, so that they are probabilities.
- The heads have a bias. Batch norm is applied at both ends (each modality's bands, the vector), and nowhere between.
- Training (`engine.training`): AdamW on a teacher's outputs first, then genre, mood and a contrastive term with the ACL
  triplet term (equation 26, for the paper the loss itself); heads refitted at the end. The paper: Adam 3e-4, batch 128.

Not given in the paper, chosen here:
- Thirteen segments of 3 s, each brought to one level; frame, hop, pre-emphasis, mel bands, widths of the cepstrum's
  branch, d, strides; k, n, alpha, beta of equation 4; Softplus's beta, the margin, the triplet term's weight, dropout.
- F of equation 2: two convolutions, 3 x 3 (the spectrogram's very first 5 x 5), with response normalisation.
- n of equation 19: one group of nodes for each time position. xi is a factor.
- F_m* of the fused sequences is averaged over positions; batch norm without scale makes it the segment's vector.
- Triplets (equations 25, 26): all of a batch, D Euclidean between unit signatures; alpha_1 is a softmax, over them, of
  D(a, p) - D(a, n), through which no gradient goes (`engine.models.losses`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor, nn

from engine.models.encoder import SAMPLE_RATE, Encoder, WindowPlan
from engine.models.features import normalise_level
from engine.models.layers.normalisation import LocalResponseNorm
from engine.models.layers.scoring import ScoreKind, score_layer
from engine.models.losses import acl_triplet_loss

SLOPE = 0.01  # of Leaky ReLU below zero, eq 5
ENHANCEMENT_SEED = 20  # of the random nodes, eq 20
FLOOR = 1e-6  # power below which a band counts as silent


@dataclass(frozen=True)
class MGCAMConfig:
    """Sizes and switches.

    Attributes:
        segments: S, segments read of a track.
        segment_seconds: Length of a segment.
        n_fft, hop_length: Frame N and step N - M of section 4.1, in samples at 22,050 Hz.
        pre_emphasis: Coefficient of step 1.
        n_mels: K of eq 11.
        n_mfcc: Coefficients kept of eq 12.
        modality: "both", "spectrogram" or "mfcc" (Table 1).
        fusion: "mutual" (eq 21 to 23) or "concat".
        residual: Whether layers have shortcuts (eq 2); without them, a plain CNN.
        lrn_size, lrn_k, lrn_alpha, lrn_beta: n, k, alpha, beta of eq 4; a size of 0 switches it off.
        self_attention: Whether positions are weighted (eq 17, 18); else uniformly.
        enhancement: Whether h_m is made by fixed random nodes (eq 20); by trained ones otherwise.
        widths: Channels of the spectrogram's residual layers (section 4.2).
        mfcc_widths: Channels of the cepstrum's.
        width: d, channels of h* and h_m.
        dropout: p of eq 6.
        score, score_heads: Kind of segment score (`engine.models.layers.scoring`), and its attention heads.
        classifier: "softplus" (eq 24) or "softmax".
        softplus_beta: beta of eq 8.
        xi: Of eq 20.
        triplet: Weight of the ACL loss (eq 26) beside cross-entropy; 0 switches it off.
        margin: alpha of eq 25.
    """

    segments: int = 13
    segment_seconds: float = 3.0
    n_fft: int = 1024
    hop_length: int = 512
    pre_emphasis: float = 0.97
    n_mels: int = 64
    n_mfcc: int = 40
    modality: Literal["both", "spectrogram", "mfcc"] = "both"
    fusion: Literal["mutual", "concat"] = "mutual"
    residual: bool = True
    lrn_size: int = 5
    lrn_k: float = 1.0
    lrn_alpha: float = 1.0
    lrn_beta: float = 0.5
    self_attention: bool = True
    enhancement: bool = True
    widths: tuple[int, ...] = (32, 64, 128, 256, 128)
    mfcc_widths: tuple[int, ...] = (24, 48, 96)
    width: int = 128
    dropout: float = 0.2
    score: ScoreKind = "received"
    score_heads: int = 4
    classifier: Literal["softplus", "softmax"] = "softplus"
    softplus_beta: float = 1.0
    xi: float = 1.0
    triplet: float = 0.1
    margin: float = 0.2


class ResidualLayer(nn.Module):
    """Eq 2 with eq 4 and 5: x + F(x), F two convolutions with local response normalisation."""

    def __init__(
        self,
        config: MGCAMConfig,
        in_channels: int,
        out_channels: int,
        stride: tuple[int, int] = (1, 1),
        kernel: int = 3,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1)
        self.norm: nn.Module = nn.Identity()
        if config.lrn_size:
            sizes = (config.lrn_size, config.lrn_k, config.lrn_alpha, config.lrn_beta)
            self.norm = LocalResponseNorm(out_channels, *sizes)  # eq 4
        self.shortcut = None
        if not config.residual:
            return
        pool = nn.AvgPool2d(stride, ceil_mode=True) if stride != (1, 1) else nn.Identity()
        self.shortcut = nn.Sequential(pool, nn.Conv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, F, T) -> (B, C_out, F / stride, T / stride)."""
        y = F.leaky_relu(self.norm(self.conv1(x)), SLOPE)  # eq 14 to 16
        y = self.norm(self.conv2(y))
        return F.leaky_relu(y if self.shortcut is None else self.shortcut(x) + y, SLOPE)  # eq 2, eq 16


class SpectrogramBranch(nn.Module):
    """Section 4.2 (1): residual CNN, attention over time positions, two fully connected layers."""

    def __init__(self, config: MGCAMConfig) -> None:
        super().__init__()
        bins = config.n_fft // 2 + 1
        self.input_norm = nn.BatchNorm1d(bins)
        layers, channels = [], 1
        for i, width in enumerate(config.widths):
            stride = (4, 4) if i == 0 else (2, 2) if i % 2 else (2, 1)
            layers += [ResidualLayer(config, channels, width, stride, kernel=5 if i == 0 else 3)]
            bins, channels = -(-bins // stride[0]), width  # eq 13
        self.layers = nn.Sequential(*layers)  # eq 3
        self.score = None
        if config.self_attention:
            self.score = nn.Linear(channels * bins, 1, bias=False)  # f of eq 17; a bias cancels in the softmax
        self.connected1 = nn.Linear(channels * bins, 2 * config.width)
        self.dropout = nn.Dropout(config.dropout)  # eq 6
        self.connected2 = nn.Linear(2 * config.width, config.width)  # eq 7

    def weights(self, positions: Tensor) -> Tensor:
        """r (B, P, C) -> e (B, P), each row sums to 1."""
        if self.score is None:
            return torch.full(positions.shape[:2], 1 / positions.shape[1], device=positions.device)
        return self.score(positions)[..., 0].softmax(dim=1)  # eq 17

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Log-power spectrogram (B, F, T) -> h* (B, P, d)."""
        x = self.input_norm(spectrogram)[:, None].contiguous(memory_format=torch.channels_last)
        x = self.layers(x)  # (B, C, F', P)
        positions = x.flatten(1, 2).transpose(1, 2)  # (B, P, C * F')
        weighted = self.weights(positions)[..., None] * positions * positions.shape[1]  # eq 18
        hidden = F.leaky_relu(self.connected1(weighted), SLOPE)  # the first of the two layers under eq 18
        key = self.connected2(self.dropout(hidden))
        return F.layer_norm(key, key.shape[1:])


class CepstrumBranch(nn.Module):
    """Section 4.2 (2): residual CNN with pooling, a fully connected layer, and fixed random enhancement nodes."""

    enhancement: Tensor
    enhancement_bias: Tensor

    def __init__(self, config: MGCAMConfig) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm1d(config.n_mfcc)
        layers: list[nn.Module] = []
        channels, rows = 1, config.n_mfcc
        for width in config.mfcc_widths:
            layers += [ResidualLayer(config, channels, width), nn.MaxPool2d(2, ceil_mode=True)]  # F^C, F^P
            channels, rows = width, -(-rows // 2)
        self.layers = nn.Sequential(*layers)
        self.connected = nn.Linear(channels * rows, 2 * config.width)
        generator = torch.Generator().manual_seed(ENHANCEMENT_SEED)
        weights = torch.randn(2 * config.width, config.width, generator=generator) / (2 * config.width) ** 0.5
        self.register_buffer("enhancement", weights)
        self.register_buffer("enhancement_bias", torch.rand(config.width, generator=generator) - 0.5)
        self.scale = nn.LayerNorm(2 * config.width)
        self.dropout = nn.Dropout(config.dropout)  # eq 6
        self.trained = None if config.enhancement else nn.Linear(2 * config.width, config.width)
        self.xi = config.xi

    def forward(self, cepstrum: Tensor) -> Tensor:
        """MFCC (B, n_mfcc, T) -> h_m (B, P, d)."""
        x = self.input_norm(cepstrum)[:, None].contiguous(memory_format=torch.channels_last)
        x = self.layers(x)  # (B, C, R, P): F^N, since Leaky ReLU and the maximum may change places
        nodes = F.leaky_relu(self.connected(x.flatten(1, 2).transpose(1, 2)), SLOPE)  # Z, eq 19
        nodes = self.dropout(self.scale(nodes))
        if self.trained is not None:
            return self.trained(nodes)
        return self.xi * (nodes @ self.enhancement.to(nodes.dtype) + self.enhancement_bias)  # eq 20


def mutual_attention(queries: Tensor, keys: Tensor) -> Tensor:
    """Eq 21 and 22: each position of one modality (B, P, d) as a mixture of the other's (B, P', d) -> (B, P, d).

    Position p takes sum_j W_pj k_j with W_pj = exp(q_p . k_j / sqrt(d)) / sum_i exp(q_p . k_i / sqrt(d)): the keys are
    the values as well, and nothing is learned here. Swapped, the same products give the other direction, normalised
    over the other axis: positions that agree in both modalities weigh most in either.
    """
    return mutual_weights(queries, keys) @ keys


def mutual_weights(queries: Tensor, keys: Tensor) -> Tensor:
    """Return the softmax of eq 21 and 22, (B, P, P'), scaled as in eq 1; rows sum to 1."""
    return (queries @ keys.transpose(1, 2) / queries.shape[2] ** 0.5).softmax(dim=2)


class MGCAM(Encoder):
    """The encoder of paper 1 behind the common contract."""

    window: Tensor
    mel: Tensor
    cosines: Tensor
    spectrograms = ("spectrogram", "mfcc")
    front_end_fields = ("segment_seconds", "n_fft", "hop_length", "pre_emphasis", "n_mels", "n_mfcc", "modality")

    def __init__(self, config: MGCAMConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MGCAMConfig()
        self.plan = WindowPlan(config.segment_seconds, config.segments)
        self.dim = config.width * (2 if config.modality == "both" else 1)
        self.spectrogram = SpectrogramBranch(config) if config.modality != "mfcc" else None
        self.cepstrum = CepstrumBranch(config) if config.modality != "spectrogram" else None
        self.standardise = nn.BatchNorm1d(self.dim, affine=False)
        self.score_layer = score_layer(config.score, self.dim, config.score_heads, self.plan.count * self.plan.segments)
        bins = config.n_fft // 2 + 1
        window = torch.hamming_window(config.n_fft, periodic=False)  # eq 9
        mel = torchaudio.functional.melscale_fbanks(bins, 0.0, SAMPLE_RATE / 2, config.n_mels, SAMPLE_RATE)
        cosines = torchaudio.functional.create_dct(config.n_mfcc, config.n_mels, "ortho")  # eq 12
        for name, values in (("window", window), ("mel", mel), ("cosines", cosines)):
            self.register_buffer(name, values, persistent=False)
        self.add_heads()

    def front_end(self, windows: Tensor, second: Tensor | None = None) -> dict[str, Tensor]:
        """Windows (W, L) -> {"spectrogram": (W, n_fft / 2 + 1, T), "mfcc": (W, n_mfcc, T)}, or one of the two."""
        config = self.config
        level = normalise_level(windows)
        emphasised = torchaudio.functional.preemphasis(level, config.pre_emphasis)  # section 4.1, step 1
        spectrum = torch.stft(  # steps 2 to 4, eq 10
            emphasised, config.n_fft, config.hop_length, window=self.window, pad_mode="constant", return_complex=True
        )
        power = spectrum.abs().square()[..., : windows.shape[-1] // config.hop_length]  # (W, bins, T)
        features = {}
        if config.modality != "mfcc":
            features["spectrogram"] = power.clamp_min(FLOOR).log()
        if config.modality != "spectrogram":
            energies = torch.einsum("wft,fk->wkt", power, self.mel).clamp_min(FLOOR).log()  # eq 11
            features["mfcc"] = torch.einsum("wkt,km->wmt", energies, self.cosines)  # eq 12
        return features

    def embed(self, features: dict[str, Tensor]) -> Tensor:
        """The two modalities (S, ..., T) -> h (S, D)."""
        branches = []
        if self.spectrogram is not None:
            branches.append(self.spectrogram(features["spectrogram"]))  # h* (S, P, d)
        if self.cepstrum is not None:
            branches.append(self.cepstrum(features["mfcc"]))  # h_m (S, P', d)
        if len(branches) == 2 and self.config.fusion == "mutual":
            spectrogram, cepstrum = branches
            branches = [mutual_attention(spectrogram, cepstrum), mutual_attention(cepstrum, spectrogram)]  # eq 21, 22
        return self.standardise(torch.cat([branch.mean(dim=1) for branch in branches], dim=1))  # eq 23

    def own_loss(self, raw: Tensor, genres: Tensor) -> Tensor | None:
        """Return the weighted ACL triplet loss, eq 25 and 26; None if switched off."""
        if not self.config.triplet:
            return None
        return self.config.triplet * acl_triplet_loss(raw, genres, self.config.margin)

    def logits(self, head: nn.Module, raw: Tensor) -> Tensor:
        """Un-normalised signatures (B, D) -> log of the unnormalised class probabilities (B, C)."""
        if self.config.classifier == "softmax":
            return head(raw)
        return F.softplus(head(raw), beta=self.config.softplus_beta).clamp_min(1e-9).log()  # eq 8, eq 24
