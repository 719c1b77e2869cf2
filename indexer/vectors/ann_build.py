"""What FAISS makes of many signatures so that a search need not compare with all of them.

From GRAPH_FROM on a graph over the signatures themselves (Malkov and Yashunin 2018, HNSW); from LISTS_FROM on, where
linking would take hours and the signatures fill the memory, inverted lists of codes of one byte for each four numbers
(Jégou et al. 2011, IVFADC). Either names candidates, which are scored again from the signatures.
"""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

GRAPH_FROM = 50_000  # signatures; fewer are compared one by one in a few milliseconds
LISTS_FROM = 3_000_000  # linking as many takes a quarter of an hour on two cores, and rises in proportion
GRAPH_LINKS = 32  # of each signature on the graph's lowest layer: half of FAISS' M, doubled there
GRAPH_EFFORT = 80  # candidates kept while linking one; more cost time in proportion and find little more
CODE_NUMBERS = 4  # that share a code, or more where their number cannot be divided so
CODE_BITS = 8
TRAINED_ON = 64  # signatures for each list, of those drawn to find the lists' centres
ADDED_AT_ONCE = 65_536

Floats = NDArray[np.float32]


def build(vectors: Floats) -> Any | None:
    """The FAISS index of unit rows (N, D) that fits their number; None where they are few.

    A graph copies them; lists read them block by block, so that they may be mapped from a file larger than memory.
    """
    if len(vectors) < GRAPH_FROM:
        return None
    return _graph(vectors) if len(vectors) < LISTS_FROM else _lists(vectors)


def attach(index: Any, flat: Any) -> None:
    """Give a graph that was stored without its signatures those of the other file; nothing else needs them."""
    if isinstance(index, faiss.IndexHNSW):
        index.storage, index.own_fields = flat, False


def _graph(vectors: Floats) -> Any:
    graph = faiss.IndexHNSWFlat(vectors.shape[1], GRAPH_LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = GRAPH_EFFORT
    graph.add(vectors)
    return graph


def _lists(vectors: Floats) -> Any:
    count, dimensions = vectors.shape
    number = 2 ** int(math.log2(2 * math.sqrt(count)))
    parts = max(n for n in range(1, max(1, dimensions // CODE_NUMBERS) + 1) if dimensions % n == 0)
    index = faiss.IndexIVFPQ(
        faiss.IndexFlatIP(dimensions), dimensions, number, parts, CODE_BITS, faiss.METRIC_INNER_PRODUCT
    )
    drawn = np.random.default_rng(0).choice(count, min(count, TRAINED_ON * number), replace=False)
    index.cp.max_points_per_centroid = TRAINED_ON
    index.train(np.ascontiguousarray(vectors[np.sort(drawn)]))
    for start in range(0, count, ADDED_AT_ONCE):
        index.add(np.ascontiguousarray(vectors[start : start + ADDED_AT_ONCE]))
    return index
