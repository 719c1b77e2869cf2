"""Track batches: clips as sequences of segments with random gaps, as attention will meet them in long tracks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import WindowPlan
from engine.models.labels import GENRES, MOODS
from engine.training.clips import Clip, ClipSamples, mood_index
from engine.training.patches import Augmentation, excerpt_spectrum, random_equaliser

ARTIST_WEIGHT = 1.0  # how much a shared artist makes two clips a positive pair
GENRE_WEIGHT = 1.0  # a shared genre, divided among a clip's allowed genres
MOOD_WEIGHT = 0.5


@dataclass(frozen=True)
class Labels:
    """Labels of all clips as tensors.

    Attributes:
        genres: Allowed genres, boolean, (N, 15); an empty row is unlabelled.
        moods: The mood, boolean, (N, 4); likewise.
        relation: Vectors (N, L) whose products say how much two clips are alike by label.
    """

    genres: Tensor
    moods: Tensor
    relation: Tensor


def label_tensors(clips: list[Clip]) -> Labels:
    """Encode the clips' labels."""
    genres = torch.tensor([[genre in clip.genres for genre in GENRES] for clip in clips])
    moods = torch.tensor([[mood_index(clip) == i for i in range(len(MOODS))] for clip in clips])
    artists = {name: i for i, name in enumerate(sorted({clip.artist for clip in clips if clip.artist}))}
    by_artist = torch.zeros(len(clips), len(artists))
    for row, clip in enumerate(clips):
        if clip.artist:
            by_artist[row, artists[clip.artist]] = ARTIST_WEIGHT**0.5
    share = genres.float() / genres.sum(dim=1, keepdim=True).clamp_min(1)
    return Labels(
        genres, moods, torch.cat([GENRE_WEIGHT**0.5 * share, MOOD_WEIGHT**0.5 * moods.float(), by_artist], dim=1)
    )


def draw_track(
    source: ClipSamples,
    index: int,
    plan: WindowPlan,
    windows: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Tensor:
    """Windows (windows, L) of one clip at random places in their order, all at one speed through one equaliser."""
    samples = plan.samples
    ratio = np.exp(rng.uniform(-1, 1) * np.log(augmentation.speed))
    length = min(max(1, round(samples * ratio / 2205)) * 2205, source.length(index))
    starts = np.sort(rng.integers(0, source.length(index) - length + 1, windows))
    equaliser = random_equaliser(samples // 2 + 1, rng.uniform(0, augmentation.equalise_db), rng)
    spectra = [excerpt_spectrum(source.read(index, int(start), length), samples) * equaliser for start in starts]
    return torch.fft.irfft(torch.stack(spectra), n=samples)


def planned_windows(source: ClipSamples, index: int, plan: WindowPlan) -> Tensor:
    """The windows (count, L) that indexing would read of this clip."""
    last = max(0, source.length(index) - plan.samples)
    starts = [round(i * last / max(1, plan.count - 1)) for i in range(plan.count)] if last else [0]
    return torch.from_numpy(np.stack([source.read(index, start, plan.samples) for start in starts]))
