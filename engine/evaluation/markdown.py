"""A report as Markdown and as a table for the terminal, both rendered from the document in `figures.json`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

Document = dict[str, Any]

TABLE_FIGURES = ("accuracy", "macro F1", "ROC AUC", "precision at 5", "same artist within 5", "hub skewness", "orphans")
CELL_WIDTH = 18  # characters of a value with its interval
HOW_TO_READ = """\
Every value has a 95 % interval: Wilson's for accuracy, same artist and orphans, the percentile bootstrap over clips for
the others. If the intervals of two encoders overlap, the report does not show which is better.

- accuracy: share of clips whose most probable label, among the labels of the data set, is one of their own.
- macro precision, recall, F1: means over labels; rare labels weigh as much as common ones. A clip with several labels
  counts under the most probable of them, as in the confusion matrix.
- ROC AUC, average precision: mean over labels, each against the rest; an AUC of 0.5 is chance.
- log loss: mean of -log of the probability of the clip's labels; lower is better.
- precision at k: share of the k nearest clips of the same data set, by other artists, that share a label.
- same artist within 5: share of clips with a clip of the same artist among their five nearest of all clips; only clips
  whose artist has other clips count.
- hub skewness: skewness of how often each clip is among the ten nearest of others, over all clips; near 0 is even,
  above 1 a few clips are neighbours of very many. orphans: share of clips among nobody's ten nearest.
- valence: sad, neutral and happy are the moods sad, calm and happy, renormalised, on clips of these moods only.
"""


def markdown(document: Document) -> str:
    """Render the report as Markdown that embeds the pictures in the same folder."""
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
    """Render the main metrics with their intervals, one line per data set and task."""
    blocks = []
    for of_neighbours in (False, True):
        rows = [row for row in document["figures"] if (row["task"] == "neighbours") == of_neighbours]
        columns = [name for name in TABLE_FIGURES if any(row["name"] == name for row in rows)]
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
    lines = ["  ".join([" " * width, *(f"{name:<{CELL_WIDTH}}" for name in columns), "clips"])]
    for name, figures in sections.items():
        clips = max(row["clips"] for row in figures.values())
        cells = (_number(figures[column]) if column in figures else "" for column in columns)
        lines.append("  ".join([f"{name:<{width}}", *(f"{cell:<{CELL_WIDTH}}" for cell in cells), f"{clips}"]))
    return "\n".join(lines)


def _number(row: dict[str, Any]) -> str:
    return f"{row['value']:.2f} ({row['low']:.2f}-{row['high']:.2f})"


def _cell(text: object) -> str:
    """Escape text for a single table cell."""
    return " ".join(str(text).split()).replace("|", "\\|")
