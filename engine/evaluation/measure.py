"""Everything that is measured of an encoder on a set of clips, data set by data set.

Valence (Li, "Attention-based Convolutional Neural Network for Music Genre Classification") is read from the mood head:
sad, neutral and happy are the moods sad, calm and happy, renormalised, on clips of these moods only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.clips import Clip, ClipSamples
from engine.errors import TrainingError
from engine.evaluation.classification import Classification, among_known, classify
from engine.evaluation.figures import Figure
from engine.evaluation.retrieval import PRECISION_AT, artist_hit, hubness, label_precision, nearest_of_others
from engine.models.encoder import Encoder
from engine.models.labels import VALENCE
from engine.training.fit_heads import summarise_clips
from engine.training.tracks import planned_windows

ALL = "all clips"
UNNAMED = "(no data set)"

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answers:
    """What an encoder says of N clips.

    Attributes:
        signatures: Unit rows, (N, D).
        genres: Probabilities, (N, G).
        moods: Probabilities, (N, M).
        seconds: What it took.
    """

    signatures: Floats
    genres: Floats
    moods: Floats
    seconds: float


@dataclass(frozen=True, eq=False)
class Section:
    """What was measured of one data set in one respect.

    Attributes:
        dataset: Its name, or ALL.
        task: "genre", "mood", "valence" or "neighbours".
        figures: The numbers.
        clips: Positions (n,) of the clips in the evaluated ones.
        classification: Of these clips; None for "neighbours".
    """

    dataset: str
    task: str
    figures: tuple[Figure, ...]
    clips: NDArray[np.intp]
    classification: Classification | None = None


def ask(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Answers:
    """Encode every clip as indexing would, and let the heads answer.

    Raises:
        TrainingError: An answer is not finite.
    """
    began = time.perf_counter()
    raw = summarise_clips(encoder, source, on_clip)  # (N, D)
    with torch.inference_mode():
        genres, moods = (
            encoder.logits(head, raw).double().softmax(dim=1) for head in (encoder.genre_head, encoder.mood_head)
        )
        signatures = torch.nn.functional.normalize(raw.double(), dim=1)
    finite = torch.isfinite(torch.cat([signatures, genres, moods], dim=1)).all(dim=1)
    if not finite.all():
        worst = source.clips[int(finite.logical_not().nonzero()[0])].path.name
        raise TrainingError(f"the encoder's answer to {worst} is not finite", hint="evaluate another, or train it anew")
    return Answers(signatures.numpy(), genres.numpy(), moods.numpy(), time.perf_counter() - began)


def measure(answers: Answers, clips: Sequence[Clip], genres: Sequence[str], moods: Sequence[str]) -> list[Section]:
    """Figures for each data set (genre, mood, valence where clips have labels; neighbours), then for all clips.

    Args:
        answers: Of the encoder, for these clips in this order.
        clips: N of them.
        genres, moods: What the heads' columns are called.
    """
    heads = _heads(answers, clips, genres, moods)
    artists = [clip.artist for clip in clips]
    datasets = np.array([clip.dataset or UNNAMED for clip in clips])
    sections = []
    for dataset in sorted(set(datasets.tolist())):
        rows = np.flatnonzero(datasets == dataset)
        name = ALL if dataset == UNNAMED and len(rows) == len(clips) else dataset
        sections += [section for head in heads for section in _labelled(name, head, answers.signatures, artists, rows)]
        if len(rows) < len(clips):
            sections += _neighbours(name, artist_hit(answers.signatures, artists, rows), (), rows)
    everyone = artist_hit(answers.signatures, artists)
    return sections + _neighbours(ALL, everyone, hubness(answers.signatures), np.arange(len(clips)))


def describe_inputs(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Floats:
    """What the network is given, a row a clip (N, F): mean and deviation of its front-end's features over time.

    Time is the windows and the last axis of each modality; a log-mel of 96 bands gives 192 numbers.
    """
    rows = []
    with torch.inference_mode():
        for index in range(len(source)):
            features = encoder.front_end(planned_windows(source, index, encoder.plan))
            parts = [part for name in sorted(features) for part in _over_time(features[name])]
            rows.append(torch.cat(parts).double().numpy())
            on_clip()
    return np.stack(rows)


def _over_time(features: torch.Tensor) -> list[torch.Tensor]:
    """(W, ..., T) -> mean and deviation, each (...) flattened."""
    moved = features.float().movedim(0, -1).flatten(-2)  # (..., T * W)
    return [moved.mean(dim=-1).flatten(), moved.std(dim=-1, correction=0).flatten()]


@dataclass(frozen=True, eq=False)
class _Head:
    """What is asked of all clips: a task, its labels' names, the answers (N, C), the allowed labels (N, C)."""

    task: str
    names: tuple[str, ...]
    probabilities: Floats
    allowed: Flags


def _heads(answers: Answers, clips: Sequence[Clip], genres: Sequence[str], moods: Sequence[str]) -> list[_Head]:
    of_genre = np.array([[name in clip.genres for name in genres] for clip in clips])
    of_mood = np.array([[name == clip.mood for name in moods] for clip in clips])
    heads = [
        _Head("genre", tuple(genres), answers.genres, of_genre),
        _Head("mood", tuple(moods), answers.moods, of_mood),
    ]
    if set(VALENCE.values()) <= set(moods):
        columns = [list(moods).index(mood) for mood in VALENCE.values()]
        three = answers.moods[:, columns]
        three = three / three.sum(axis=1, keepdims=True).clip(np.finfo(np.float64).tiny)
        heads.append(_Head("valence", tuple(VALENCE), three, of_mood[:, columns]))
    return heads


def _labelled(
    dataset: str, head: _Head, signatures: Floats, artists: Sequence[str], rows: NDArray[np.intp]
) -> list[Section]:
    """A head's answers and the signatures' neighbours, on the clips that are labelled."""
    known = rows[head.allowed[rows].any(axis=1)]
    if not len(known):
        return []
    asked = head.probabilities[known], head.allowed[known], head.names
    several = np.count_nonzero(asked[1].any(axis=0)) > 1  # among one label, every answer would be right
    found = classify(*(among_known(*asked) if several else asked))
    figures = found.figures
    if several and head.task != "valence":
        theirs = [artists[i] for i in known]
        near = nearest_of_others(signatures[known], theirs, [dataset] * len(known), max(PRECISION_AT))
        precisions = (label_precision(near, asked[1], count) for count in PRECISION_AT)
        figures += tuple(figure for figure in precisions if figure)
    return [Section(dataset, head.task, figures, known, found)]


def _neighbours(dataset: str, hit: Figure | None, more: tuple[Figure, ...], rows: NDArray[np.intp]) -> list[Section]:
    figures = (*([hit] if hit else []), *more)
    return [Section(dataset, "neighbours", figures, rows)] if figures else []
