"""`--threads` inside a program that computes already."""

from __future__ import annotations

import os
from contextlib import ExitStack

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from engine.runtime.threads import ONE_BLAS_THREAD, cap_pools


@numba.njit(parallel=True)
def doubled(values: np.ndarray) -> np.ndarray:
    """Twice each value; its first call starts Numba's threads."""
    out = np.empty_like(values)
    for index in numba.prange(values.size):
        out[index] = 2 * values[index]
    return out


def test_numba_goes_on_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another number of threads, asked for when they run, breaks nothing that is compiled afterwards."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))  # put back after the test
    assert doubled(np.ones(8)).sum() == 16
    cap_pools(numba.get_num_threads() + 1)
    assert numba.njit(lambda x: x + 1)(1) == 2


def test_one_blas_thread_in_blocks_that_overlap() -> None:
    """The limit holds while any block is inside, and the number from before comes back with the last."""
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with ExitStack() as later:
            with ONE_BLAS_THREAD:
                later.enter_context(ONE_BLAS_THREAD)
            assert set(blas_threads().values()) == {1}
        assert blas_threads() == before
        assert 2 in before.values()


def blas_threads() -> dict[str, int]:
    """Threads of each BLAS library that is loaded."""
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
