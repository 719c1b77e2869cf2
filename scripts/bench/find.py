"""How long a description takes: `scripts/bench/find.py LIBRARY.db [--repetitions 30] [--threads 2] [--out DIR]`.

Each row is one description, answered with twenty tracks, after a first answer that does not count (its time stands in
the column `first s`: the index opens, tags are sampled). In libraries above 100,000 tracks candidates come from the
vector index: `recall` is then the share of the exact answer's tracks among the twenty, else 1.
`scripts/bench/imagined.py` makes a library of any size.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from reporting import milliseconds, percentiles, report

from engine import Engine
from engine.find.parsing import read
from engine.find.plan import make_plan
from engine.find.scoring import EXACT_UP_TO, Scorer
from engine.search.phrases import table_of

K = 20
DESCRIPTIONS = (
    "piano",
    "calm piano at night, no vocals",
    "very energetic rock, not too sad",
    "warm strings and flute, a bit nostalgic, without drums or noise",
    "no vocals",
    "slow blues with harmonica by artist 12",
)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--no-recall", action="store_true", help="do not compare with the exact answer")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with Engine.open(arguments.library, create=False, threads=arguments.threads, device="cpu") as library:
        tracks = library.stats().tracks
        for text in DESCRIPTIONS:
            began = perf_counter()
            library.find(text, K)
            row = {"description": text, "first s": perf_counter() - began}
            taken = milliseconds(lambda _, text=text: library.find(text, K), arguments.repetitions)
            row |= {f"{name} ms": ms for name, ms in percentiles(taken).items()}
            rows.append(row | {"recall": 1.0 if arguments.no_recall else recall(library, text)})
            print(rows[-1], flush=True)
    settings = {"tracks": tracks, "repetitions": arguments.repetitions, "threads": arguments.threads}
    report("find", rows, arguments.out, **settings)


def recall(library: Engine, text: str) -> float:
    """The share of the twenty best of all tracks that the candidates of the vector index contain."""
    view = library._session.view()
    if view.snapshot.count <= EXACT_UP_TO:
        return 1.0
    plan = make_plan(view, read(text, table_of(view.file.words)))
    scorer = Scorer(view, plan.terms, plan.targets)
    exact = scorer._of_all(K).track_ids
    return float(np.isin(exact, scorer.best(K).track_ids).mean())


if __name__ == "__main__":
    main()
