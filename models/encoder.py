"""The interface of encoders: windows of a track in; one vector and one attention score per segment out.

A track has S segments. The network computes vectors h (S, D) and scores z (S,). The un-normalised signature is
r = sum_s w_s h_s with w = softmax(z), the input of the heads; the signature is r / |r| (Sridhar 2024, section 3.2).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.embedding import Floats, TrackEmbedding
from engine.models.labels import GENRES, MOODS
from engine.models.layers.scoring import ReceivedAttention

Placement: TypeAlias = Literal["sound", "whole"]

SAMPLE_RATE = 22_050  # Hz; every encoder reads it
CHUNK_WINDOWS = 32  # windows encoded at once: bounds memory for long tracks


@dataclass(frozen=True)
class WindowPlan:
    """The windows that an encoder reads: `count` of `seconds` each, spread evenly, each of `segments` segments.

    `placement` "sound" spreads them from the first to the last sound and gives silent segments no weight; "whole"
    spreads them from 0 to the end (encoders of version 0.1).
    """

    seconds: float
    count: int
    segments: int = 1
    placement: Placement = "sound"

    @property
    def samples(self) -> int:
        """Samples in one window at SAMPLE_RATE."""
        return round(self.seconds * SAMPLE_RATE)

    @property
    def segment_seconds(self) -> float:
        """Length of one segment."""
        return self.seconds / self.segments


class Encoder(nn.Module):
    """Base of all encoders: a subclass defines `plan`, `dim`, `front_end`, `embed`, `score`, and calls `add_heads`.

    The last layer of `embed` is `standardise`, a batch norm without scale. An optional linear map `metric` follows it,
    trained to bring parts of one track near each other (`engine.training.pooling`).

    Attributes:
        genres, moods: Labels of the heads, in the order of their outputs.
        words: Labels of `word_head`, which are independent of each other; empty, without a head, before `add_words`.
        reduced: Whether `vectors_of` computes in bf16, on devices that support it.
    """

    plan: WindowPlan
    dim: int
    config: Any
    genres: tuple[str, ...] = GENRES
    moods: tuple[str, ...] = MOODS
    words: tuple[str, ...] = ()
    centroids: Tensor
    reduced: bool = False
    metric: nn.Linear | None
    spectrograms: tuple[str, ...] = ("mel",)  # modalities (S, F, T) that augmentation may mask
    front_end_fields: tuple[str, ...] = ()  # settings that change the features, for cache keys

    def __init__(self) -> None:
        super().__init__()
        self.metric = None

    def add_heads(self, genres: tuple[str, ...] = GENRES, moods: tuple[str, ...] = MOODS) -> None:
        """Add linear heads on the un-normalised signature, and a buffer for reference centroids (G, D), unit rows.

        A second call replaces the heads.
        """
        self.genres, self.moods = genres, moods
        self.genre_head = nn.Linear(self.dim, len(genres))
        self.mood_head = nn.Linear(self.dim, len(moods))
        self.register_buffer("centroids", torch.zeros(len(genres), self.dim))

    def add_metric(self) -> nn.Linear:
        """Add a linear map (D -> D), initially the identity, between `embed` and pooling."""
        self.metric = nn.Linear(self.dim, self.dim)
        nn.init.eye_(self.metric.weight)
        nn.init.zeros_(self.metric.bias)
        return self.metric

    def add_words(self, words: tuple[str, ...]) -> None:
        """Add a linear multi-label head for words; no words remove it. A second call replaces it.

        Its input is the un-normalised signature, or one segment's vector for that segment alone.
        """
        self.words = words
        if words:
            self.word_head = nn.Linear(self.dim, len(words), device=self.device)
        elif hasattr(self, "word_head"):
            del self.word_head

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.genre_head.weight.device

    def front_end_key(self) -> str:
        """Return a key for caches of features, equal for encoders with the same front-end."""
        settings = {name: getattr(self.config, name) for name in self.front_end_fields}
        return hashlib.sha256(json.dumps([type(self).__name__, settings]).encode()).hexdigest()[:16]

    @torch.no_grad()
    def centre(self, mean: Tensor) -> None:
        """Subtract `mean` (D) from all vectors, and so from un-normalised signatures, keeping attention weights.

        sum_s w_s (h_s - m) = r - m, since the weights sum to 1.
        """
        if isinstance(self.attention_layer, ReceivedAttention):
            self.attention_layer.recentre(mean)
        if self.metric is not None:
            self.metric.bias.sub_(mean)
            return
        norm: nn.BatchNorm1d = self.standardise  # type: ignore[assignment]
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean += mean * (norm.running_var + norm.eps).sqrt()

    def second_source(self, windows: Tensor) -> Tensor | None:
        """Expensive intermediate of windows (W, L) worth caching in training, or None."""
        return None

    def front_end(self, windows: Tensor, second: Tensor | None = None) -> dict[str, Tensor]:
        """Windows (W, L) at SAMPLE_RATE -> features by modality, (W or S, ...), each window independent of the others.

        Args:
            windows: Of plan.samples; in training, of any whole number of segments.
            second: `second_source(windows)` if already computed.
        """
        raise NotImplementedError

    def embed(self, features: dict[str, Tensor]) -> Tensor:
        """Features of W windows -> h (S, D), S = W * plan.segments."""
        raise NotImplementedError

    def score(self, vectors: Tensor, audible: Tensor | None = None) -> Tensor:
        """h (B, S, D), mask of audible segments (B, S; default all) -> scores (B, S) before the softmax."""
        return self.attention_layer(vectors, audible)

    @property
    def attention_layer(self) -> nn.Module:
        """The layer that scores segments (`engine.models.layers.scoring`)."""
        return self.score_layer  # type: ignore[return-value]

    def forward(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Features of one track -> h (S, D), score (S,)."""
        vectors = self.mapped(self.embed(features))
        return vectors, self.score(vectors[None])[0]

    def mapped(self, vectors: Tensor) -> Tensor:
        """Apply `metric`, if any, to the output of `embed`: (..., D) -> h (..., D)."""
        return vectors if self.metric is None else self.metric(vectors)

    def pool(self, vectors: Tensor, scores: Tensor) -> Tensor:
        """Un-normalised signatures: h (B, S, D), score (B, S) -> (B, D)."""
        return torch.einsum("bs,bsd->bd", scores.softmax(dim=1), vectors)

    def logits(self, head: nn.Module, raw: Tensor) -> Tensor:
        """Un-normalised signatures (B, D) -> logits (B, C); their softmax is the head's distribution."""
        return head(raw)

    def word_probabilities(self, raw: Tensor) -> Tensor:
        """Un-normalised signatures, or vectors of segments (B, D) -> the probability of each word (B, V)."""
        return self.word_head(raw).sigmoid() if self.words else raw.new_zeros(len(raw), 0)

    def own_loss(self, raw: Tensor, genres: Tensor) -> Tensor | None:
        """Return the paper's additional loss, or None: un-normalised signatures (B, D), allowed genres (B, G)."""
        return None

    @torch.inference_mode()
    def vectors_of(self, windows: Tensor, at_once: int = CHUNK_WINDOWS) -> Tensor:
        """Encode windows (W, L), of one track or several, into h (S, D) on the CPU, `at_once` windows at a time."""
        vectors = []
        for part in windows.split(at_once):
            features = self.front_end(part.to(self.device))
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.reduced):
                embedded = self.embed(features)
            vectors.append(self.mapped(embedded.float()).cpu())
        return torch.cat(vectors)

    @torch.inference_mode()
    def summarise(self, vectors: Tensor, audible: Tensor | None = None, starts: Floats | None = None) -> TrackEmbedding:
        """Pool the segments of one track into its embedding, on the device of the weights.

        Args:
            vectors: h, (S, D).
            audible: Segments with non-zero weight, (S,), at least one; by default all.
            starts: Start of each segment in seconds, (S,), copied into the embedding; zeros by default.
        """
        on_device = vectors.to(self.device)[None]
        mask = None if audible is None or bool(audible.all()) else audible.to(self.device)[None]
        scores = self.score(on_device, mask)  # (1, S)
        raw = self.pool(on_device, scores)  # (1, D)
        return TrackEmbedding(
            signature=_floats(F.normalize(raw, dim=1)[0]),
            genres=_floats(self.logits(self.genre_head, raw).softmax(dim=1)[0]),
            moods=_floats(self.logits(self.mood_head, raw).softmax(dim=1)[0]),
            starts=np.zeros(len(vectors), np.float32) if starts is None else starts,
            attention=_floats(scores.softmax(dim=1)[0]),
            segment_vectors=_floats(vectors),
            words=_floats(self.word_probabilities(raw)[0]),
        )


def _floats(values: Tensor) -> Floats:
    return values.detach().cpu().float().numpy()
