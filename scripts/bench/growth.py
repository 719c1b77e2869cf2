"""The cost of a library as it grows: `scripts/bench/growth.py REAL.db [--sizes N ...] [--out DIR] [--work DIR]`.

One library of imagined tracks (`imagined.py`) is filled step by step. At each size, in a new process each time: opening
it, counting its contents (`stats`), the first answer; p50, p95 and p99 of `Engine.similar(track_id, k=10)`, metadata
included, of tracks that were not queried before, whose rows are on disk, and of the same tracks again;
adding 100 tracks, until they are found; resident memory against a process with an empty library, and against the bytes
of all signatures; disk. With --out, the slopes are also drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from imagined import Real, fill, read_real
from reporting import milliseconds, percentiles, report

from engine import Engine
from engine.db import open_database
from engine.indexer.vectors.opening import open_store

SIZES = [1_000, 10_000, 100_000, 1_000_000]
ADDED = 100
QUESTIONS = 200


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--windows", action="store_true", help="keep ten windows a track: 5 GB at a million")
    parser.add_argument("--loaded", action="store_true", help="ask with the index read into memory")
    parser.add_argument("--work", type=Path, help="where the library is made; default: a temporary folder")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)  # the new process: the library to ask
    arguments = parser.parse_args()
    if arguments.ask:
        print(json.dumps(_ask(arguments.ask, arguments.loaded)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        rows = _grow(read_real(arguments.real), Path(folder) / "library.db", arguments)
    report("growth", rows, arguments.out, added=ADDED, questions=QUESTIONS, windows=10 if arguments.windows else 1)
    if arguments.out:
        _draw(rows, arguments.out / "growth.png")


def _grow(real: Real, path: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    encoder, coverage = real.signatures[0].encoder, real.signatures[0].coverage
    with open_database(path, create=True) as database:
        fill(database, real, range(0), windows=False)
    empty = _in_new_process(path, arguments)["resident MB"]
    filled = 0
    for size in arguments.sizes:
        with open_database(path, create=False) as database:
            began = perf_counter()
            fill(database, real, range(filled, size), windows=arguments.windows)
            written = perf_counter() - began
            began = perf_counter()
            open_store(database, encoder, coverage, threads=2).compact()
            row: dict[str, Any] = {"tracks": size, "written s": written, "compacted s": perf_counter() - began}
        row |= _in_new_process(path, arguments)
        with open_database(path, create=False) as database:
            row["add 100 s"] = _add(database, real, range(size, size + ADDED), arguments.windows)
        signatures = size * real.vectors.shape[1] * 4 / 2**20
        row["memory / signatures"] = (row["resident MB"] - empty) / signatures
        row["disk kB/track"] = sum(p.stat().st_size for p in path.parent.iterdir()) / 1024 / size
        print(row, flush=True)
        rows.append(row)
        filled = size + ADDED
    return rows


def _add(database: Any, real: Real, rows: range, windows: bool) -> float:
    store = open_store(database, real.signatures[0].encoder, real.signatures[0].coverage, threads=2)
    store.snapshot()  # opens the file, as a running player does
    began = perf_counter()
    fill(database, real, rows, windows=windows)
    store.compact()
    count = store.snapshot().count
    taken = perf_counter() - began
    if count < rows.stop:
        raise SystemExit("the added tracks are not found")
    return taken


def _in_new_process(path: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, str(arguments.real), "--ask", str(path)]
    command += ["--loaded"] if arguments.loaded else []
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _ask(path: Path, loaded: bool) -> dict[str, Any]:
    began = perf_counter()
    with Engine.open(path, create=False, threads=2, device="cpu", loaded=loaded) as library:
        opened = perf_counter() - began
        tracks = library.stats().tracks
        counted = perf_counter() - began - opened
        if not tracks:
            return {"resident MB": _resident()}
        ids = (np.random.default_rng(0).integers(1, tracks + 1, size=QUESTIONS + 2)).tolist()
        began = perf_counter()
        library.similar(ids[0], 10)
        first = perf_counter() - began
        times = {}
        for when in ("", " again"):
            taken = milliseconds(lambda i: library.similar(ids[i], 10), QUESTIONS)
            times |= {f"{p}{when} ms": ms for p, ms in percentiles(taken).items()}
        return {"open s": opened, "stats s": counted, "first answer s": first, **times, "resident MB": _resident()}


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _draw(rows: list[dict[str, Any]], out: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    names = ["open s", "p50 ms", "p50 again ms", "add 100 s", "resident MB", "disk kB/track"]
    figure, axes = pyplot.subplots(2, 3, figsize=(12, 7), constrained_layout=True)
    sizes = [row["tracks"] for row in rows]
    for axis, name in zip(axes.flat, names, strict=True):
        axis.plot(sizes, [row[name] for row in rows], marker="o")
        axis.set(xscale="log", title=name, xlabel="tracks", ylim=(0, None))
        axis.grid(alpha=0.3)
    figure.savefig(out, dpi=120)


if __name__ == "__main__":
    main()
