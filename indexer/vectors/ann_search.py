"""Find candidate rows for a query, which are then scored exactly from the signatures.

`FlatFinder` compares all rows, and so does `GpuFinder`, on GPUs; `GraphFinder` and `ListsFinder` search the indexes of
`ann_build`.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.indexer.vectors.exact import ROUNDING, cosines, shortlist
from engine.indexer.vectors.flat import flat_index
from engine.indexer.vectors.store import Floats

SPARE = 16  # candidates beyond k: a few may be excluded, and float16 on a GPU may swap close ones
SMALLEST_EFFORT = 58  # candidates that a search of the graph maintains (efSearch), at least
EFFORT_SPARE = 8  # and beyond those wanted
EFFORT_GROWTH = 0.75  # a filter that a share s of the rows passes multiplies the effort by s ** -0.75
PROBES = 48  # lists that a search visits (nprobe)
PROBES_GROWTH = 0.5  # as EFFORT_GROWTH, for lists
CODES_FACTOR = 8  # PQ distances are approximate: fetch 8k candidates, re-rank exactly
EXACT_SHARE = 0.02  # if a smaller share of the rows passes a filter, compare all that pass
GPU_LARGEST_K = 2048  # FAISS' own limit

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Finder(Protocol):
    """Finds candidate rows."""

    def find(self, queries: Floats, k: int, passing: Mask | None) -> Rows:
        """Return rows (Q, C), C >= k, a superset of the k nearest to each unit vector (Q, D); -1 fills the rest.

        Args:
            queries: (Q, D).
            k: Rows wanted, 1 or more.
            passing: (N,), the rows that may be returned; None for all.
        """


class FlatFinder:
    """Compares all rows: exact. One query takes one thread."""

    def __init__(self, signatures: Floats) -> None:
        self._signatures = signatures
        self._index = flat_index(signatures)

    def find(self, queries: Floats, k: int, passing: Mask | None) -> Rows:
        """See `Finder`; rows that tie with the k-th are among the candidates."""
        if passing is not None and len(queries) > 1:  # FAISS has no matrix product for selected rows
            kept = np.flatnonzero(passing)
            rows = FlatFinder(self._signatures[kept]).find(queries, k, None) if len(kept) else _none(queries)
            return np.where(rows >= 0, kept[rows], -1) if len(kept) else rows
        count = min(k + SPARE, len(self._signatures))
        params = None if passing is None else faiss.SearchParameters(sel=_selector(passing))
        scores, rows = self._index.search(queries, count, params=params)
        if count < len(self._signatures):
            tied = np.flatnonzero(scores[:, -1] >= scores[:, k - 1] - ROUNDING)
            rows = self._with_ties(queries, k, passing, rows, tied)
        return rows

    def _with_ties(self, queries: Floats, k: int, passing: Mask | None, rows: Rows, tied: NDArray[np.intp]) -> Rows:
        """Replace the candidates of queries with more than SPARE ties at the k-th score."""
        for place in tied.tolist():
            if rows[place, -1] < 0:
                continue  # fewer than k rows pass
            scores = cosines(self._signatures, queries[place])
            own = shortlist(scores if passing is None else np.where(passing, scores, -2), k)
            rows = np.pad(rows, ((0, 0), (0, max(0, len(own) - rows.shape[1]))), constant_values=-1)
            rows[place] = -1
            rows[place, : len(own)] = own
        return rows


class GraphFinder:
    """Walks a graph of neighbours (Malkov and Yashunin 2018, HNSW). Rows that do not pass are walked through."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    def find(self, queries: Floats, k: int, passing: Mask | None) -> Rows:
        """See `Finder`; approximate."""
        count = k + SPARE
        effort = _widened(max(SMALLEST_EFFORT, count + EFFORT_SPARE), EFFORT_GROWTH, passing)
        params = faiss.SearchParametersHNSW(efSearch=effort, sel=_selector(passing))
        rows: Rows = self._graph.search(queries, count, params=params)[1]
        return rows


class ListsFinder:
    """Visits the lists whose centres are nearest to a query (Jégou et al. 2011, IVFADC)."""

    def __init__(self, lists: Any) -> None:
        self._lists = lists

    def find(self, queries: Floats, k: int, passing: Mask | None) -> Rows:
        """See `Finder`; approximate."""
        params = faiss.SearchParametersIVF(nprobe=_widened(PROBES, PROBES_GROWTH, passing), sel=_selector(passing))
        count = min((k + SPARE) * CODES_FACTOR, self._lists.ntotal)
        rows: Rows = self._lists.search(queries, count, params=params)[1]
        return rows


class GpuFinder:
    """Compares all rows in float16 on all GPUs that FAISS sees; each holds a part of them.

    Args:
        signatures: (N, D).
        fallback: Searches on the CPU with a filter, for more than GPU_LARGEST_K rows, or when a GPU fails.

    Raises:
        RuntimeError: The GPUs have too little memory.
    """

    def __init__(self, signatures: Floats, fallback: Finder) -> None:
        options = faiss.GpuMultipleClonerOptions()
        options.useFloat16 = True
        options.shard = True
        self._index = faiss.index_cpu_to_all_gpus(flat_index(signatures), options)
        self._fallback = fallback
        self._lock = threading.Lock()  # FAISS' GPU indexes are not safe for concurrent readers

    def find(self, queries: Floats, k: int, passing: Mask | None) -> Rows:
        """See `Finder`."""
        if passing is None and k + SPARE <= GPU_LARGEST_K:
            with self._lock:
                try:
                    rows: Rows = self._index.search(queries, min(k + SPARE, self._index.ntotal))[1]
                    return rows
                except RuntimeError:  # the GPU or its memory is gone
                    pass
        return self._fallback.find(queries, k, passing)


def make_finder(signatures: Floats, near: Any | None = None, *, gpu: bool = False) -> Finder:
    """Return a finder of unit rows (N, D).

    Args:
        signatures: (N, D).
        near: An index of `ann_build`, or None to compare all rows.
        gpu: Use GPUs if FAISS sees some that are large enough.
    """
    finder: Finder
    if near is None:
        finder = FlatFinder(signatures)
    else:
        finder = GraphFinder(near) if isinstance(near, faiss.IndexHNSW) else ListsFinder(near)
    if gpu and getattr(faiss, "get_num_gpus", lambda: 0)() > 0:
        try:
            return GpuFinder(signatures, finder)
        except RuntimeError:
            pass
    return finder


def _selector(passing: Mask | None) -> Any | None:
    return None if passing is None else faiss.IDSelectorBitmap(np.packbits(passing, bitorder="little"))


def _widened(effort: int, growth: float, passing: Mask | None) -> int:
    """Return a search effort that is larger if few rows pass."""
    return effort if passing is None else int(effort / max(float(passing.mean()), EXACT_SHARE) ** growth)


def _none(queries: Floats) -> Rows:
    return np.full((len(queries), 1), -1, np.int64)
