"""Limit threads in a forked child: OpenMP's threads do not survive fork, and a child that uses them deadlocks.

In a forked child, torch and FAISS therefore use one thread. Newly started processes (`subprocess`, `multiprocessing`
with "spawn") are not affected.
"""

from __future__ import annotations

import os
import sys

_is_child = False


def usable_threads(wanted: int) -> int:
    """Return the number of threads for a network or an index in this process: one in a forked child."""
    return 1 if _is_child else wanted


def _after_fork() -> None:
    global _is_child
    _is_child = True
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "faiss" in sys.modules:
        sys.modules["faiss"].omp_set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
