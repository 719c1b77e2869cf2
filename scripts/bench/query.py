"""The search alone, by size: `scripts/bench/query.py REAL.db [--sizes 10000 100000 1000000] [--out DIR]`.

Signatures are drawn around those of a real library (`imagined.py`). For each size: what the product does, one query at
a time, in batches, and under filters that 50 %, 5 % and 0.1 % of the tracks pass; every signature compared (exact); and
usearch and voyager (`pip install usearch voyager`), their searches widened until they find as much as the product does.
Queries are other drawn signatures; recall is of the ten nearest; one thread, except where the table says two. Above a
few millions, where the signatures would not fit into memory, the product by itself.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import faiss
import numpy as np
from imagined import Real, draw, read_real
from numpy.typing import NDArray
from reporting import milliseconds, percentiles, report

from engine.db import SignatureState
from engine.indexer.approximate import LISTS_FROM
from engine.indexer.finders import make_finder
from engine.indexer.snapshot import Snapshot
from engine.indexer.vector_files import open_index, write_index

K = 10
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # that a peer may search with
SHARES = (0.5, 0.05, 0.001)
BATCH = 100
DRAWN_AT_ONCE = 262_144

Floats = NDArray[np.float32]
Ask = Callable[[Floats], NDArray[np.int64]]  # a query (D,) -> row numbers (K,)


@dataclass(frozen=True, eq=False)
class Set:
    """N signatures, Q queries, and the K rows that are truly nearest to each."""

    vectors: Floats
    queries: Floats
    truth: NDArray[np.int64]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--work", type=Path, help="where what is drawn and its index are written")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    real = read_real(arguments.real)
    rows: list[dict[str, Any]] = []
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
            rows += _rows(drawn_signatures(real, size, arguments.queries, Path(folder)), Path(folder), arguments)
    report("query", rows, arguments.out, queries=arguments.queries)


def _rows(drawn: Set, folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """What is measured at one size; the largest one only of the product, as the others would not fit into memory."""
    size = len(drawn.vectors)
    rows = _product(drawn, size, folder)
    if size < LISTS_FROM:
        rows.insert(0, _exact(drawn, size))
    if size < LISTS_FROM and not arguments.no_peers:
        aim = next(row["recall@10"] for row in rows if row["what"] == "engine")
        rows += [_usearch(drawn, size, aim), _voyager(drawn, size, aim)]
    for row in rows:
        print(row, flush=True)
    return rows


def drawn_signatures(real: Real, size: int, queries: int, folder: Path) -> Set:
    """Signatures and queries; too many for the memory lie in a file."""
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
    """The share of the truth that is found."""
    return float(np.mean([np.isin(right, ask(query)).mean() for query, right in zip(queries, truth, strict=True)]))


def _timed(name: str, size: int, ask: Ask, queries: Floats, truth: NDArray[np.int64], built: float) -> dict[str, Any]:
    found = recall(ask, queries, truth)
    taken = milliseconds(lambda i: ask(queries[i % len(queries)]), len(queries))
    told = {f"{p} ms": ms for p, ms in percentiles(taken).items()}
    return {"tracks": size, "what": name, "recall@10": found, **told, "built s": built}


def _exact(drawn: Set, size: int) -> dict[str, Any]:
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(drawn.vectors.shape[1])
    flat.add(drawn.vectors)
    few = slice(0, 50)
    return _timed("exact", size, lambda q: flat.search(q[None], K)[1][0], drawn.queries[few], drawn.truth[few], 0.0)


def _product(drawn: Set, size: int, folder: Path) -> list[dict[str, Any]]:
    began = perf_counter()
    faiss.omp_set_num_threads(2)
    known = write_index(folder / "library.db", np.arange(size, dtype=np.int64), drawn.vectors)
    built = perf_counter() - began
    file = open_index(folder / "library.db", known)
    if file is None:
        raise SystemExit("the index that was just written cannot be opened")
    none = np.zeros(0, np.int64)
    new = np.zeros((0, drawn.vectors.shape[1]), np.float32)
    library = Snapshot(SignatureState(size, size), file, make_finder(file, gpu=False), None, none, new)
    faiss.omp_set_num_threads(1)
    rows = [_timed("engine", size, lambda q: _ids(library, q), drawn.queries, drawn.truth, built)]
    for share in SHARES:
        allowed = np.sort(np.random.default_rng(2).choice(size, max(K, int(share * size)), replace=False))
        truth = nearest(drawn.vectors, drawn.queries[:100], allowed)
        faiss.omp_set_num_threads(1)
        name = f"engine, {share:.1%} pass"
        rows.append(_timed(name, size, lambda q, a=allowed: _ids(library, q, a), drawn.queries[:100], truth, 0.0))
    faiss.omp_set_num_threads(2)
    taken = milliseconds(lambda _: library.search_many(drawn.queries[:BATCH], K), 5)
    name = f"engine, batches of {BATCH}, two threads"
    rows.append({"tracks": size, "what": name, "p50 ms": np.median(taken) / BATCH})
    return rows


def _ids(library: Snapshot, query: Floats, allowed: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    return np.array([neighbour.track_id for neighbour in library.search(query, K, allowed=allowed)])


def _usearch(drawn: Set, size: int, aim: float) -> dict[str, Any]:
    from usearch.index import Index

    began = perf_counter()
    index = Index(ndim=drawn.vectors.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=80)
    index.add(np.arange(size), drawn.vectors, threads=2)
    built = perf_counter() - began

    def ask_with(width: int) -> Ask:
        def ask(query: Floats) -> NDArray[np.int64]:
            index.expansion_search = width
            return np.asarray(index.search(query, K, threads=1).keys, np.int64)

        return ask

    return _at_equal_recall("usearch", drawn, size, aim, ask_with, built)


def _voyager(drawn: Set, size: int, aim: float) -> dict[str, Any]:
    import voyager

    began = perf_counter()
    index = voyager.Index(voyager.Space.InnerProduct, drawn.vectors.shape[1], M=32, ef_construction=80)
    index.add_items(drawn.vectors, num_threads=2)
    built = perf_counter() - began

    def ask_with(width: int) -> Ask:
        return lambda query: np.asarray(index.query(query, k=K, query_ef=max(K, width))[0], np.int64)

    return _at_equal_recall("voyager", drawn, size, aim, ask_with, built)


def _at_equal_recall(
    name: str, drawn: Set, size: int, aim: float, ask_with: Callable[[int], Ask], built: float
) -> dict[str, Any]:
    for width in WIDTHS:
        if recall(ask_with(width), drawn.queries, drawn.truth) >= aim - 0.001:
            break
    return _timed(f"{name}, width {width}", size, ask_with(width), drawn.queries, drawn.truth, built)


if __name__ == "__main__":
    main()
