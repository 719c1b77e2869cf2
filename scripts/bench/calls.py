"""Time each kind of query: `scripts/bench/calls.py LIBRARY.db [--repetitions 30] [--out DIR]`.

Every row is one call of `Engine` on random tracks of the library, in one process, after a first call that does not
count (its time is in the column `first`, in seconds: torch and FAISS load, centroids are computed).
`scripts/bench/imagined.py` makes a library of any size.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from reporting import milliseconds, percentiles, report

from engine import Engine, Filters, Play, Ranking

HISTORY = 200  # plays that a recommendation is based on


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = []
    with Engine.open(arguments.library, create=False, threads=arguments.threads, device="cpu") as library:
        tracks = library.stats().tracks
        ids = np.random.default_rng(0).permutation(tracks) + 1  # as imagined.py numbers them
        library.add_plays([Play(time=1e9 + n, track_id=int(i), event="play") for n, i in enumerate(ids[:HISTORY])])
        for name, call in _calls(library, ids.tolist()).items():
            began = perf_counter()
            call(0)
            first = perf_counter() - began
            taken = milliseconds(call, arguments.repetitions)
            rows.append({"call": name, "first s": first} | {f"{p} ms": ms for p, ms in percentiles(taken).items()})
            print(rows[-1], flush=True)
    report("calls", rows, arguments.out, tracks=tracks, repetitions=arguments.repetitions, threads=arguments.threads)


def _calls(library: Engine, ids: list[int]) -> dict[str, Callable[[int], Any]]:
    """Queries by name, each for the i-th track of the random order."""
    return {
        "similar, k 10": lambda i: library.similar(ids[i], 10),
        "similar, hubs left": lambda i: library.similar(ids[i], 10, ranking=Ranking(hubs=True)),
        "similar, diverse": lambda i: library.similar(ids[i], 10, ranking=Ranking(diverse=0.5)),
        "similar, one genre": lambda i: library.similar(ids[i], 10, filters=Filters(genres=("jazz",))),
        "similar_to, two and one": lambda i: library.similar_to(ids[i : i + 2], ids[i + 2 : i + 3], 10),
        "similar_groups, artists": lambda i: library.similar_groups("artist", ids[i : i + 1], k=10),
        "classify": lambda i: library.classify(ids[i]),
        "explain": lambda i: library.explain(ids[i]),
        "explain_pair": lambda i: library.explain_pair(ids[i], ids[i + 1]),
        "genres": lambda i: library.genres(),
        "playlist, 25": lambda i: library.playlist([ids[i]], 25),
        "path, 25": lambda i: library.path(ids[i], ids[i + 1], 25),
        "order, 25": lambda i: library.order(ids[i : i + 25]),
        "recommend, 25": lambda i: library.recommend(n=25),
        "search": lambda i: library.search(f"artist {i}"),
    }


if __name__ == "__main__":
    main()
