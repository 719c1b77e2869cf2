"""A report: one folder that says what was evaluated, how, on what, and how well, in words, numbers and pictures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine import __version__
from engine.datasets.clips import Clip, ClipSamples
from engine.db.text import displayable
from engine.errors import TrainingError
from engine.evaluation.folder import FIGURES, FORMAT, TEXT, whole_folder
from engine.evaluation.gallery import Drawn, Gallery, Views
from engine.evaluation.measure import UNNAMED, Answers, Section, ask, describe_inputs, measure
from engine.evaluation.plots import TrainingStep
from engine.evaluation.protocols import as_given, heard_artists
from engine.evaluation.text import Document, markdown, table
from engine.models.checkpoint import load_encoder
from engine.models.encoder import Encoder
from engine.models.weights_files import find_encoder

LIBRARIES = ("torch", "torchaudio", "numpy", "scipy", "scikit-learn", "av")


@dataclass(frozen=True)
class About:
    """What was evaluated.

    Attributes:
        encoder: Its id.
        data: Name of the table of clips.
        split: Which of its clips.
        protocol: In words: what the encoder may have heard of them.
        training: How it was trained, as its weights say.
        training_seconds: What that took; None where nobody noted it.
        skipped: Files that could not be read, and why.
    """

    encoder: str
    data: str
    split: str
    protocol: str
    training: dict[str, Any]
    training_seconds: float | None = None
    skipped: Sequence[tuple[Path, str]] = ()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Clips, what the encoder says of them, what it was given (N, F), and what that is worth."""

    clips: Sequence[Clip]
    answers: Answers
    inputs: NDArray[np.float64]
    sections: Sequence[Section]


@dataclass(frozen=True)
class Report:
    """A written report: its folder, its main figures as a table for a terminal, and all of it as `figures.json`."""

    folder: Path
    table: str
    document: Document


def evaluate(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Evaluation:
    """Measure an encoder on clips whose genres are among its own; `on_clip` is called twice a clip.

    Raises:
        TrainingError: An answer of the encoder is not finite.
    """
    answers = ask(encoder, source, on_clip)
    sections = measure(answers, source.clips, encoder.genres, encoder.moods)
    return Evaluation(source.clips, answers, describe_inputs(encoder, source, on_clip), sections)


def write_report(
    folder: Path, about: About, evaluation: Evaluation, history: Sequence[TrainingStep] = (), *, tsne: bool = True
) -> Report:
    """Write `report.md`, `figures.json` and pictures to a folder, which takes the place of an earlier report.

    Args:
        folder: New, empty, or an earlier report; the one around it exists.
        about: Goes into the header.
        evaluation: What was measured.
        history: Steps of the training, drawn as curves.
        tsne: Whether to draw t-SNE maps.

    Raises:
        TrainingError: It cannot be written; nothing is left of it then.
    """
    datasets = [clip.dataset or UNNAMED for clip in evaluation.clips]
    with whole_folder(folder) as partial:
        gallery = Gallery(partial, Views(evaluation.inputs, evaluation.answers.signatures, datasets), tsne=tsne)
        gallery.draw_history(history)
        for section in evaluation.sections:
            gallery.draw_section(section)
        gallery.draw_everything()
        document = _document(about, evaluation, gallery.drawn)
        (partial / TEXT).write_text(markdown(document), encoding="utf-8")
        (partial / FIGURES).write_text(json.dumps(document, indent=2, allow_nan=False), encoding="utf-8")
    return Report(folder, table(document), document)


def report_training(
    weights: Path,
    data: str,
    train: ClipSamples,
    valid: ClipSamples,
    account: dict[str, Any],
    history: Sequence[TrainingStep],
    seconds: float,
) -> Report:
    """Evaluate weights as they lie on disk and write FILE.report/ beside them.

    Args:
        weights: FILE.safetensors.
        data: Name of the table of clips.
        train: What it learnt from.
        valid: The clips to measure on.
        account: How it was trained.
        history: The steps of this run.
        seconds: What they took; told where they are all steps of the training.

    Raises:
        TrainingError: The report cannot be written; the message says where the weights are.
    """
    file = find_encoder(str(weights))
    protocol = as_given(valid.clips, heard_artists(train.clips))
    whole = seconds if history and history[0].step == 1 else None
    about = About(file.id, data, "valid", protocol, account, whole, [*train.skipped, *valid.skipped])
    try:
        return write_report(weights.with_suffix(".report"), about, evaluate(load_encoder(file), valid), history)
    except TrainingError as error:
        raise TrainingError(f"weights are in {weights}, but there is no report: {error}") from error


def _document(about: About, evaluation: Evaluation, drawn: Sequence[Drawn]) -> Document:
    return {
        "format": FORMAT,
        "encoder": about.encoder,
        "data": displayable(about.data),
        "split": displayable(about.split),
        "protocol": about.protocol,
        "clips": len(evaluation.clips),
        "training": about.training,
        "seconds": {"training": about.training_seconds, "classification": evaluation.answers.seconds},
        "machine": _machine(),
        "versions": _versions(),
        "figures": [
            {"dataset": section.dataset, "task": section.task} | asdict(figure)
            for section in evaluation.sections
            for figure in section.figures
        ],
        "pictures": [asdict(picture) for picture in drawn],
        "skipped": [{"file": displayable(path.name), "reason": displayable(reason)} for path, reason in about.skipped],
    }


def _machine() -> dict[str, str]:
    """What it ran on, without the name of the machine: a report may be published."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": f"{os.cpu_count()} cores",
        "threads": f"{torch.get_num_threads()} threads used",
    }


def _versions() -> dict[str, str]:
    numbers = {name: version(name) for name in LIBRARIES}
    return {"engine": __version__, "python": platform.python_version(), **numbers}
