"""A study's rows as a Markdown table: what came out by the paper's protocol, by ours, and what the paper claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.study.plan import Study
from engine.study.rows import OURS, PAPER

KEPT = """\
Paper's protocol: units (slices or tracks) of the train side, split at random, so that a song or an artist may be on
both sides; ours: whole tracks of the valid side, by artists that nothing was learnt from. Accuracy with its 95 %
interval (Wilson) and the number of units or tracks; macro F1; ROC AUC, each class against the rest. Seconds of
training, and of classifying the test units.
"""
HEAD = (
    "", "the paper says", "paper's protocol", "F1", "AUC", "other artists", "F1", "AUC", "parameters", "training",
    "classification",
)  # fmt: skip


def markdown(study: Study, data: str, rows: Sequence[dict[str, Any]]) -> str:
    """The study's report."""
    lines = [f"# {study.title}", "", f"Data: {data}. {_budget(study)}", ""]
    lines += [f"The paper: {study.claim}", ""] if study.claim else []
    lines += [
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
        *(_line(row) for row in rows),
        "",
        KEPT,
    ]
    return "\n".join(lines)


def _budget(study: Study) -> str:
    """What every row has in common, of what it was given."""
    told = []
    for name in ("encoder", "task", "dataset", "unit", "shares", "folds", "steps", "batch", "learning_rate", "seed"):
        values = {getattr(row, name) for row in study.rows}
        if (len(values) == 1 and (value := values.pop()) not in ("", 0, ())) or name == "seed":
            told.append(f"{name.replace('_', ' ')} {value if name != 'seed' else study.rows[0].seed}")
    return f"All rows: {', '.join(told)}."


def _line(row: dict[str, Any]) -> str:
    cells = [row["name"], row["paper"]]
    for protocol in (PAPER, OURS):
        figures = {figure["name"]: figure for figure in row["figures"][protocol]}
        found = figures["accuracy"]
        cells += [f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f}, {found['clips']})"]
        cells += [f"{figures[name]['value']:.3f}" if name in figures else "" for name in ("macro F1", "ROC AUC")]
    seconds = row["seconds"]
    cells += [f"{row['parameters']:,}", f"{seconds['training']:.0f} s", f"{seconds['classification']:.1f} s"]
    return "| " + " | ".join(cells) + " |"
