"""Insert a report's metrics into a model card: `scripts/model_card.py REPORT_FOLDER CARD.md`.

The folder is a report of `engine evaluate` or `engine train`. The lines between the card's two marks are replaced.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures -->", "<!-- end -->"
SHOWN = (
    "accuracy", "macro F1", "ROC AUC", "average precision", "precision at 5", "precision at 10", "same artist within 5",
    "hub skewness", "orphans",
)  # fmt: skip


def main() -> None:
    """Parse, replace, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("card", type=Path)
    arguments = parser.parse_args()
    document = json.loads((arguments.report / "figures.json").read_text("utf-8"))
    before, _, rest = arguments.card.read_text("utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"expected the marks {BEGIN} and {END} in {arguments.card}")
    arguments.card.write_text(f"{before}{BEGIN}\n{_table(document)}\n{END}{after}", "utf-8")


def _table(document: dict[str, Any]) -> str:
    rows = [figure for figure in document["figures"] if figure["name"] in SHOWN]
    lines = [f"`{document['encoder']}`, {document['data']}, split {document['split']}, {document['clips']} clips:", ""]
    lines += ["| data set | task | figure | value | 95 % interval | clips |", "|---|---|---|---|---|---|"]
    lines += [_line(figure) for figure in rows]
    return "\n".join(lines)


def _line(figure: dict[str, Any]) -> str:
    interval = f"{figure['low']:.3f} to {figure['high']:.3f}"
    cells = (
        figure["dataset"],
        figure["task"],
        figure["name"],
        f"{figure['value']:.3f}",
        interval,
        str(figure["clips"]),
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
