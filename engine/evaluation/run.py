"""`engine evaluate`: from a data set and an encoder to a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.datasets.clips import Clip
from engine.datasets.loading import read_dataset
from engine.datasets.reading import clip_cache, read_samples
from engine.evaluation.protocols import clips_by_new_artists, clips_of_split, describe_given_split, train_artists
from engine.evaluation.report import Report, ReportHeader, evaluate, write_report
from engine.evaluation.report_folder import check_report_folder
from engine.models.checkpoint import load_encoder
from engine.models.labels import GENRES
from engine.models.weights_files import MALFORMED, EncoderFile, find_encoder, read_metadata
from engine.runtime.threads import default_threads
from engine.util.progress import progress


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """Options of `engine evaluate`.

    Attributes:
        data: A CSV of clips, or a folder.
        encoder: Name, id or weights file; None for the default encoder.
        split: Split to evaluate.
        protocol: "artist" leaves out clips by artists of the train split; "given" takes the split unchanged.
        out: Report folder; by default named by encoder and split.
        tsne: Whether to draw t-SNE maps.
        cache: Folder for decoded clips; by default in the user's cache directory.
        threads: CPU threads; None for the default.
        layout, labels, subset: See `engine.datasets.loading.read_dataset`; `labels` defaults to those of the encoder.
    """

    data: str
    encoder: str | None = None
    split: str = "valid"
    protocol: str = "artist"
    out: str | None = None
    tsne: bool = True
    cache: str | None = None
    threads: int | None = None
    layout: str | None = None
    labels: str | None = None
    subset: str | None = None


def evaluate_encoder(options: EvaluationOptions, *, show: bool) -> Report:
    """Measure an encoder on a split of labelled clips, and write a report.

    Raises:
        TrainingError: The data or the output folder cannot be used, or no clip can be read.
        EncoderError: The encoder does not exist.
    """
    file = find_encoder(options.encoder)
    out = Path(options.out or f"{file.id}.{options.split}.report")
    check_report_folder(out)
    torch.set_num_threads(options.threads or default_threads())
    dataset = read_dataset(Path(options.data), options.layout, options.labels or labels_of(file), options.subset)
    chosen = (clips_by_new_artists if options.protocol == "artist" else clips_of_split)(dataset.clips, options.split)
    source = read_samples(chosen, options.split, clip_cache(options.cache), show)
    with progress("encoding", show, 2 * len(source)) as step:
        evaluation = evaluate(load_encoder(file), source, on_clip=step)
    header = ReportHeader(
        encoder=file.id,
        data=dataset.name,
        split=options.split,
        protocol=_describe_protocol(options, dataset.clips, len(chosen), source.clips),
        training=_training_settings(file),
        skipped=tuple(source.skipped),
    )
    return write_report(out, header, evaluation, tsne=options.tsne)


def labels_of(file: EncoderFile) -> str:
    """Return the choice of labels (see `engine.datasets.loading`) that matches an encoder's genres."""
    if set(file.genres) == set(GENRES):
        return "standard"
    return "extend" if set(GENRES) < set(file.genres) else "own"


def _describe_protocol(
    options: EvaluationOptions, clips: Sequence[Clip], chosen: int, evaluated: Sequence[Clip]
) -> str:
    """Describe the overlap with the train split, assuming that the encoder was trained on it."""
    if options.split == "train":
        return "train split itself: the encoder may have been trained on these clips"
    if options.protocol == "artist":
        left_out = len(clips_of_split(clips, options.split)) - chosen
        return f"artist: no artist of these clips is in train ({left_out} clips left out for that)"
    return describe_given_split(evaluated, train_artists(clips))


def _training_settings(file: EncoderFile) -> dict[str, Any]:
    """Return the training settings recorded in an encoder's weights; empty if there are none, or unusable ones."""
    try:
        found = dict(json.loads(read_metadata(file.path).get("training", "{}")))
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8")  # a report must be able to hold them
        return found
    except MALFORMED:
        return {}
