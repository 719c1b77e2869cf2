"""A whole study: row after row, each kept when it is done, then one table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.datasets.reading import clip_cache, progress, read_samples
from engine.errors import TrainingError
from engine.evaluation.plots import TrainingStep, draw_confusion, draw_roc, draw_training
from engine.runtime.threads import default_threads
from engine.study.plan import Row, read_study
from engine.study.rows import RowResult, classes_of, run_row
from engine.study.table import markdown
from engine.util.atomic_files import Kind, beginning_with, check_output, replacing

TABLE = beginning_with("report of a study", b"# ")
ROW = beginning_with("row of a study", b"{")


@dataclass(frozen=True)
class StudyOptions:
    """What `engine study` was asked for; see its help."""

    study: str
    data: str
    out: str
    layout: str | None = None
    labels: str | None = None
    cache: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class StudyOutcome:
    """The folder, its table as Markdown, and the rows as they are kept."""

    folder: Path
    table: str
    rows: tuple[dict[str, Any], ...]


def run_study(options: StudyOptions, *, show: bool) -> StudyOutcome:
    """Run what is missing of a study, and write its table.

    The folder then holds `report.md`, `rows/KEY.json` for each row, and its pictures. Run again after a stop or with
    more rows, it computes only rows that are not there.

    Raises:
        TrainingError: The study, the data or the folder cannot be used, or a loss is not finite; rows that were done
            before are kept.
        OutputError: Another file lies where the report is to go.
    """
    study = read_study(Path(options.study))
    folder = Path(options.out)
    check_output(folder / "report.md", TABLE)  # before hours of training
    torch.set_num_threads(options.threads or default_threads())
    dataset = read_dataset(Path(options.data), options.layout, options.labels)
    cache = clip_cache(options.cache)
    train, unheard = (
        read_samples([clip for clip in dataset.clips if clip.split == split], split, cache, show)
        for split in ("train", "valid")
    )
    for row in study.rows:
        classes_of(row, train)
    kept = [_row(folder, row, train, unheard, cache, show) for row in study.rows]
    text = markdown(study, dataset.name, kept)
    _write(folder / "report.md", TABLE, text)
    return StudyOutcome(folder, text, tuple(kept))


def _row(folder: Path, row: Row, train: ClipSamples, unheard: ClipSamples, cache: Path, show: bool) -> dict[str, Any]:
    """What is kept of a row, run now where nothing is."""
    target = folder / "rows" / f"{row.key()}.json"
    try:
        known = json.loads(target.read_text("utf-8"))
        return dict(known) | {"name": row.name, "paper": row.paper}
    except (OSError, ValueError, RecursionError):  # not run yet, or stopped while it was written
        pass
    with progress(row.name, show) as step:
        result = run_row(row, train, unheard, cache, lambda note: step(note=note))
    document = _document(result)
    _draw(folder / "rows", row, result)
    _write(target, ROW, json.dumps(document, indent=1))
    return document


def _document(result: RowResult) -> dict[str, Any]:
    return {
        "name": result.row.name,
        "paper": result.row.paper,
        "row": asdict(result.row),
        "figures": {protocol: [asdict(figure) for figure in found.figures] for protocol, found in result.found.items()},
        "confusion": {protocol: found.confusion.tolist() for protocol, found in result.found.items()},
        "classes": next(iter(result.found.values())).names,
        "parameters": result.parameters,
        "seconds": {"training": result.training_seconds, "classification": result.classification_seconds},
        "losses": result.losses,
    }


def _draw(folder: Path, row: Row, result: RowResult) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for protocol, found in result.found.items():
            name = f"{row.key()}.{protocol.replace(' ', '-').replace(chr(39), '')}"
            draw_confusion(folder / f"{name}.confusion.png", f"{row.name}: {protocol}", found)
            draw_roc(folder / f"{name}.roc.png", f"{row.name}: {protocol}", found)
        history = [TrainingStep(i + 1, {"loss": loss}, row.learning_rate) for i, loss in enumerate(result.losses)]
        draw_training(folder / f"{row.key()}.training.png", row.name, history)
    except OSError as error:
        raise TrainingError(f"cannot write to {folder}: {error}", hint="free space or choose another --out") from error


def _write(path: Path, kind: Kind, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, kind) as handle:
            handle.write(text.encode())
    except OSError as error:
        raise TrainingError(f"cannot write {path}: {error}", hint="free space or choose another --out") from error
