"""Build approximate indexes, so that a search among many signatures compares the query with only a few.

From GRAPH_FROM signatures, a graph over them (Malkov and Yashunin 2018, HNSW). From LISTS_FROM, where linking would
take hours and the signatures fill the memory, inverted lists of product-quantization codes, one byte for four numbers
(Jégou et al. 2011, IVFADC): x is stored as its list's centre c and, for each subvector m of x - c, the number k_m of
the nearest of 256 centroids e_m,k, so that q . x is about q . c + sum_m q_m . e_m,k_m, a sum of table look-ups.
Candidates of either index are scored exactly from the signatures.
"""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np

from engine.indexer.vectors.store import BATCH_ROWS, Floats

GRAPH_FROM = 50_000  # signatures; comparing fewer takes a few milliseconds
LISTS_FROM = 3_000_000  # linking this many takes a quarter of an hour on two cores; the time grows in proportion
GRAPH_LINKS = 32  # FAISS' M: links of a signature, twice as many on the lowest layer
GRAPH_EFFORT = 80  # efConstruction: larger values take proportionally longer and hardly improve recall
CODE_NUMBERS = 4  # numbers that share a code, or more if D is not divisible by it
CODE_BITS = 8
TRAINING_ROWS = 64  # signatures per list, drawn to train the lists' centres


def build(signatures: Floats) -> Any | None:
    """Return the FAISS index that suits the number of unit rows (N, D); None below GRAPH_FROM.

    A graph copies them. Lists read them in batches, so that they may be mapped from a file larger than memory.
    """
    if len(signatures) < GRAPH_FROM:
        return None
    return _graph(signatures) if len(signatures) < LISTS_FROM else _lists(signatures)


def attach(index: Any, flat: Any) -> None:
    """Attach the signatures of the other file to a graph stored without them; lists and None need none."""
    if isinstance(index, faiss.IndexHNSW):
        index.storage, index.own_fields = flat, False


def _graph(signatures: Floats) -> Any:
    graph = faiss.IndexHNSWFlat(signatures.shape[1], GRAPH_LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = GRAPH_EFFORT
    graph.add(signatures)
    return graph


def _lists(signatures: Floats) -> Any:
    count, dimensions = signatures.shape
    lists = 2 ** int(math.log2(2 * math.sqrt(count)))
    codes = max(n for n in range(1, max(1, dimensions // CODE_NUMBERS) + 1) if dimensions % n == 0)
    centres = faiss.IndexFlatIP(dimensions)
    index = faiss.IndexIVFPQ(centres, dimensions, lists, codes, CODE_BITS, faiss.METRIC_INNER_PRODUCT)
    rows = np.random.default_rng(0).choice(count, min(count, TRAINING_ROWS * lists), replace=False)
    index.cp.max_points_per_centroid = TRAINING_ROWS
    index.train(np.ascontiguousarray(signatures[np.sort(rows)]))
    for start in range(0, count, BATCH_ROWS):
        index.add(np.ascontiguousarray(signatures[start : start + BATCH_ROWS]))
    return index
