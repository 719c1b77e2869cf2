"""A report's document as Markdown, and as a table for a terminal. The document is what `figures.json` holds."""

from __future__ import annotations

from itertools import groupby
from typing import Any

Document = dict[str, Any]

SHOWN = ("accuracy", "macro F1", "ROC AUC", "precision at 5", "same artist within 5", "hub skewness", "orphans")
CELL = 18  # characters of a number with its interval
HOW_TO_READ = """\
Every number stands with its 95 % interval: Wilson's for accuracy, same artist and orphans, else the percentile
bootstrap over clips. Intervals of two encoders that overlap do not tell which is better.

- accuracy: the likeliest label, among those that the data set knows, is one of the clip's.
- macro precision, recall, F1: means over labels, rare ones counting as much as common ones. A clip of several labels
  counts as the likeliest of them; so it does in the confusion matrix.
- ROC AUC, average precision: each label against the rest, then the mean; 0.5 AUC is chance.
- log loss: mean of -log of the probability given to the clip's labels; lower is better.
- precision at k: share of the k nearest clips, of the same data set and of other artists, that share a label.
- same artist within 5: clips whose artist has others, and that find one among their five nearest of all clips.
- hub skewness: of how often a clip is among others' ten nearest, all clips; near 0 is even, above 1 some are
  everywhere. orphans: share of clips that are in nobody's ten.
- valence: sad, neutral and happy are the moods sad, calm and happy, renormalised, on clips of these moods only.
"""


def markdown(document: Document) -> str:
    """The report as Markdown, with its pictures, which lie beside it."""
    lines = [f"# {_cell(document['encoder'])}", "", *_header(document), ""]
    lines += _pictures(document, "training", "training")
    for dataset, rows in groupby(document["figures"], key=lambda row: row["dataset"]):
        lines += [f"## {_cell(dataset)}", ""]
        for task, figures in groupby(rows, key=lambda row: row["task"]):
            lines += [f"### {task}", "", *_figures(list(figures)), "", *_pictures(document, dataset, task)]
    lines += ["## How to read this", "", HOW_TO_READ, "## Skipped clips", ""]
    lines += [f"{len(document['skipped'])} clips could not be read."]
    lines += [f"- {_cell(clip['file'])}: {_cell(clip['reason'])}" for clip in document["skipped"]]
    return "\n".join([*lines, ""])


def table(document: Document) -> str:
    """The main figures, a line for each data set and task, with their intervals."""
    blocks = []
    for of_neighbours in (False, True):
        rows = [row for row in document["figures"] if (row["task"] == "neighbours") == of_neighbours]
        columns = [name for name in SHOWN if any(row["name"] == name for row in rows)]
        if columns:
            blocks.append(_block(rows, columns))
    return "\n\n".join(blocks)


def _header(document: Document) -> list[str]:
    seconds, clips = document["seconds"], document["clips"]
    each = seconds["classification"] / clips
    trained = f"{seconds['training']:,.0f} s" if seconds["training"] is not None else "time not recorded"
    settings = ", ".join(f"{key} {_setting(value)}" for key, value in document["training"].items() if value is not None)
    rows = {
        "data": f"{document['data']}, split {document['split']}, {clips} clips",
        "protocol": document["protocol"],
        "training": f"{trained}; {settings or 'settings not recorded'}",
        "classification": f"{seconds['classification']:,.1f} s after decoding, {each:.2f} s a clip",
        "machine": ", ".join(f"{value}" for value in document["machine"].values()),
        "versions": ", ".join(f"{name} {number}" for name, number in document["versions"].items()),
    }
    return ["| | |", "|---|---|", *(f"| {name} | {_cell(text)} |" for name, text in rows.items())]


def _setting(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figures(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| figure | value | 95 % interval | clips |", "|---|---|---|---|"]
    return lines + [
        f"| {row['name']} | {row['value']:.3f} | {row['low']:.3f} to {row['high']:.3f} | {row['clips']} |"
        for row in rows
    ]


def _pictures(document: Document, dataset: str, task: str) -> list[str]:
    drawn = [p for p in document["pictures"] if (p["dataset"], p["task"]) == (dataset, task)]
    return [line for picture in drawn for line in (f"![{_cell(picture['caption'])}]({picture['file']})", "")]


def _block(rows: list[dict[str, Any]], columns: list[str]) -> str:
    sections: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        name = row["dataset"] if row["task"] == "neighbours" else f"{row['dataset']}, {row['task']}"
        sections.setdefault(name, {})[row["name"]] = row
    width = max(map(len, sections))
    lines = ["  ".join([" " * width, *(f"{name:<{CELL}}" for name in columns), "clips"])]
    for name, figures in sections.items():
        clips = max(row["clips"] for row in figures.values())
        cells = (_number(figures[column]) if column in figures else "" for column in columns)
        lines.append("  ".join([f"{name:<{width}}", *(f"{cell:<{CELL}}" for cell in cells), f"{clips}"]))
    return "\n".join(lines)


def _number(row: dict[str, Any]) -> str:
    return f"{row['value']:.2f} ({row['low']:.2f}-{row['high']:.2f})"


def _cell(text: object) -> str:
    """One line that breaks no table."""
    return " ".join(str(text).split()).replace("|", "\\|")
