"""How long a description takes: `scripts/bench/find.py LIBRARY.db [--repetitions 30] [--threads 2] [--out DIR]`.

Each row is one description, answered with twenty tracks, after a first answer that does not count (its time stands in
the column `first s`: the index opens, tags are sampled), in ms by the clock and of processor time. In libraries above
100,000 tracks, and with --candidates in any, candidates come from the vector index: `recall` is then the share of the
exact answer's tracks among the twenty, `loss` the mean difference of the scores.
`scripts/bench/imagined.py` makes a library of any size.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from reporting import milliseconds, percentiles, report

from engine import Engine
from engine.find import scoring
from engine.find.parsing import read
from engine.find.plan import make_plan
from engine.find.scoring import Scorer
from engine.search.phrases import table_of

K = 20
DESCRIPTIONS = (
    "piano",
    "calm piano at night, no vocals",
    "very energetic rock, not too sad",
    "warm strings and flute, a bit nostalgic, without drums or noise",
    "no vocals",
    "slow blues with harmonica",
    "happy 80s pop with female vocals",
    "dark ambient, no drums",
    "sad jazz piano",
    "angry fast metal, no singing",
)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--candidates", action="store_true", help="take the path of the largest libraries")
    arguments = parser.parse_args()
    if arguments.candidates:
        scoring.EXACT_UP_TO = 0
    rows: list[dict[str, Any]] = []
    with Engine.open(arguments.library, create=False, threads=arguments.threads, device="cpu") as library:
        tracks = library.stats().tracks
        for text in DESCRIPTIONS:
            began = perf_counter()
            library.find(text, K)
            row = {"description": text, "first s": perf_counter() - began}
            busy = process_time()
            taken = milliseconds(lambda _, text=text: library.find(text, K), arguments.repetitions, warm=0)
            row |= {"processor ms": 1e3 * (process_time() - busy) / arguments.repetitions}
            row |= {f"{name} ms": ms for name, ms in percentiles(taken).items()}
            rows.append(row | compared(library, text))
            print(rows[-1], flush=True)
    settings = {"tracks": tracks, "repetitions": arguments.repetitions, "threads": arguments.threads}
    report("find", rows, arguments.out, **settings)


def compared(library: Engine, text: str) -> dict[str, float]:
    """The share of the exact answer that the answer holds, and how much lower its scores are on average."""
    view = library._session.view()
    plan = make_plan(view, read(text, table_of(view.file.words)))
    scorer = Scorer(view, plan.terms, plan.targets)
    exact, found = scorer._of_all(K), scorer.best(K)
    recall = float(np.isin(exact.track_ids, found.track_ids).mean())
    return {"recall": recall, "loss": float(exact.scores.mean() - found.scores.mean())}


if __name__ == "__main__":
    main()
