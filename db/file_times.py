"""Times of files as the library stores them."""

from __future__ import annotations

import os

LARGEST = 2**63 - 1  # of a column; in nanoseconds the year 2262, beyond which some file systems reach


def modified_ns(status: os.stat_result) -> int:
    """Return the time of a file's last change in nanoseconds since 1970, limited to what a column holds."""
    return max(-LARGEST, min(status.st_mtime_ns, LARGEST))
