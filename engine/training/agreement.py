"""Batches for the agreement loss: two sets of windows from two disjoint parts of each track.

Labelled clips and unlabelled tracks are treated alike. Each set has its own speed and equaliser, and some windows have
noise, so that the two parts do not agree merely because they share a recording.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import ClipSamples, SampleCollection, SampleReader
from engine.datasets.music import MusicSamples
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.losses import NO_FOLDER
from engine.training.augment.effects import add_noise
from engine.training.augment.spectral import max_length
from engine.training.schedule import Schedule
from engine.training.track_batches import draw_windows

CUT = (0.35, 0.65)  # range of the cut, as a share of the track's length
NOISE_SHARE = 0.05  # of windows
NOISE_SNR_DB = (10.0, 35.0)


@dataclass(frozen=True)
class TrackCollection:
    """Tracks, their second source if the encoder uses one, and their folder numbers (NO_FOLDER for labelled clips)."""

    samples: SampleCollection
    second: SampleReader | None
    folders: np.ndarray


@dataclass(frozen=True)
class AgreementBatch:
    """Two sets of W windows of each of B tracks.

    Attributes:
        features: Of 2 * B * W windows: the first sets, track after track, then the second sets.
        labels: Label vectors, (B, L); zero if unlabelled.
        tracks: Track numbers, counted through all collections, (B,).
        folders: Folder numbers, (B,), or NO_FOLDER.
    """

    features: dict[str, Tensor]
    labels: Tensor
    tracks: Tensor
    folders: Tensor


class TrackPart:
    """A reader of one part of every track; samples outside the part are silent.

    Args:
        source: The tracks.
        first: First sample of the part.
        end: Sample after its last one.
    """

    def __init__(self, source: SampleReader, first: int, end: int) -> None:
        self._source, self._first, self._end = source, first, end

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """Return samples (length,) from `start` of the part, zero-padded at the end."""
        start += self._first
        inside = max(0, min(length, self._end - start))
        return np.pad(self._source.read(index, start, inside), (0, length - inside))


class AgreementBatches:
    """Draws agreement batches for one encoder.

    Args:
        clips: Labelled clips.
        labels: Their label vectors, (N, L), non-negative.
        music: Unlabelled tracks, if any.
        encoder: Its front-end computes the features; a window is one of its segments.
        schedule: Composition and augmentation of a batch.
    """

    def __init__(
        self,
        clips: TrackCollection,
        labels: Tensor,
        music: TrackCollection | None,
        encoder: Encoder,
        schedule: Schedule,
    ) -> None:
        self.collections = [clips] if music is None else [clips, music]
        self.counts = (schedule.agreement_clips, schedule.agreement_tracks)
        unlabelled = labels.new_zeros(1, labels.shape[1])
        self.labels = [labels, unlabelled.expand(0 if music is None else len(music.samples), -1)]
        self.encoder, self.schedule = encoder, schedule
        self.samples = round(encoder.plan.segment_seconds * SAMPLE_RATE)

    @torch.no_grad()
    def draw(self, rng: np.random.Generator) -> AgreementBatch:
        """Draw clips and tracks without repetition, fewer where there are fewer."""
        views: tuple[list[list[Tensor]], list[list[Tensor]]] = ([], [])
        labels, tracks, folders, offset = [], [], [], 0
        for collection, collection_labels, count in zip(self.collections, self.labels, self.counts, strict=False):
            total = len(collection.samples)
            chosen = rng.choice(total, min(count, total), replace=False)
            for index in chosen:
                for view, windows in zip(views, self._draw_views(collection, int(index), rng), strict=True):
                    view.append(windows)
            labels.append(collection_labels[torch.from_numpy(chosen)])
            tracks.append(torch.from_numpy(chosen + offset))
            folders.append(torch.from_numpy(collection.folders[chosen]))
            offset += total
        sources = [torch.cat(windows) for windows in zip(*views[0], *views[1], strict=True)]
        features = self.encoder.front_end(*sources)
        return AgreementBatch(features, torch.cat(labels), torch.cat(tracks), torch.cat(folders))

    def _draw_views(self, collection: TrackCollection, index: int, rng: np.random.Generator) -> list[list[Tensor]]:
        """Draw two sets of windows (W, samples) of one track, of each source, in a random order."""
        length = collection.samples.length(index)
        views = [
            self._draw_view(collection, index, part, rng)
            for part in cut_in_two(length, max_length(self.samples, self.schedule.agreement_augmentation), rng)
        ]
        return views if rng.random() < 0.5 else views[::-1]

    def _draw_view(
        self, collection: TrackCollection, index: int, part: tuple[int, int], rng: np.random.Generator
    ) -> list[Tensor]:
        augmentation = self.schedule.agreement_augmentation
        sources = [collection.samples] if collection.second is None else [collection.samples, collection.second]
        cuts = draw_windows(
            [TrackPart(source, *part) for source in sources],
            index,
            available=max(part[1] - part[0], max_length(self.samples, augmentation)),  # short parts: pad, not stretch
            samples=self.samples,
            count=self.schedule.agreement_windows,
            augmentation=augmentation,
            rng=rng,
        )
        return [torch.stack([_sometimes_noisy(window, rng) for window in windows]) for windows in cuts]


def cut_in_two(length: int, window: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Cut a track into two parts [first, end), each with room for a window if the track has room for two."""
    cut = round(length * rng.uniform(*CUT))
    cut = min(max(cut, window), length - window) if length >= 2 * window else length // 2
    return [(0, cut), (cut, length)]


def clip_collection(clips: ClipSamples, second: SampleReader | None) -> TrackCollection:
    """Return labelled clips as a collection without folders."""
    return TrackCollection(clips, second, np.full(len(clips), NO_FOLDER))


def music_collection(music: MusicSamples, second: SampleReader | None) -> TrackCollection:
    """Return unlabelled tracks as a collection with their folders."""
    return TrackCollection(music, second, np.array([track.folder for track in music.tracks]))


def _sometimes_noisy(window: Tensor, rng: np.random.Generator) -> Tensor:
    """Add noise to a window (L,) with probability NOISE_SHARE."""
    return add_noise(window, rng.uniform(*NOISE_SNR_DB), rng) if rng.random() < NOISE_SHARE else window
