"""A report folder: the encoder, the data, the protocol, and all metrics as text, JSON and pictures."""

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
from engine.evaluation.gallery import Gallery, MapData, Picture
from engine.evaluation.markdown import Document, markdown, table
from engine.evaluation.measure import UNNAMED, Predictions, Section, describe_inputs, measure, predict
from engine.evaluation.report_folder import FIGURES, FORMAT, TEXT, atomic_report_folder
from engine.evaluation.training_curves import TrainingStep
from engine.models.encoder import Encoder

LIBRARIES = ("torch", "torchaudio", "numpy", "scipy", "scikit-learn", "av")


@dataclass(frozen=True)
class ReportHeader:
    """Context of an evaluation.

    Attributes:
        encoder: Its id.
        data: Name of the data set.
        split: Evaluated split.
        protocol: A sentence on the overlap between the evaluated clips and the training data.
        training: Training settings, as recorded in the weights.
        training_seconds: Duration of the training; None if not recorded.
        skipped: Unreadable files with reasons.
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
    """Clips, their predictions, a description of the network's input (N, F), and the metrics."""

    clips: Sequence[Clip]
    predictions: Predictions
    inputs: NDArray[np.float64]
    sections: Sequence[Section]


@dataclass(frozen=True)
class Report:
    """A written report: its folder, the main metrics as a text table, and the contents of `figures.json`."""

    folder: Path
    table: str
    document: Document


def evaluate(encoder: Encoder, source: ClipSamples, on_clip: Callable[[], None] = lambda: None) -> Evaluation:
    """Measure an encoder on clips whose genres are among its own; call `on_clip` twice per clip.

    Raises:
        TrainingError: An output of the encoder is not finite.
    """
    predictions = predict(encoder, source, on_clip)
    sections = measure(predictions, source.clips, encoder.genres, encoder.moods)
    return Evaluation(source.clips, predictions, describe_inputs(encoder, source, on_clip), sections)


def write_report(
    folder: Path,
    header: ReportHeader,
    evaluation: Evaluation,
    history: Sequence[TrainingStep] = (),
    *,
    tsne: bool = True,
) -> Report:
    """Write `report.md`, `figures.json` and pictures to a folder, replacing an earlier report.

    Args:
        folder: New, empty, or an earlier report; its parent exists.
        header: Context of the evaluation.
        evaluation: The metrics.
        history: Steps of the training, drawn as curves.
        tsne: Whether to draw t-SNE maps.

    Raises:
        TrainingError: The report cannot be written; no partial report remains.
    """
    datasets = [clip.dataset or UNNAMED for clip in evaluation.clips]
    with atomic_report_folder(folder) as partial:
        gallery = Gallery(partial, MapData(evaluation.inputs, evaluation.predictions.signatures, datasets), tsne=tsne)
        gallery.draw_history(history)
        for section in evaluation.sections:
            gallery.draw_section(section)
        gallery.draw_datasets()
        document = _document(header, evaluation, gallery.pictures)
        (partial / TEXT).write_text(markdown(document), encoding="utf-8")
        (partial / FIGURES).write_text(json.dumps(document, indent=2, allow_nan=False), encoding="utf-8")
    return Report(folder, table(document), document)


def _document(header: ReportHeader, evaluation: Evaluation, pictures: Sequence[Picture]) -> Document:
    return {
        "format": FORMAT,
        "encoder": header.encoder,
        "data": displayable(header.data),
        "split": displayable(header.split),
        "protocol": header.protocol,
        "clips": len(evaluation.clips),
        "training": header.training,
        "seconds": {"training": header.training_seconds, "classification": evaluation.predictions.seconds},
        "machine": _machine(),
        "versions": _versions(),
        "figures": [
            {"dataset": section.dataset, "task": section.task} | asdict(figure)
            for section in evaluation.sections
            for figure in section.figures
        ],
        "pictures": [asdict(picture) for picture in pictures],
        "skipped": [{"file": displayable(path.name), "reason": displayable(reason)} for path, reason in header.skipped],
    }


def _machine() -> dict[str, str]:
    """Describe the machine without its name, since reports may be published."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": f"{os.cpu_count()} cores",
        "threads": f"{torch.get_num_threads()} threads used",
    }


def _versions() -> dict[str, str]:
    numbers = {name: version(name) for name in LIBRARIES}
    return {"engine": __version__, "python": platform.python_version(), **numbers}
