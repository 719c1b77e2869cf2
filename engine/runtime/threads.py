"""How many threads: a default that leaves the machine usable, and a cap that every library below keeps."""

from __future__ import annotations

import os
import sys

THREADS = range(1, 1025)  # that may be asked for
NUMBA = "NUMBA_NUM_THREADS"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", NUMBA)


def default_threads() -> int:
    """Half of the cores that this process may use, at least two: a player on the same machine keeps playing."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, max(2, cores // 2))


def cap_pools(threads: int | None) -> None:
    """Tell the pools of BLAS, OpenMP and Numba, which read it once, when NumPy, torch or FAISS are first imported.

    Args:
        threads: As asked for; None leaves what the environment says, else the default.
    """
    for name in POOLS:
        if name == NUMBA and "numba" in sys.modules:
            continue  # it reads the variable at each compilation, and refuses another number once its threads run
        if threads is not None:
            os.environ[name] = str(threads)
        else:
            os.environ.setdefault(name, str(default_threads()))
