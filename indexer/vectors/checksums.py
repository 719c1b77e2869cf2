"""Append checksums of blocks to a large file, to detect damage when a block is first read.

Layout: the content, a CRC-32 (little-endian) for each BLOCK_BYTES of it, then FOOTER and the content's length (8 bytes,
little-endian). Readers of the content's own format ignore this trailer.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 2**14
FOOTER = b"CRC32-16"
SUM = np.dtype("<u4")
READ_BYTES = BLOCK_BYTES * 256


class Blocks:
    """The blocks of an opened file; each is verified at most once.

    Args:
        content: The file's content as mapped bytes (size,).
        sums: A CRC-32 for each block (B,).
    """

    def __init__(self, content: NDArray[np.uint8], sums: NDArray[np.uint32]) -> None:
        self._content, self._sums = content, sums
        self._unchecked = np.ones(len(sums), bool)  # (B,), cleared by `_verify`

    def verify(self, starts: NDArray[np.int64], size: int) -> bool:
        """Return whether the blocks that hold `size` bytes from each start (M,) are intact; each is read once."""
        first, last = starts // BLOCK_BYTES, (starts + size - 1) // BLOCK_BYTES
        touched = np.minimum(first[:, None] + np.arange(size // BLOCK_BYTES + 2), last[:, None])
        return self._verify(np.unique(touched[self._unchecked[touched]]))

    def verify_all(self) -> bool:
        """Return whether all blocks are intact."""
        return self._verify(np.flatnonzero(self._unchecked))

    def _verify(self, blocks: NDArray[np.int64] | NDArray[np.intp]) -> bool:
        for block in blocks.tolist():
            if zlib.crc32(self._content[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES].data) != self._sums[block]:
                return False
            self._unchecked[block] = False
        return True


def append_checksums(handle: BinaryIO) -> bytes:
    """Append the checksums of a file's content to it; return the appended bytes."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(0)
    tail = np.array(list(_sums(handle)), SUM).tobytes() + FOOTER + size.to_bytes(8, "little")
    handle.seek(0, os.SEEK_END)
    handle.write(tail)
    return tail


def read_checksums(handle: BinaryIO) -> bytes | None:
    """Return the bytes that `append_checksums` appended; None if the file has none."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, size - len(FOOTER) - 8))
    footer = handle.read()
    content = int.from_bytes(footer[-8:], "little")
    length = -(-content // BLOCK_BYTES) * SUM.itemsize + len(FOOTER) + 8
    if not footer.startswith(FOOTER) or content + length != size:
        return None
    handle.seek(content)
    return handle.read()


def open_blocks(handle: BinaryIO, tail: bytes) -> Blocks:
    """Map the content of a file that ends in `tail`."""
    size = int.from_bytes(tail[-8:], "little")
    content = np.memmap(handle, np.uint8, "r", shape=(size,))
    return Blocks(content, np.frombuffer(tail[: -len(FOOTER) - 8], SUM))


def _sums(handle: BinaryIO) -> Iterator[int]:
    while part := handle.read(READ_BYTES):
        for start in range(0, len(part), BLOCK_BYTES):
            yield zlib.crc32(part[start : start + BLOCK_BYTES])
