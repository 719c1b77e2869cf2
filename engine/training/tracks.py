"""Track batches: clips as sequences of segments with random gaps, as attention will meet them in long tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import Clip, ClipSamples, mood_index
from engine.indexer.audio.reading import place_in
from engine.models.encoder import SAMPLE_RATE, WindowPlan
from engine.training.augment.spectral import Augmentation, Samples, draw_length, excerpt_spectrum, random_equaliser

ARTIST_WEIGHT = 1.0  # how much a shared artist makes two clips a positive pair
GENRE_WEIGHT = 1.0  # a shared genre, divided among a clip's allowed genres
MOOD_WEIGHT = 0.5


@dataclass(frozen=True)
class Labels:
    """Labels of all clips as tensors.

    Attributes:
        genres: Allowed genres, boolean, (N, G); an empty row is unlabelled.
        moods: The mood, boolean, (N, M); likewise.
        relation: Vectors (N, L) whose products say how much two clips are alike by label.
    """

    genres: Tensor
    moods: Tensor
    relation: Tensor


def label_tensors(clips: list[Clip], genres: Sequence[str], moods: Sequence[str]) -> Labels:
    """Encode the clips' labels in the order of an encoder's genres (G) and moods (M)."""
    allowed = torch.tensor([[genre in clip.genres for genre in genres] for clip in clips])
    mood = torch.tensor([[mood_index(clip, moods) == i for i in range(len(moods))] for clip in clips])
    artists = {name: i for i, name in enumerate(sorted({clip.artist for clip in clips if clip.artist}))}
    by_artist = torch.zeros(len(clips), len(artists))
    for row, clip in enumerate(clips):
        if clip.artist:
            by_artist[row, artists[clip.artist]] = ARTIST_WEIGHT**0.5
    share = genre_shares(allowed)
    return Labels(
        allowed, mood, torch.cat([GENRE_WEIGHT**0.5 * share, MOOD_WEIGHT**0.5 * mood.float(), by_artist], dim=1)
    )


def genre_shares(genres: Tensor) -> Tensor:
    """Allowed genres (N, G), boolean -> each clip's weight divided among them; an unlabelled clip has none."""
    return genres.float() / genres.sum(dim=1, keepdim=True).clamp_min(1)


def draw_track(
    sources: Sequence[Samples],
    clip: tuple[int, int],
    samples: int,
    windows: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> list[Tensor]:
    """Windows (windows, samples) of one clip at random places in their order, at one speed through one equaliser.

    Args:
        sources: The clips, and whatever else is cut at the same places.
        clip: Its number, and its length in samples.
        samples: In a window.
        windows: How many.
        augmentation: Its speed and equaliser.
        rng: Of all draws.
    """
    index, available = clip
    length = min(draw_length(samples, augmentation, rng), available)
    starts = np.sort(rng.integers(0, available - length + 1, windows))
    equaliser = random_equaliser(samples // 2 + 1, rng.uniform(0, augmentation.equalise_db), rng)
    cuts = []
    for source in sources:
        spectra = [excerpt_spectrum(source.read(index, int(start), length), samples) * equaliser for start in starts]
        cuts.append(torch.fft.irfft(torch.stack(spectra), n=samples))
    return cuts


def planned_windows(source: ClipSamples, index: int, plan: WindowPlan) -> Tensor:
    """The windows (count, L) that indexing would read of this clip."""
    samples = source.read(index, 0, source.length(index))
    starts = place_in(samples, plan.seconds, plan.count, SAMPLE_RATE, plan.placement)
    return torch.from_numpy(np.stack([source.read(index, round(s * SAMPLE_RATE), plan.samples) for s in starts]))
