"""What finds the nearest rows of an index file without comparing all of them on the CPU: a graph, lists, or GPUs."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.indexer.vectors.index_files import IndexFile

SMALLEST_EFFORT, EFFORT_SPARE = 58, 8  # candidates that a search of the graph keeps, and beyond those asked for
EFFORT_GROWTH = 0.75  # a filter that a share s of the rows passes makes a search try s ** -0.75 times as many
PROBES = 48  # lists that a search looks into
PROBES_GROWTH = 0.5  # the same as EFFORT_GROWTH, of lists
RESCORED = 8  # times as many candidates of lists as asked for: their codes say only about how near they are
EXACT_SHARE = 0.02  # of the rows: where fewer pass a filter, they are better compared one by one
GPU_LARGEST_K = 2048  # FAISS' own limit

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Finder(Protocol):
    """Finds rows. A `passing` mask (N,) says which of them may be found; None for all."""

    def find(self, queries: Floats, count: int, passing: NDArray[np.bool_] | None) -> Rows | None:
        """At least COUNT rows (Q, C) about nearest to queries (Q, D), to be scored exactly; None where it cannot say.

        There is -1 where there are fewer.
        """


class GraphFinder:
    """Walks the file's graph (Malkov and Yashunin 2018, HNSW). Rows that do not pass are walked through, not given."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    def find(self, queries: Floats, count: int, passing: NDArray[np.bool_] | None) -> Rows:
        """See `Finder`."""
        effort = _widened(max(SMALLEST_EFFORT, count + EFFORT_SPARE), EFFORT_GROWTH, passing)
        options = faiss.SearchParametersHNSW(efSearch=effort, sel=_selector(passing))
        rows: Rows = self._graph.search(queries, count, params=options)[1]
        return rows


class ListsFinder:
    """Looks into the lists whose centres are nearest to a query (Jégou et al. 2011, IVFADC)."""

    def __init__(self, lists: Any) -> None:
        self._lists = lists

    def find(self, queries: Floats, count: int, passing: NDArray[np.bool_] | None) -> Rows:
        """See `Finder`."""
        options = faiss.SearchParametersIVF(nprobe=_widened(PROBES, PROBES_GROWTH, passing), sel=_selector(passing))
        found = min(count * RESCORED, self._lists.ntotal)
        rows: Rows = self._lists.search(queries, found, params=options)[1]
        return rows


class GpuFinder:
    """Compares with every row, in half precision, on all GPUs that FAISS sees; each holds a part of them."""

    def __init__(self, file: IndexFile) -> None:
        options = faiss.GpuMultipleClonerOptions()
        options.useFloat16 = True
        options.shard = True
        self._index = faiss.index_cpu_to_all_gpus(faiss.downcast_index(file.owner.index), options)
        self._lock = threading.Lock()  # FAISS' GPU indexes are not safe for concurrent readers

    def find(self, queries: Floats, count: int, passing: NDArray[np.bool_] | None) -> Rows | None:
        """See `Finder`; a filter, or more rows than FAISS can sort on a GPU, is left to the CPU."""
        if passing is not None or count > GPU_LARGEST_K:
            return None
        with self._lock:
            try:
                rows: Rows = self._index.search(queries, min(count, self._index.ntotal))[1]
            except RuntimeError:  # the GPU went away, or its memory did
                return None
        return rows


def make_finder(file: IndexFile, *, gpu: bool) -> Finder | None:
    """The GPUs where they are wanted, there, and large enough; else the graph or lists; None where there are none."""
    if gpu and getattr(faiss, "get_num_gpus", lambda: 0)() > 0:
        try:
            return GpuFinder(file)
        except RuntimeError:  # too little memory
            pass
    if file.near is None:
        return None
    return GraphFinder(file.near) if isinstance(file.near, faiss.IndexHNSW) else ListsFinder(file.near)


def _selector(passing: NDArray[np.bool_] | None) -> Any | None:
    """FAISS' word for the rows that pass."""
    return None if passing is None else faiss.IDSelectorBitmap(np.packbits(passing, bitorder="little"))


def _widened(effort: int, growth: float, passing: NDArray[np.bool_] | None) -> int:
    """An effort, greater where few rows pass."""
    return effort if passing is None else int(effort / max(float(passing.mean()), EXACT_SHARE) ** growth)
