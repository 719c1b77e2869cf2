"""Agreement: two sets of windows of one track, from two parts that share nothing, should have near signatures.

Labelled clips and unlabelled tracks take part alike. Each set is heard at a speed and through an equaliser of its own,
some windows with noise, so that what a track's parts have in common is not how it was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import ClipSamples
from engine.datasets.music import MusicSamples
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.losses import NO_FOLDER
from engine.training.augment.effects import add_noise
from engine.training.augment.spectral import Drawable, Samples, longest
from engine.training.schedule import Schedule
from engine.training.second_source import DerivedClips
from engine.training.tracks import draw_track

CUT = (0.35, 0.65)  # where a track is cut in two, as a share of its length
NOISE = 0.05  # share of windows with noise
NOISE_SNR_DB = (10.0, 35.0)


@dataclass(frozen=True)
class Collection:
    """Tracks, their second source where the encoder hears one, and each one's folder (NO_FOLDER for labelled clips)."""

    samples: Drawable
    second: Samples | None
    folders: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Two sets of windows of each of B tracks.

    Attributes:
        features: Of 2 * B * W windows: the first sets, track after track, then the second sets.
        labels: Label vectors, (B, L); zeros where unlabelled.
        tracks: Numbers, (B,), through all collections.
        folders: Numbers, (B,), or NO_FOLDER.
    """

    features: dict[str, Tensor]
    labels: Tensor
    tracks: Tensor
    folders: Tensor


class Part:
    """One part of every track that is read through it, as if there were nothing else.

    Args:
        source: Of the tracks.
        first: Sample that the part begins at.
        end: Sample behind its last one; beyond it all is silent.
    """

    def __init__(self, source: Samples, first: int, end: int) -> None:
        self._source, self._first, self._end = source, first, end

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """`length` samples from `start` of the part, padded with zeros."""
        start += self._first
        inside = max(0, min(length, self._end - start))
        return np.pad(self._source.read(index, start, inside), (0, length - inside))


class Agreement:
    """Draws pairs of sets of windows, for one encoder.

    Args:
        clips: Labelled ones.
        labels: Their label vectors, (N, L), none below 0.
        music: Tracks without labels, if any.
        encoder: Its front-end makes what is heard; a window is one of its segments.
        schedule: How many tracks and windows, and how they are varied.
    """

    def __init__(
        self, clips: Collection, labels: Tensor, music: Collection | None, encoder: Encoder, schedule: Schedule
    ) -> None:
        self.collections = [clips] if music is None else [clips, music]
        self.counts = (schedule.agreement_clips, schedule.agreement_tracks)
        self.labels, self.encoder, self.schedule = labels, encoder, schedule
        self.samples = round(encoder.plan.segment_seconds * SAMPLE_RATE)

    @torch.no_grad()
    def draw(self, rng: np.random.Generator) -> Pairs:
        """A batch of so many clips and so many tracks, fewer where there are fewer; none comes twice."""
        views: tuple[list[list[Tensor]], list[list[Tensor]]] = ([], [])
        labels, tracks, folders, before = [], [], [], 0
        for collection, count in zip(self.collections, self.counts, strict=False):
            total = len(collection.samples)
            chosen = rng.choice(total, min(count, total), replace=False)
            for index in chosen:
                for view, windows in zip(views, self._views(collection, int(index), rng), strict=True):
                    view.append(windows)
            known = torch.zeros(len(chosen), self.labels.shape[1])
            labels.append(known if before else self.labels[torch.from_numpy(chosen)])
            tracks.append(torch.from_numpy(chosen + before))
            folders.append(torch.from_numpy(collection.folders[chosen]))
            before += total
        sources = [torch.cat(windows) for windows in zip(*views[0], *views[1], strict=True)]
        features = self.encoder.front_end(*sources)
        return Pairs(features, torch.cat(labels), torch.cat(tracks), torch.cat(folders))

    def _views(self, collection: Collection, index: int, rng: np.random.Generator) -> list[list[Tensor]]:
        """Two sets of windows (W, samples) of one track, of each source, in a random order."""
        length = collection.samples.length(index)
        views = [
            self._view(collection, index, span, rng)
            for span in cut_in_two(length, longest(self.samples, self.schedule.agreement_augmentation), rng)
        ]
        return views if rng.random() < 0.5 else views[::-1]

    def _view(
        self, collection: Collection, index: int, span: tuple[int, int], rng: np.random.Generator
    ) -> list[Tensor]:
        augmentation = self.schedule.agreement_augmentation
        sources = [collection.samples] if collection.second is None else [collection.samples, collection.second]
        available = max(span[1] - span[0], longest(self.samples, augmentation))  # not squeezed, but followed by silence
        parts = [Part(source, *span) for source in sources]
        cuts = draw_track(parts, (index, available), self.samples, self.schedule.agreement_windows, augmentation, rng)
        return [torch.stack([_noisy(window, rng) for window in windows]) for windows in cuts]


def cut_in_two(length: int, window: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Two parts [first, end) of a track that share no sample; each holds a window where the track has room for two."""
    cut = round(length * rng.uniform(*CUT))
    cut = min(max(cut, window), length - window) if length >= 2 * window else length // 2
    return [(0, cut), (cut, length)]


def labelled_collection(clips: ClipSamples, second: DerivedClips | None) -> Collection:
    """Labelled clips, of no folder."""
    return Collection(clips, second, np.full(len(clips), NO_FOLDER))


def music_collection(music: MusicSamples, second: DerivedClips | None) -> Collection:
    """Tracks without labels, each of its folder."""
    return Collection(music, second, np.array([track.folder for track in music.tracks]))


def _noisy(window: Tensor, rng: np.random.Generator) -> Tensor:
    """With a small chance some noise added: (L,) -> (L,)."""
    return add_noise(window, rng.uniform(*NOISE_SNR_DB), rng) if rng.random() < NOISE else window
