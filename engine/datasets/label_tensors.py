"""Labels of clips as tensors: allowed genres and moods, and vectors whose products grade how alike two clips are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import Clip

ARTIST_WEIGHT = 1.0  # of a shared artist in the relation between two clips
GENRE_WEIGHT = 1.0  # of a shared genre, divided by each clip's number of allowed genres
MOOD_WEIGHT = 0.5


@dataclass(frozen=True)
class LabelTensors:
    """Labels of N clips.

    Attributes:
        genres: Allowed genres, boolean, (N, G); an empty row is unlabelled.
        moods: The mood, boolean, (N, M); likewise.
        relation: Vectors (N, L). The product of two rows is the weight of their shared labels, so rows hold the square
            roots of the weights.
    """

    genres: Tensor
    moods: Tensor
    relation: Tensor


def label_tensors(clips: Sequence[Clip], genres: Sequence[str], moods: Sequence[str]) -> LabelTensors:
    """Encode the clips' labels in the order of an encoder's genres (G) and moods (M)."""
    allowed = torch.tensor([[genre in clip.genres for genre in genres] for clip in clips])
    mood = torch.tensor([[clip.mood == name for name in moods] for clip in clips])
    relation = [
        GENRE_WEIGHT**0.5 * genre_shares(allowed),
        MOOD_WEIGHT**0.5 * mood.float(),
        ARTIST_WEIGHT**0.5 * _artist_columns(clips),
    ]
    return LabelTensors(allowed, mood, torch.cat(relation, dim=1))


def genre_shares(genres: Tensor) -> Tensor:
    """Divide each clip's weight among its allowed genres (N, G); rows sum to 1, or to 0 if unlabelled."""
    return genres.float() / genres.sum(dim=1, keepdim=True).clamp_min(1)


def known_labels(allowed: Tensor, clips: Sequence[Clip]) -> Tensor:
    """Return, for each clip, the labels (N, C) that occur anywhere in its data set."""
    known = torch.zeros_like(allowed)
    datasets = np.array([clip.dataset for clip in clips])
    for dataset in set(datasets.tolist()):
        rows = torch.from_numpy(datasets == dataset)
        known[rows] = allowed[rows].any(dim=0)
    return known


def _artist_columns(clips: Sequence[Clip]) -> Tensor:
    """One-hot artists (N, A); a zero row where the artist is unknown."""
    columns = {name: i for i, name in enumerate(sorted({clip.artist for clip in clips if clip.artist}))}
    found = torch.zeros(len(clips), len(columns))
    for row, clip in enumerate(clips):
        if clip.artist:
            found[row, columns[clip.artist]] = 1
    return found
