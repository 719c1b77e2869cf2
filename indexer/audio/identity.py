"""Hash the content of a file, so that a moved or copied file is recognised without decoding it again."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO

from engine.errors import AudioError, reason_of

DIGEST_BYTES = 16
MIB = 1 << 20
WHOLE_LIMIT = 16 * MIB
END_BYTES = MIB
SAMPLE_BYTES = 64 << 10
SAMPLES = 32


def content_hash(path: bytes) -> bytes:
    """Return a 16-byte BLAKE2b digest of a file's content.

    Hashes files of up to 16 MiB whole. Of a larger file it hashes the size, the first and last MiB (headers and tags)
    and 32 evenly spaced blocks of 64 KiB: 4 MiB in all, so that a large FLAC on a network drive needs no full read. A
    change between those blocks that keeps the size is missed here, but changes the modification time, which the library
    also compares. Different recordings differ in the blocks.

    Raises:
        AudioError: The file cannot be read; one line without the path.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (the path is bytes)
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=DIGEST_BYTES)
            for offset, length in _ranges(size):
                _update(digest, file, offset, length)
            return digest.digest()
    except OSError as error:
        raise AudioError(f"cannot be read: {reason_of(error)}") from error


def _ranges(size: int) -> list[tuple[int, int]]:
    """Return the (offset, length) pairs to hash, in order."""
    if size <= WHOLE_LIMIT:
        return [(0, size)]
    middle = size - 2 * END_BYTES - SAMPLE_BYTES
    blocks = [(END_BYTES + middle * i // (SAMPLES - 1), SAMPLE_BYTES) for i in range(SAMPLES)]
    return [(0, END_BYTES), *blocks, (size - END_BYTES, END_BYTES)]


def _update(digest: hashlib.blake2b, file: BinaryIO, offset: int, length: int) -> None:
    file.seek(offset)
    while length > 0:
        data = file.read(min(length, MIB))
        if not data:  # the file was truncated while it was read
            return
        digest.update(data)
        length -= len(data)
