"""Thread counts: a default that leaves the machine usable, and a cap for every library below."""

from __future__ import annotations

import os
import sys

THREADS = range(1, 1025)  # accepted values
NUMBA = "NUMBA_NUM_THREADS"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", NUMBA)


def default_threads() -> int:
    """Return half of the cores available to this process, at least two: players keep playing."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, max(2, cores // 2))


def cap_pools(threads: int | None) -> None:
    """Limit the pools of BLAS, OpenMP and Numba, which read the environment when NumPy, torch or FAISS are imported.

    Args:
        threads: Threads; None keeps the environment's value, else the default.
    """
    for name in POOLS:
        if name == NUMBA and "numba" in sys.modules:
            continue  # read at each compilation; a change after its threads started is an error
        if threads is not None:
            os.environ[name] = str(threads)
        else:
            os.environ.setdefault(name, str(default_threads()))
