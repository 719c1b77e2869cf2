"""A study as a Markdown table: results by the paper's protocol and on other artists, beside the paper's claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.study.plan import Study
from engine.study.rows import OURS, PAPER

EXPLANATION = """\
Paper's protocol: units (slices or tracks) of the train split, divided at random, so that a song or an artist may be in
both parts. Other artists: whole tracks of the valid split, by artists that do not occur in training. Accuracy with its
95 % interval (Wilson) and the number of units or tracks; macro F1; ROC AUC, each class against the rest. Seconds for
training, and for classifying the test units.
"""
HEADINGS = (
    "", "the paper says", "paper's protocol", "F1", "AUC", "other artists", "F1", "AUC", "parameters", "training",
    "classification",
)  # fmt: skip


def markdown(study: Study, data: str, rows: Sequence[dict[str, Any]]) -> str:
    """Render the report of a study from its saved rows."""
    lines = [f"# {study.title}", "", f"Data: {data}. {_common_settings(study)}", ""]
    lines += [f"The paper: {study.claim}", ""] if study.claim else []
    lines += [
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "---|" * len(HEADINGS),
        *(_line(row) for row in rows),
        "",
        EXPLANATION,
    ]
    return "\n".join(lines)


def _common_settings(study: Study) -> str:
    """List the settings shared by all rows, and the seed."""
    shared = []
    for name in ("encoder", "task", "dataset", "unit", "shares", "folds", "steps", "batch", "learning_rate", "seed"):
        values = {getattr(row, name) for row in study.rows}
        if (len(values) == 1 and (value := values.pop()) not in ("", 0, ())) or name == "seed":
            shared.append(f"{name.replace('_', ' ')} {value if name != 'seed' else study.rows[0].seed}")
    return f"All rows: {', '.join(shared)}."


def _line(row: dict[str, Any]) -> str:
    cells = [row["name"], row["paper"]]
    for protocol in (PAPER, OURS):
        figures = {figure["name"]: figure for figure in row["figures"][protocol]}
        accuracy = figures["accuracy"]
        interval = f"{accuracy['low']:.3f} to {accuracy['high']:.3f}"
        cells += [f"{accuracy['value']:.3f} ({interval}, {accuracy['clips']})"]
        cells += [f"{figures[name]['value']:.3f}" if name in figures else "" for name in ("macro F1", "ROC AUC")]
    seconds = row["seconds"]
    cells += [f"{row['parameters']:,}", f"{seconds['training']:.0f} s", f"{seconds['classification']:.1f} s"]
    return "| " + " | ".join(cells) + " |"
