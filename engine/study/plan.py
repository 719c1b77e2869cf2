"""What a study is: rows that differ in one thing each, read from a TOML file."""

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
from engine.models.checkpoint import ARCHITECTURES

TASKS = ("genre", "mood", "valence")
UNITS = ("slices", "tracks")
AUGMENTATIONS = ("noise", "shift", "stretch")


@dataclass(frozen=True)
class Row:
    """One training of a study.

    Attributes:
        name: As in the paper's table.
        encoder: Architecture.
        config: Its settings, where they differ from the defaults.
        task: "genre", "mood" or "valence".
        classes: Which of the task's labels; empty for all that occur.
        dataset: Which clips of the data, by their data set; empty for all.
        unit: What the paper splits at random: "slices" of tracks, or "tracks".
        shares: Of train, valid and test.
        folds: Cross-validation of tracks in as many folds instead of shares; 0 for none.
        artists: Whether folds keep an artist's tracks together, as the paper's do not.
        augment: Variants that are added to the training side, each as large as itself.
        steps, batch, learning_rate, seed: Of the training; a batch is of units.
        paper: What the paper says of this row.
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
        """Equal for rows that give the same result: a study that was stopped goes on by it."""
        settings = {name: value for name, value in dataclasses.asdict(self).items() if name not in ("name", "paper")}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Study:
    """A table: its title, what the paper found, and its rows."""

    title: str
    claim: str
    rows: tuple[Row, ...]


def read_study(path: Path) -> Study:
    """Read a study's TOML: settings of all rows at the top, `[config]` of the encoder, `[[rows]]`, and `[grid]`.

    A row may set anything that a `Row` has; its `config` is added to the common one. `[grid]` gives lists by setting
    ("config.NAME" for the encoder's), and every row is run with every combination.

    Raises:
        TrainingError: The file is missing, no TOML, or has settings that no row has.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
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
    config = common.get("config", {}) | own.get("config", {})
    config |= {name.removeprefix("config."): value for name, value in point.items() if name.startswith("config.")}
    settings = common | own | {name: value for name, value in point.items() if not name.startswith("config.")}
    settings["config"] = config
    if point:
        settings["name"] = ", ".join(
            [*([own["name"]] if "name" in own else []), *(f"{k} {v}" for k, v in point.items())]
        )
    settings.setdefault("name", path.stem)
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
