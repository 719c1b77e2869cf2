"""One evaluation from a CSV and an encoder to a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.datasets.clips import Clip
from engine.datasets.loading import read_dataset
from engine.datasets.reading import clip_cache, progress, read_samples
from engine.evaluation.folder import check_place
from engine.evaluation.protocols import as_given, heard_artists, of_split, unheard
from engine.evaluation.report import About, Report, evaluate, write_report
from engine.models.checkpoint import load_encoder
from engine.models.labels import GENRES
from engine.models.weights_files import MALFORMED, EncoderFile, find_encoder, read_metadata
from engine.runtime.threads import default_threads


@dataclass(frozen=True)
class EvaluationOptions:
    """What `engine evaluate` was asked for; see its help."""

    encoder: str | None
    data: str
    split: str
    protocol: str
    out: str | None
    tsne: bool
    cache: str | None
    threads: int | None
    layout: str | None = None
    labels: str | None = None
    subset: str | None = None


def evaluate_encoder(options: EvaluationOptions, *, show: bool) -> Report:
    """Measure an encoder on a split of labelled clips, and write a report.

    Raises:
        TrainingError: The labels or the output cannot be used, or no clip can be read.
        EncoderError: There is no such encoder.
    """
    file = find_encoder(options.encoder)
    out = Path(options.out or f"{file.id}.{options.split}.report")
    check_place(out)
    torch.set_num_threads(options.threads or default_threads())
    dataset = read_dataset(Path(options.data), options.layout, options.labels or fitting_labels(file), options.subset)
    clips = dataset.clips
    chosen = unheard(clips, options.split) if options.protocol == "artist" else of_split(clips, options.split)
    source = read_samples(chosen, options.split, clip_cache(options.cache), show)
    with progress("encoding", show, 2 * len(source)) as step:
        evaluation = evaluate(load_encoder(file), source, on_clip=step)
    left_out = len(of_split(clips, options.split)) - len(chosen)
    protocol = _in_words(options, source.clips, heard_artists(clips), left_out)
    about = About(file.id, dataset.name, options.split, protocol, _training(file), skipped=tuple(source.skipped))
    return write_report(out, about, evaluation, tsne=options.tsne)


def fitting_labels(file: EncoderFile) -> str:
    """Whether data should be read with the fifteen genres, with more, or with their own, for this encoder to answer."""
    if set(file.genres) == set(GENRES):
        return "standard"
    return "extend" if set(GENRES) < set(file.genres) else "own"


def _in_words(options: EvaluationOptions, clips: Sequence[Clip], heard: set[str], left_out: int) -> str:
    """What the encoder may have heard of these clips, if it was trained on the table's train side."""
    if options.split == "train":
        return "the train side itself: the encoder may have heard these clips"
    if options.protocol == "artist":
        return f"artist: no artist of these clips is in train ({left_out} clips left out for that)"
    return as_given(clips, heard)


def _training(file: EncoderFile) -> dict[str, Any]:
    """How an encoder was trained, as its weights say."""
    try:
        return dict(json.loads(read_metadata(file.path).get("training", "{}")))
    except MALFORMED:
        return {}
