"""Index files on disk: named after their content, written whole or not at all, mapped into memory when opened.

STEM.<digest>.faiss holds a library's signatures; in a large library STEM.<digest>.<digest>.near.faiss holds the graph
or lists to search. Both are in FAISS' own format; a graph is stored without its vectors, which are in the first file.
The library stores the digests; files with other names are leftovers.

Damage: a file is verified by its digest when it is opened. A large file of signatures would take too long to read: its
digest covers the checksums of its blocks, and each block is verified when it is first read.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.db.places import HAS_LOCKS, create_file, lock, open_regular, sync_folder
from engine.errors import UnavailableError
from engine.indexer.vectors.ann_build import attach, build
from engine.indexer.vectors.checksums import Blocks, append_checksums, open_blocks, read_checksums
from engine.indexer.vectors.flat import flat_index
from engine.indexer.vectors.store import Floats, Ids

DIGEST_LETTERS = 16  # of a digest, in a file name
LARGE_BYTES = 2**28  # a larger file of signatures has checksums
SAMPLES, SAMPLE_BYTES = 256, 2**16  # of the sampled digests of large files, made by version 0.2


class IndexFile:
    """An open index. Its arrays are views of the mapped file and take memory as they are read.

    Attributes:
        ids: Track ids (N,), sorted.
        signatures: (N, D); call `check` before reading rows.
        near: The index that finds candidates (`engine.indexer.vectors.ann_build`), or None.
        path: The file of signatures.
        damaged: Whether `check` or `intact` found damage.
    """

    def __init__(self, ids: Ids, signatures: Floats, near: Any | None, opened: _Opened) -> None:
        self.ids, self.signatures, self.near, self.path = ids, signatures, near, opened.path
        self.damaged = False
        self._opened = opened
        # FAISS writes a header, the signatures, the number of ids (8 bytes) and the ids.
        self._start = opened.size - ids.nbytes - 8 - signatures.nbytes

    def check(self, rows: NDArray[np.intp] | NDArray[np.int64] | slice) -> None:
        """Check the blocks that hold some rows, each once; on damage remove the file.

        Raises:
            UnavailableError: A block is damaged.
        """
        if self._opened.blocks is None:
            return
        stride = self.signatures.shape[1] * self.signatures.itemsize
        starts = np.arange(*rows.indices(len(self.ids))) if isinstance(rows, slice) else rows
        if not self._opened.blocks.verify(self._start + starts * stride, stride):
            self._discard()
            raise UnavailableError(
                f"index file {self.path} is damaged", hint="try again: the signatures are safe in the library"
            )

    def intact(self) -> bool:
        """Return whether the whole file is unchanged since it was written."""
        if self._opened.blocks is not None and not self._opened.blocks.verify_all():
            self.damaged = True
        return not self.damaged

    @property
    def outdated(self) -> bool:
        """Whether version 0.2 wrote the file: its digest of a large file covers only samples."""
        return self._opened.sampled

    def head_intact(self) -> bool:
        """Return whether everything except the signatures is unchanged since it was written."""
        blocks, rest = self._opened.blocks, np.array([self._start + self.signatures.nbytes])
        return blocks is None or (
            blocks.verify(np.zeros(1, np.int64), max(1, self._start)) and blocks.verify(rest, self.ids.nbytes + 8)
        )

    def _discard(self) -> None:
        self.damaged = True
        with suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True, eq=False)
class _Opened:
    """A file that was read or mapped: FAISS' index and the length of its content in bytes."""

    path: Path
    index: Any
    size: int
    blocks: Blocks | None
    sampled: bool


def write_index(stem: Path, ids: Ids, signatures: Floats) -> str:
    """Write the files of N signatures, sorted by track id, and return the digests that `open_index` takes.

    Raises:
        OSError: They cannot be written; earlier files are untouched.
    """
    flat = flat_index(signatures)
    flat.ntotal = 0  # the map takes an empty index; adding to it would copy
    index = faiss.IndexIDMap(flat)
    flat.ntotal = index.ntotal = len(signatures)
    faiss.copy_array_to_vector(ids, index.id_map)
    digest = _put(index, lambda found: signatures_path(stem, found), checksums=True)
    near = build(signatures)
    if near is None:
        return digest
    near_digest = _put(near, lambda found: _near_path(stem, digest, found), faiss.IO_FLAG_SKIP_STORAGE)
    return f"{digest} {near_digest}"


def open_index(stem: Path, digests: str, *, mapped: bool = True, verified: bool = False) -> IndexFile | None:
    """Open the files that `write_index` wrote; None if one is missing or damaged, or its digest differs.

    Args:
        stem: As in `write_index`.
        digests: Its result.
        mapped: Map the files into memory instead of reading them.
        verified: Check all blocks now.
    """
    digest, _, near_digest = digests.partition(" ")
    opened = _get(signatures_path(stem, digest), digest, mapped)
    near = _get(_near_path(stem, digest, near_digest), near_digest, mapped) if near_digest else None
    if opened is None or (near_digest and near is None):
        return None
    try:
        flat = faiss.downcast_index(opened.index.index)
        ids = faiss.vector_to_array(opened.index.id_map).astype(np.int64)
        signatures = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)
    except AttributeError:  # another kind of index
        return None
    near_index = near.index if near else None
    attach(near_index, flat)
    file = IndexFile(ids, signatures, near_index, opened)
    whole = verified or near is None or not mapped
    return file if (file.intact() if whole else file.head_intact()) else None


def sweep(stem: Path, digests: str) -> None:
    """Remove earlier files of this stem; processes that have mapped them can still read them."""
    digest, _, near_digest = digests.partition(" ")
    current = {signatures_path(stem, digest), _near_path(stem, digest, near_digest)}
    ours = re.compile(re.escape(stem.name) + r"(\.[0-9a-f]+)?(\.[0-9a-f]+\.(graph|near))?\.faiss")
    unfinished = re.compile(re.escape(stem.name) + r"\.[0-9a-f.]*((near\.)?faiss\.)?[0-9a-f]+\.part")
    for path in stem.parent.iterdir():
        with suppress(OSError):
            if ours.fullmatch(path.name) and path not in current:
                path.unlink()
            elif HAS_LOCKS and unfinished.fullmatch(path.name):
                with open_regular(path) as handle:
                    lock(handle)  # fails while another process writes it
                    path.unlink()


def signatures_path(stem: Path, digests: str) -> Path:
    """Return the path of the file of signatures."""
    return Path(f"{stem}.{digests.partition(' ')[0][:DIGEST_LETTERS]}.faiss")


def _near_path(stem: Path, digest: str, near_digest: str) -> Path:
    return Path(f"{stem}.{digest[:DIGEST_LETTERS]}.{near_digest[:DIGEST_LETTERS]}.near.faiss")


def _put(index: Any, name: Callable[[str], Path], flags: int = 0, *, checksums: bool = False) -> str:
    """Write a temporary file, flush, rename: a crash leaves no half-written index. Return the digest."""
    partial = Path(f"{name('')}.{secrets.token_hex(8)}.part")
    try:
        with create_file(partial) as handle:
            lock(handle)  # `sweep` removes unlocked ones: their writer was killed
            faiss.write_index(index, faiss.PyCallbackIOWriter(handle.write), flags)
            tail = append_checksums(handle) if checksums and handle.tell() > LARGE_BYTES else None
            handle.flush()
            os.fsync(handle.fileno())
            digest = _digest(handle) if tail is None else hashlib.sha256(tail).hexdigest()
            partial.replace(name(digest))
        sync_folder(partial.parent)
    except RuntimeError as error:  # FAISS wraps the writer's error
        raise OSError(str(error)) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return digest


def _get(path: Path, digest: str, mapped: bool) -> _Opened | None:
    """Map or read a file if it has this digest."""
    try:
        with open_regular(path) as handle:
            tail, size = read_checksums(handle), handle.seek(0, os.SEEK_END)
            if tail is not None and hashlib.sha256(tail).hexdigest() == digest:
                size, blocks, sampled = size - len(tail), open_blocks(handle, tail), False
                if not blocks.verify(np.zeros(1, np.int64), 1):  # FAISS' header
                    return None
            elif size > LARGE_BYTES and _sampled_digest(handle) == digest:
                blocks, sampled = None, True
            elif _digest(handle) == digest:
                blocks, sampled = None, False
            else:
                return None
            # By descriptor: names need not be UTF-8.
            index = faiss.read_index(f"/dev/fd/{handle.fileno()}", faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except (OSError, RuntimeError, MemoryError):
        return None
    return _Opened(path, index, size, blocks, sampled)


def _digest(handle: BinaryIO) -> str:
    handle.seek(0)
    return hashlib.file_digest(handle, "sha256").hexdigest()  # type: ignore[arg-type]


def _sampled_digest(handle: BinaryIO) -> str:
    """Return version 0.2's digest of a large file: of its length and of samples."""
    size = handle.seek(0, os.SEEK_END)
    digest = hashlib.sha256(str(size).encode())
    for i in range(SAMPLES):
        handle.seek(i * (size - SAMPLE_BYTES) // (SAMPLES - 1))
        digest.update(handle.read(SAMPLE_BYTES))
    return digest.hexdigest()
