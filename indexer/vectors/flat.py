"""Flat FAISS indexes over rows that are not copied, and the number of threads that FAISS uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from engine.indexer.vectors.store import Floats


def flat_index(signatures: Floats) -> Any:
    """Return an index of unit rows (N, D) by inner product; zero-copy, it keeps `signatures` alive."""
    rows = np.ascontiguousarray(signatures, np.float32)
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.codes.is_owned = False
    flat.codes.view_data = flat.codes.c_ptr = faiss.swig_ptr(rows.reshape(-1).view(np.uint8))
    flat.codes.view_size = flat.codes.c_size = rows.nbytes
    flat.ntotal = len(rows)
    flat.referenced_objects = [rows]
    return flat


@contextmanager
def faiss_threads(threads: int) -> Iterator[None]:
    """Limit the calling thread's OpenMP regions to `threads`; restore the program's own setting on exit."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
