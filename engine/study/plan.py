"""A study as read from TOML: rows of trainings that each differ in one setting."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import TrainingError, brief
from engine.models.registry import ARCHITECTURES
from engine.util.small_files import read_small_text

TASKS = ("genre", "mood", "valence")
UNITS = ("slices", "tracks")
AUGMENTATIONS = ("noise", "shift", "stretch")


@dataclass(frozen=True)
class Row:
    """One training of a study.

    Attributes:
        name: Name of the row in the paper's table.
        encoder: Architecture.
        config: Settings of the encoder that differ from its defaults.
        task: "genre", "mood" or "valence".
        classes: Labels of the task to use; empty for all that occur.
        dataset: Use clips of this data set only; empty for all.
        unit: Unit that the paper splits at random: "slices" of tracks, or "tracks".
        shares: Shares of train, valid and test.
        folds: Number of cross-validation folds over tracks, instead of shares; 0 for none.
        artists: Whether each artist's tracks stay in one fold, unlike in the paper.
        augment: Variants added to the training side; each adds a changed copy of every clip.
        steps, batch, learning_rate, seed: Settings of the training; `batch` counts units.
        paper: Result reported by the paper.
    """

    name: str
    encoder: str
    config: dict[str, Any] = field(default_factory=dict)
    task: str = "genre"
    classes: tuple[str, ...] = ()
    dataset: str = ""
    unit: str = "slices"
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    folds: int = 0
    artists: bool = False
    augment: tuple[str, ...] = ()
    steps: int = 300
    batch: int = 32
    learning_rate: float = 1e-3
    seed: int = 0
    paper: str = ""

    def key(self) -> str:
        """Return a hash of all settings that determine the result; a resumed study skips rows with a saved result."""
        settings = {name: value for name, value in dataclasses.asdict(self).items() if name not in ("name", "paper")}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Study:
    """A table: its title, the paper's claim, and its rows."""

    title: str
    claim: str
    rows: tuple[Row, ...]


def read_study(path: Path) -> Study:
    """Read a study: common settings at the top level, the encoder's `[config]`, `[[rows]]`, and an optional `[grid]`.

    A row may set every attribute of `Row`; its `config` is merged into the common one. `[grid]` lists values by setting
    ("config.NAME" for the encoder's), and every row is run with every combination.

    Raises:
        TrainingError: The file is missing, is not TOML, or has unknown settings.
    """
    try:
        document = tomllib.loads(read_small_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"expected a study as TOML in {path}, cannot read it: {brief(error)}") from error
    title, claim = str(document.pop("title", path.stem)), str(document.pop("claim", ""))
    grid, rows = document.pop("grid", {}), document.pop("rows", [{}])
    if not isinstance(grid, dict) or not all(isinstance(values, list) and values for values in grid.values()):
        raise TrainingError(f"expected lists of values in [grid] of {path}, found {brief(grid)}")
    expanded = [
        _row(path, document, row, dict(zip(grid, values, strict=True)))
        for row in rows
        for values in itertools.product(*grid.values())
    ]
    return Study(title, claim, tuple(expanded))


def _row(path: Path, common: dict[str, Any], own: dict[str, Any], point: dict[str, Any]) -> Row:
    """Merge common settings, a row's own settings, and a point of the grid into a row."""
    config = common.get("config", {}) | own.get("config", {})
    config |= {name.removeprefix("config."): value for name, value in point.items() if name.startswith("config.")}
    settings = common | own | {name: value for name, value in point.items() if not name.startswith("config.")}
    settings |= {"config": config, "name": _row_name(path, common | own, own, point)}
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    try:
        row = Row(**settings)
    except TypeError as error:
        known = ", ".join(item.name for item in dataclasses.fields(Row))
        raise TrainingError(
            f"a setting in {path} is missing or unknown: {error}", hint=f"a row has: {known}"
        ) from error
    _check(path, row)
    return row


def _row_name(path: Path, settings: dict[str, Any], own: dict[str, Any], point: dict[str, Any]) -> Any:
    """Name a row by its own name and its point of the grid; by the file if it has neither."""
    if not point:
        return settings.get("name", path.stem)
    return ", ".join([*([own["name"]] if "name" in own else []), *(f"{k} {v}" for k, v in point.items())])


def _check(path: Path, row: Row) -> None:
    for what, value, allowed in (
        ("encoder", row.encoder, tuple(ARCHITECTURES)),
        ("task", row.task, TASKS),
        ("unit", row.unit, UNITS),
        *(("augmentation", name, AUGMENTATIONS) for name in row.augment),
    ):
        if value not in allowed:
            raise TrainingError(f"row '{row.name}' of {path}: expected {what} to be one of {allowed}, found '{value}'")
    if row.folds and row.unit != "tracks":
        raise TrainingError(f"row '{row.name}' of {path}: expected unit = \"tracks\" with folds, found '{row.unit}'")
    if len(row.shares) != 3 or min(row.steps, row.batch) < 1 or row.learning_rate <= 0:
        raise TrainingError(
            f"row '{row.name}' of {path}: expected three shares, steps and batch of 1 or more, a positive learning rate"
        )
