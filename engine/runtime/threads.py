"""Thread counts: a default that leaves the machine usable, and a cap for every numeric library."""

from __future__ import annotations

import os
import sys
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

THREADS = range(1, 1025)  # accepted values
NUMBA = "NUMBA_NUM_THREADS"
BLAS = "OPENBLAS_NUM_THREADS"  # NumPy's
POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", NUMBA)  # that follow the number of threads


def default_threads() -> int:
    """Return half of the cores available to this process, at least two, so that music players are not disturbed."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, max(2, cores // 2))


def cap_pools(threads: int | None) -> None:
    """Limit the pools of BLAS, OpenMP and Numba, which read the environment when NumPy, torch or FAISS are imported.

    NumPy gets one thread: the products of a query are small, and on a busy machine two threads that wait for each
    other take 50 times as long as one. Maps, whose products are large, set more themselves.

    Args:
        threads: Threads; None keeps the environment's value, else the default.
    """
    os.environ.setdefault(BLAS, "1")
    for name in POOLS:
        if name == NUMBA and "numba" in sys.modules:
            continue  # read at each compilation; a change after its threads started is an error
        if threads is not None:
            os.environ[name] = str(threads)
        else:
            os.environ.setdefault(name, str(default_threads()))


class _OneBlasThread:
    """Counts the active blocks, since the limit applies to the whole process; entering takes some 15 us."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._pools: ThreadpoolController | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._pools is None:
                from threadpoolctl import ThreadpoolController

                self._pools = ThreadpoolController().select(user_api="blas")
            if not self._inside:
                self._limit = self._pools.limit(limits=1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


ONE_BLAS_THREAD = _OneBlasThread()
"""Computes NumPy's products on one thread inside a `with` block, in all threads of the process."""
