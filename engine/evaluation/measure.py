"""All metrics of an encoder on a set of clips, by data set and task.

Valence (Li, "Attention-based Convolutional Neural Network for Music Genre Classification") is derived from the mood
head: sad, neutral and happy are the moods sad, calm and happy, renormalised, on clips of these moods only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.clip_embeddings import clip_windows, encode_clips
from engine.datasets.clips import Clip, ClipSamples
from engine.errors import TrainingError
from engine.evaluation.classification import ClassificationResult, evaluate_classification, restrict_to_known
from engine.evaluation.figures import Figure
from engine.evaluation.retrieval import PRECISION_AT, artist_hit, hubness, label_precision, nearest_of_others
from engine.models.encoder import Encoder
from engine.models.labels import VALENCE

ALL_CLIPS = "all clips"
UNNAMED = "(no data set)"

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Outputs of an encoder for N clips.

    Attributes:
        signatures: Unit rows, (N, D).
        genres: Probabilities, (N, G).
        moods: Probabilities, (N, M).
        seconds: Wall-clock time of the encoding.
    """

    signatures: Floats
    genres: Floats
    moods: Floats
    seconds: float


@dataclass(frozen=True, eq=False)
class Section:
    """Metrics of one task on one data set.

    Attributes:
        dataset: Its name, or ALL_CLIPS.
        task: "genre", "mood", "valence" or "neighbours".
        figures: The metrics.
        clips: Positions (n,) of the measured clips among all evaluated clips.
        classification: Predictions and labels of these clips; None for "neighbours".
    """

    dataset: str
    task: str
    figures: tuple[Figure, ...]
    clips: NDArray[np.intp]
    classification: ClassificationResult | None = None


def predict(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Predictions:
    """Encode every clip as indexing would, and apply the genre and mood heads.

    Raises:
        TrainingError: An output is not finite.
    """
    began = time.perf_counter()
    raw = encode_clips(encoder, source, on_clip)  # (N, D)
    with torch.inference_mode():
        genres, moods = (
            encoder.logits(head, raw).double().softmax(dim=1) for head in (encoder.genre_head, encoder.mood_head)
        )
        signatures = torch.nn.functional.normalize(raw.double(), dim=1)
    finite = torch.isfinite(torch.cat([signatures, genres, moods], dim=1)).all(dim=1)
    if not finite.all():
        first = source.clips[int(finite.logical_not().nonzero()[0])].path.name
        raise TrainingError(f"the encoder's output for {first} is not finite", hint="choose another, or train it again")
    return Predictions(signatures.numpy(), genres.numpy(), moods.numpy(), time.perf_counter() - began)


def measure(
    predictions: Predictions, clips: Sequence[Clip], genres: Sequence[str], moods: Sequence[str]
) -> list[Section]:
    """Measure each data set (genre, mood and valence where labelled; neighbours), then all clips together.

    Args:
        predictions: For these clips, in this order.
        clips: N clips.
        genres, moods: Names of the heads' outputs.
    """
    heads = _heads(predictions, clips, genres, moods)
    artists = [clip.artist for clip in clips]
    datasets = np.array([clip.dataset or UNNAMED for clip in clips])
    sections = []
    for dataset in sorted(set(datasets.tolist())):
        rows = np.flatnonzero(datasets == dataset)
        name = ALL_CLIPS if dataset == UNNAMED and len(rows) == len(clips) else dataset
        for head in heads:
            sections += _measure_head(name, head, predictions.signatures, artists, rows)
        if len(rows) < len(clips):
            sections += _neighbours(name, artist_hit(predictions.signatures, artists, rows), (), rows)
    hit = artist_hit(predictions.signatures, artists)
    return sections + _neighbours(ALL_CLIPS, hit, hubness(predictions.signatures), np.arange(len(clips)))


def describe_inputs(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Floats:
    """Return the mean and deviation over time of the front-end's features, one row per clip, (N, F).

    Time is the window axis and the last axis of each modality; a log-mel of 96 bands gives 192 values.
    """
    rows = []
    with torch.inference_mode():
        for index in range(len(source)):
            features = encoder.front_end(clip_windows(source, index, encoder.plan))
            parts = [part for name in sorted(features) for part in _mean_and_deviation(features[name])]
            rows.append(torch.cat(parts).double().numpy())
            on_clip()
    return np.stack(rows)


def _mean_and_deviation(features: torch.Tensor) -> list[torch.Tensor]:
    """(W, ..., T) -> mean and deviation over W and T, each (...) flattened."""
    moved = features.float().movedim(0, -1).flatten(-2)  # (..., T * W)
    return [moved.mean(dim=-1).flatten(), moved.std(dim=-1, correction=0).flatten()]


@dataclass(frozen=True, eq=False)
class _Head:
    """A task, the names of its labels (C), and the probabilities and allowed labels of all clips, (N, C)."""

    task: str
    names: tuple[str, ...]
    probabilities: Floats
    allowed: Flags


def _heads(predictions: Predictions, clips: Sequence[Clip], genres: Sequence[str], moods: Sequence[str]) -> list[_Head]:
    allowed_genres = np.array([[name in clip.genres for name in genres] for clip in clips])
    allowed_moods = np.array([[name == clip.mood for name in moods] for clip in clips])
    heads = [
        _Head("genre", tuple(genres), predictions.genres, allowed_genres),
        _Head("mood", tuple(moods), predictions.moods, allowed_moods),
    ]
    if set(VALENCE.values()) <= set(moods):
        columns = [list(moods).index(mood) for mood in VALENCE.values()]
        three = predictions.moods[:, columns]
        three = three / three.sum(axis=1, keepdims=True).clip(np.finfo(np.float64).tiny)
        heads.append(_Head("valence", tuple(VALENCE), three, allowed_moods[:, columns]))
    return heads


def _measure_head(
    dataset: str, head: _Head, signatures: Floats, artists: Sequence[str], rows: NDArray[np.intp]
) -> list[Section]:
    """Measure a head's predictions and the label precision of neighbours, on the labelled clips of a data set."""
    labelled = rows[head.allowed[rows].any(axis=1)]
    if not len(labelled):
        return []
    probabilities, allowed, names = head.probabilities[labelled], head.allowed[labelled], head.names
    several = np.count_nonzero(allowed.any(axis=0)) > 1  # with one known label, every prediction would be right
    if several:
        probabilities, known, names = restrict_to_known(probabilities, allowed, names)
        result = evaluate_classification(probabilities, known, names)
    else:
        result = evaluate_classification(probabilities, allowed, names)
    figures = result.figures
    if several and head.task != "valence":
        nearest = nearest_of_others(
            signatures[labelled], [artists[i] for i in labelled], [dataset] * len(labelled), max(PRECISION_AT)
        )
        precisions = (label_precision(nearest, allowed, count) for count in PRECISION_AT)
        figures += tuple(figure for figure in precisions if figure)
    return [Section(dataset, head.task, figures, labelled, result)]


def _neighbours(dataset: str, hit: Figure | None, more: tuple[Figure, ...], rows: NDArray[np.intp]) -> list[Section]:
    figures = (*([hit] if hit else []), *more)
    return [Section(dataset, "neighbours", figures, rows)] if figures else []
