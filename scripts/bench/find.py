"""Time searches by description: `scripts/bench/find.py LIBRARY.db [--repetitions 30] [--threads 1] [--out DIR]`.

Each row is one description, answered with twenty tracks, in ms of wall-clock and processor time. The first answer does
not count; its seconds are in `first s`: the index opens, tags are sampled, and above 20,000 tracks the columns of tags
are made or opened. `same` is the overlap with the answer of scoring every track. The last rows combine a description
with filters. `scripts/bench/imagined.py` makes a library of any size.
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from reporting import milliseconds, percentiles, report

from engine import Engine, Filters
from engine.find.finding import understand
from engine.find.scoring import Scorer
from engine.search.filters import passing

K = 20
AT_ONCE = 50_000  # tracks scored together for the exact answer
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
    "like Artist 7, a bit sad",
)
FILTERED = (
    ("calm, a bit sad", Filters(genres=("rock",))),
    ("calm, a bit sad", Filters(tags=("piano",), not_tags=("vocals",), music_only=True)),
    ("calm, a bit sad", Filters(years=(1970, 1989))),
    ("calm, a bit sad", Filters(artists=("Artist 7", "Artist 8"))),
)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with Engine.open(arguments.library, create=False, threads=arguments.threads, device="cpu") as library:
        tracks = library.stats().tracks
        for text, filters in (*((text, Filters()) for text in DESCRIPTIONS), *FILTERED):
            rows.append(measured(library, text, filters, arguments.repetitions))
            print(rows[-1], flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    settings = {"tracks": tracks, "repetitions": arguments.repetitions, "threads": arguments.threads}
    report("find", rows, arguments.out, **settings, peak_mb=memory)


def measured(library: Engine, text: str, filters: Filters, repetitions: int) -> dict[str, Any]:
    """Times of one description, and the share of the exact answer that it returns."""
    began = perf_counter()
    library.find(text, K, filters=filters)
    named = ", ".join(f"{name}={value}" for name, value in vars(filters).items() if value != getattr(Filters(), name))
    row = {"description": f"{text} ({named})" if named else text, "first s": perf_counter() - began}
    busy = process_time()
    taken = milliseconds(lambda _: library.find(text, K, filters=filters), repetitions, warm=0)
    row |= {"processor ms": 1e3 * (process_time() - busy) / repetitions}
    return row | {f"{name} ms": ms for name, ms in percentiles(taken).items()} | {"same": same(library, text, filters)}


def same(library: Engine, text: str, filters: Filters) -> float:
    """The share of the exact answer that the answer holds."""
    view = library._session.view()
    plan, chosen = understand(view, text), passing(view, filters)
    if chosen is not None:
        plan.restrict(chosen)
    scorer = Scorer(view, plan.terms, plan.targets)
    every = view.snapshot.known(view.snapshot.ids if plan.allowed is None else plan.allowed)
    batches = (every[at : at + AT_ONCE] for at in range(0, len(every), AT_ONCE))
    parts = [scorer.of(ids, K, scorer._norms(ids)) for ids in batches]
    scores, ids = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "track_ids"))
    best = ids[np.lexsort((ids, -scores))][:K]
    found = [match.track_id for match in library.find(text, K, filters=filters).matches]
    return float(np.isin(best, found).mean())


if __name__ == "__main__":
    main()
