"""Memory while many files are read: reused between arrays, returned to the system at the end."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
LARGEST_KEPT = 32 << 20  # bytes; the maximum that glibc accepts
KEPT = 256 << 20  # bytes
DEFAULT_TRIM = 128 << 10  # bytes


@contextmanager
def kept_memory() -> Iterator[None]:
    """Make glibc retain freed memory: by default it requests each large array from the kernel again, page by page.

    With other C libraries this does nothing.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "mallopt") or not hasattr(libc, "malloc_trim"):
        yield
        return
    libc.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
    libc.mallopt(M_TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        libc.mallopt(M_TRIM_THRESHOLD, DEFAULT_TRIM)
        libc.malloc_trim(0)
