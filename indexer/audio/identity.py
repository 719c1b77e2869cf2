"""What a file's content is, told by a hash: the same sound under another name needs no second analysis."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO

from engine.errors import AudioError

DIGEST_BYTES = 16
MIB = 1 << 20
WHOLE_LIMIT = 16 * MIB
END_BYTES = MIB
SAMPLE_BYTES = 64 << 10
SAMPLES = 32


def content_hash(path: bytes) -> bytes:
    """Give a 16-byte digest of a file's content.

    Up to 16 MiB all of it counts. Of a bigger file count its size, its first and last MiB (headers and tags) and 32
    blocks of 64 KiB spread evenly: 4 MiB, so that a large FLAC on a network drive costs no full read. The price: a
    change of a big file that keeps its size and falls between those blocks goes unseen here; its time of change, which
    the library keeps as well, tells it. Two different recordings cannot coincide in all of the blocks.

    Raises:
        AudioError: the file cannot be read; one line, which does not name the path.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (the path is bytes)
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=DIGEST_BYTES)
            for offset, length in _ranges(size):
                _feed(digest, file, offset, length)
            return digest.digest()
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}") from error


def _ranges(size: int) -> list[tuple[int, int]]:
    """Give the (offset, length) pairs that count, in order."""
    if size <= WHOLE_LIMIT:
        return [(0, size)]
    middle = size - 2 * END_BYTES - SAMPLE_BYTES
    blocks = [(END_BYTES + middle * i // (SAMPLES - 1), SAMPLE_BYTES) for i in range(SAMPLES)]
    return [(0, END_BYTES), *blocks, (size - END_BYTES, END_BYTES)]


def _feed(digest: hashlib.blake2b, file: BinaryIO, offset: int, length: int) -> None:
    file.seek(offset)
    while length > 0:
        data = file.read(min(length, MIB))
        if not data:  # truncated meanwhile
            return
        digest.update(data)
        length -= len(data)
