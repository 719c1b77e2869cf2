"""`engine study`: run each row that has no saved result, save it, and write one table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.datasets.reading import clip_cache, read_samples
from engine.errors import TrainingError
from engine.evaluation.plots import draw_confusion, draw_roc
from engine.evaluation.training_curves import TrainingStep, draw_training
from engine.runtime.threads import default_threads
from engine.study.plan import Row, read_study
from engine.study.rows import RowResult, run_row
from engine.study.table import markdown
from engine.study.units import choose_clips
from engine.util.atomic_files import Kind, beginning_with, check_output, replacing
from engine.util.progress import progress

TABLE = beginning_with("report of a study", b"# ")
ROW = beginning_with("row of a study", b"{")


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """Options of `engine study`.

    Attributes:
        study: TOML file of the study.
        data: A CSV of clips, or a folder.
        out: Folder for rows and table.
        layout, labels: See `engine.datasets.loading.read_dataset`.
        cache: Folder for decoded clips and features; by default in the user's cache directory.
        threads: CPU threads; None for the default.
    """

    study: str
    data: str
    out: str
    layout: str | None = None
    labels: str | None = None
    cache: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class StudyOutcome:
    """The folder, its table as Markdown, and the saved rows."""

    folder: Path
    table: str
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class _Workspace:
    """Everything that rows share: the output folder, decoded clips, the cache, and whether to show progress."""

    folder: Path
    train: ClipSamples
    others: ClipSamples
    cache: Path
    show: bool


def run_study(options: StudyOptions, *, show: bool) -> StudyOutcome:
    """Run the missing rows of a study, and write its table.

    The folder then contains `report.md`, `rows/KEY.json` for each row, and the rows' pictures. A second run, after a
    stop or with more rows, computes missing rows only.

    Raises:
        TrainingError: The study, the data or the folder cannot be used, or a loss is not finite; saved rows remain.
        OutputError: Another file exists at the place of the report.
    """
    study = read_study(Path(options.study))
    folder = Path(options.out)
    check_output(folder / "report.md", TABLE)  # before hours of training
    torch.set_num_threads(options.threads or default_threads())
    dataset = read_dataset(Path(options.data), options.layout, options.labels)
    cache = clip_cache(options.cache)
    train, others = (
        read_samples([clip for clip in dataset.clips if clip.split == split], split, cache, show)
        for split in ("train", "valid")
    )
    for row in study.rows:
        choose_clips(train.clips, row)  # raises before anything is run
    workspace = _Workspace(folder, train, others, cache, show)
    rows = [_saved_or_run(row, workspace) for row in study.rows]
    text = markdown(study, dataset.name, rows)
    _write(folder / "report.md", TABLE, text)
    return StudyOutcome(folder, text, tuple(rows))


def _saved_or_run(row: Row, workspace: _Workspace) -> dict[str, Any]:
    """Load a row's saved result, running it if missing or damaged."""
    target = workspace.folder / "rows" / f"{row.key()}.json"
    try:
        saved = json.loads(target.read_text("utf-8"))
        return dict(saved) | {"name": row.name, "paper": row.paper}
    except (OSError, ValueError, RecursionError):
        pass
    with progress(row.name, workspace.show) as step:
        result = run_row(row, workspace.train, workspace.others, workspace.cache, lambda note: step(note=note))
    document = _document(result)
    _draw(workspace.folder / "rows", row, result)
    _write(target, ROW, json.dumps(document, indent=1))
    return document


def _document(result: RowResult) -> dict[str, Any]:
    return {
        "name": result.row.name,
        "paper": result.row.paper,
        "row": asdict(result.row),
        "figures": {name: [asdict(figure) for figure in found.figures] for name, found in result.results.items()},
        "confusion": {name: found.confusion.tolist() for name, found in result.results.items()},
        "classes": next(iter(result.results.values())).names,
        "parameters": result.parameters,
        "seconds": {"training": result.training_seconds, "classification": result.classification_seconds},
        "losses": result.losses,
    }


def _draw(folder: Path, row: Row, result: RowResult) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for protocol, found in result.results.items():
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
