"""The search alone, by size: `scripts/bench/query.py REAL.db [--sizes 10000 100000 1000000] [--out DIR]`.

Signatures are drawn around those of a real library (`imagined.py`). For each size: Engine's own search, one query at a
time, in batches, and under filters that 50 %, 5 % and 0.1 % of the tracks pass; an exact search of all signatures; and
usearch and voyager (`pip install usearch voyager`), their searches widened until they reach Engine's recall. Queries
are further drawn signatures, interleaved over the systems; recall is of the ten nearest; one thread, unless the table
says two. Above a few millions, where the signatures would not fit into memory, Engine by itself.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import faiss
import numpy as np
from imagined import Real, draw, read_real
from numpy.typing import NDArray
from reporting import milliseconds, percentiles, report

from engine.indexer.vectors.ann_build import LISTS_FROM
from engine.indexer.vectors.ann_search import make_finder
from engine.indexer.vectors.faiss_snapshot import FaissSnapshot
from engine.indexer.vectors.flat import flat_index
from engine.indexer.vectors.index_files import open_index, write_index
from engine.indexer.vectors.part import file_part

K = 10
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # that a peer may search with
SHARES = (0.5, 0.05, 0.001)
BATCH = 100
DRAWN_AT_ONCE = 262_144
TURNS = 10
FILTERED_QUERIES = 100

Floats = NDArray[np.float32]
Ask = Callable[[Floats], NDArray[np.int64]]  # a query (D,) -> row numbers (K,)


@dataclass(frozen=True, eq=False)
class Set:
    """N signatures, Q queries, and the K exact nearest rows of each."""

    vectors: Floats
    queries: Floats
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """A system under test: its name, its search function, and its build time in seconds."""

    name: str
    ask: Ask
    built: float


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--work", type=Path, help="folder for the drawn signatures and their index")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    real = read_real(arguments.real)
    rows: list[dict[str, Any]] = []
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
            rows += _rows(drawn_signatures(real, size, arguments.queries, Path(folder)), Path(folder), arguments)
    report("query", rows, arguments.out, queries=arguments.queries)


def _rows(drawn: Set, folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The measurements at one size; at the largest only Engine's, as the others would not fit into memory."""
    size = len(drawn.vectors)
    library, built = _library(drawn, folder)
    asked = [Asked("engine", lambda query: _ids(library, query), built)]
    aim = recall(asked[0].ask, drawn.queries, drawn.truth)
    if library.parts[0].file is not None and library.parts[0].file.near is not None:
        asked.append(Asked("engine, the index alone", lambda query: _index_alone(library, query), built))
    if size < LISTS_FROM and not arguments.no_peers:
        asked += [_usearch(drawn, aim), _voyager(drawn, aim)]
    if size < LISTS_FROM:
        asked.insert(0, _exact(drawn))
    rows = _in_turns(asked, drawn)
    if size < LISTS_FROM:
        rows = [row | {"times exact": row["p50 ms"] / rows[0]["p50 ms"]} for row in rows]
    rows += _filtered(library, drawn)
    rows.append(_batched(library, drawn))
    for row in rows:
        print(row, flush=True)
    return [{"tracks": size} | row for row in rows]


def drawn_signatures(real: Real, size: int, queries: int, folder: Path) -> Set:
    """Signatures and queries; in a file if there are too many for memory."""
    shape = (size, real.vectors.shape[1])
    vectors: Floats = np.empty(shape, np.float32) if size < LISTS_FROM else _file(folder / "drawn", shape)
    for start in range(0, size, DRAWN_AT_ONCE):
        rows = range(start, min(start + DRAWN_AT_ONCE, size))
        vectors[rows.start : rows.stop] = draw(real, rows, 0)[1]
    _, asked = draw(real, range(queries), 1)
    return Set(vectors, asked, nearest(vectors, asked))


def nearest(vectors: Floats, queries: Floats, allowed: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """The K nearest rows of each query, by comparing all (or all that are allowed), part by part."""
    faiss.omp_set_num_threads(2)
    count = len(vectors) if allowed is None else len(allowed)
    best, rows = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    for start in range(0, count, DRAWN_AT_ONCE):
        part: Any = slice(start, min(start + DRAWN_AT_ONCE, count))
        some = vectors[part] if allowed is None else vectors[allowed[part]]
        near, found = faiss.knn(queries, some, min(K, len(some)), metric=faiss.METRIC_INNER_PRODUCT)
        best = np.concatenate([best, near], axis=1)
        rows = np.concatenate([rows, found + start if allowed is None else allowed[part][found]], axis=1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :K]
        best, rows = np.take_along_axis(best, order, 1), np.take_along_axis(rows, order, 1)
    return rows


def _file(path: Path, shape: tuple[int, int]) -> Floats:
    return np.memmap(path, np.float32, "w+", shape=shape)


def recall(ask: Ask, queries: Floats, truth: NDArray[np.int64]) -> float:
    """The share of the exact nearest rows that are found."""
    return float(np.mean([np.isin(right, ask(query)).mean() for query, right in zip(queries, truth, strict=True)]))


def _in_turns(asked: Sequence[Asked], drawn: Set) -> list[dict[str, Any]]:
    """Send all queries to each system, a few at a time in turns: a temporary slowdown affects all of them."""
    faiss.omp_set_num_threads(1)
    taken: list[list[float]] = [[] for _ in asked]
    for part in np.array_split(drawn.queries, TURNS):
        for each, own in zip(asked, taken, strict=True):
            each.ask(part[0])
            own += milliseconds(lambda i, ask=each.ask, part=part: ask(part[i]), len(part), warm=0)
    return [
        _row(each.name, recall(each.ask, drawn.queries, drawn.truth), own, each.built)
        for each, own in zip(asked, taken, strict=True)
    ]


def _row(name: str, found: float, taken: Sequence[float], built: float = 0.0) -> dict[str, Any]:
    times = {f"{p} ms": ms for p, ms in percentiles(taken).items()}
    return {"what": name, "recall@10": found, **times, "built s": built}


def _exact(drawn: Set) -> Asked:
    flat = flat_index(drawn.vectors)
    return Asked("exact", lambda query: flat.search(query[None], K)[1][0], 0.0)


def _library(drawn: Set, folder: Path) -> tuple[FaissSnapshot, float]:
    """Engine's index, and the seconds that writing it took."""
    began = perf_counter()
    faiss.omp_set_num_threads(2)
    size = len(drawn.vectors)
    known = write_index(folder / "library.db", np.arange(size, dtype=np.int64), drawn.vectors)
    built = perf_counter() - began
    file = open_index(folder / "library.db", known)
    if file is None:
        raise SystemExit("the index that was just written cannot be opened")
    part = file_part(file, None, make_finder(file.signatures, file.near))
    return FaissSnapshot(size, drawn.vectors.shape[1], (part,), threads=2), built


def _filtered(library: FaissSnapshot, drawn: Set) -> list[dict[str, Any]]:
    rows = []
    size, queries = len(drawn.vectors), drawn.queries[:FILTERED_QUERIES]
    for share in SHARES:
        allowed = np.sort(np.random.default_rng(2).choice(size, max(K, int(share * size)), replace=False))
        truth = nearest(drawn.vectors, queries, allowed)
        faiss.omp_set_num_threads(1)

        def ask(query: Floats, allowed: NDArray[np.int64] = allowed) -> NDArray[np.int64]:
            return _ids(library, query, allowed)

        taken = milliseconds(lambda i, ask=ask: ask(queries[i % len(queries)]), len(queries))
        rows.append(_row(f"engine, {share:.1%} pass", recall(ask, queries, truth), taken))
    return rows


def _batched(library: FaissSnapshot, drawn: Set) -> dict[str, Any]:
    faiss.omp_set_num_threads(2)
    taken = milliseconds(lambda _: library.nearest_many(drawn.queries[:BATCH], K), 5)
    return {"what": f"engine, batches of {BATCH}, two threads", "p50 ms": float(np.median(taken)) / BATCH}


def _ids(library: FaissSnapshot, query: Floats, allowed: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    return library.nearest(query, K, allowed=allowed).track_ids


def _index_alone(library: FaissSnapshot, query: Floats) -> NDArray[np.int64]:
    """The nearest by the index's own scores, without exact re-scoring."""
    return library.parts[0].finder.find(query[None], K, None)[0, :K]


def _usearch(drawn: Set, aim: float) -> Asked:
    from usearch.index import Index

    began = perf_counter()
    index = Index(ndim=drawn.vectors.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=80)
    index.add(np.arange(len(drawn.vectors)), drawn.vectors, threads=2)
    built = perf_counter() - began

    def ask_with(width: int) -> Ask:
        def ask(query: Floats) -> NDArray[np.int64]:
            index.expansion_search = width
            return np.asarray(index.search(query, K, threads=1).keys, np.int64)

        return ask

    return _at_equal_recall("usearch", drawn, aim, ask_with, built)


def _voyager(drawn: Set, aim: float) -> Asked:
    import voyager

    began = perf_counter()
    index = voyager.Index(voyager.Space.InnerProduct, drawn.vectors.shape[1], M=32, ef_construction=80)
    index.add_items(drawn.vectors, num_threads=2)
    built = perf_counter() - began

    def ask_with(width: int) -> Ask:
        return lambda query: np.asarray(index.query(query, k=K, query_ef=max(K, width))[0], np.int64)

    return _at_equal_recall("voyager", drawn, aim, ask_with, built)


def _at_equal_recall(name: str, drawn: Set, aim: float, ask_with: Callable[[int], Ask], built: float) -> Asked:
    for width in WIDTHS:
        if recall(ask_with(width), drawn.queries, drawn.truth) >= aim - 0.001:
            break
    return Asked(f"{name}, width {width}", ask_with(width), built)


if __name__ == "__main__":
    main()
