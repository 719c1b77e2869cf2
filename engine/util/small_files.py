"""Read small, regular files, such as settings."""

from __future__ import annotations

import errno
from pathlib import Path

from engine.db.places import open_regular

MOST_BYTES = 16 << 20


def read_small_text(path: Path) -> str:
    """Read a file in UTF-8.

    Raises:
        OSError: It cannot be read, is larger than MOST_BYTES, or is a pipe or a device, which may never end.
        UnicodeDecodeError: It is not UTF-8.
        ValueError: Its name holds a NUL.
    """
    with open_regular(path) as handle:
        content = handle.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MOST_BYTES >> 20} MB", str(path))
    return content.decode("utf-8")
