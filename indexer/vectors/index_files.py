"""Index files on disk: named after what they hold, written whole or not at all, mapped into memory when opened.

STEM.<digest>.faiss holds a library's signatures; STEM.<digest>.<digest>.near.faiss, in a large one, the graph or lists
that are searched instead of comparing with all. Both are FAISS' own formats, a graph's without its storage, which is
the other file. The library notes the digests: a file of another name is nobody's.
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
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.db.places import HAS_LOCKS, create_file, lock, open_regular, sync_folder
from engine.indexer.vectors.ann_build import attach, build

DIGEST_LETTERS = 16
READ_WHOLE_BYTES = 2**28  # a larger file is checked by its length and by samples
SAMPLES, SAMPLE_BYTES = 256, 2**16

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class IndexFile:
    """An opened index: its arrays are views of the mapped file, and take memory as they are read.

    Attributes:
        track_ids: (N,), rising.
        vectors: (N, D), unit rows.
        near: What names candidates without comparing all (`engine.indexer.vectors.ann_build`), or None.
        owner: What keeps the mapping.
    """

    track_ids: NDArray[np.int64]
    vectors: Floats
    near: Any | None
    owner: Any


def write_index(stem: Path, track_ids: NDArray[np.int64], vectors: Floats) -> str:
    """Write the files of N signatures, sorted by track id, and return what `open_index` knows them by.

    Raises:
        OSError: They cannot be written; what was there before is untouched.
    """
    digest = _put(_flat(track_ids, vectors), lambda found: _vectors_path(stem, found))
    near = build(vectors)
    if near is None:
        return digest
    near_digest = _put(near, lambda found: _near_path(stem, digest, found), faiss.IO_FLAG_SKIP_STORAGE)
    return f"{digest} {near_digest}"


def open_index(stem: Path, known: str, *, mapped: bool = True) -> IndexFile | None:
    """Open what `write_index` wrote, mapped or read into memory; None unless every file is what was written."""
    digest, _, near_digest = known.partition(" ")
    owner = _get(_vectors_path(stem, digest), digest, mapped)
    if owner is None:
        return None
    try:
        flat = faiss.downcast_index(owner.index)
        track_ids = faiss.vector_to_array(owner.id_map).astype(np.int64)
        vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)
    except AttributeError:  # another kind of index
        return None
    near = _get(_near_path(stem, digest, near_digest), near_digest, mapped) if near_digest else None
    if near_digest and near is None:
        return None
    attach(near, flat)
    return IndexFile(track_ids, vectors, near, owner)


def sweep(stem: Path, known: str) -> None:
    """Remove the files that an index of this stem had before; a process that has them open keeps what it reads."""
    digest, _, near_digest = known.partition(" ")
    current = {_vectors_path(stem, digest), _near_path(stem, digest, near_digest)}
    ours = re.compile(re.escape(stem.name) + r"(\.[0-9a-f]+)?(\.[0-9a-f]+\.(graph|near))?\.faiss")
    unfinished = re.compile(re.escape(stem.name) + r"\.([0-9a-f.]+\.)?[0-9a-f]+\.part")
    for path in stem.parent.iterdir():
        with suppress(OSError):
            if ours.fullmatch(path.name) and path not in current:
                path.unlink()
            elif HAS_LOCKS and unfinished.fullmatch(path.name):
                with open_regular(path) as handle:
                    lock(handle)  # fails while another process writes it
                    path.unlink()


def vectors_file(stem: Path, known: str) -> Path:
    """Where the signatures lie."""
    return _vectors_path(stem, known.partition(" ")[0])


def _vectors_path(stem: Path, digest: str) -> Path:
    return Path(f"{stem}.{digest[:DIGEST_LETTERS]}.faiss")


def _near_path(stem: Path, digest: str, near_digest: str) -> Path:
    return Path(f"{stem}.{digest[:DIGEST_LETTERS]}.{near_digest[:DIGEST_LETTERS]}.near.faiss")


def _flat(track_ids: NDArray[np.int64], vectors: Floats) -> Any:
    """FAISS' index of rows that stay where they are, and must until it is gone: to add them would copy them."""
    flat = faiss.IndexFlatIP(vectors.shape[1])
    index = faiss.IndexIDMap(flat)
    flat.codes.is_owned = False
    flat.codes.view_data = flat.codes.c_ptr = faiss.swig_ptr(vectors.reshape(-1).view(np.uint8))
    flat.codes.view_size = flat.codes.c_size = vectors.nbytes
    flat.ntotal = index.ntotal = len(vectors)
    faiss.copy_array_to_vector(track_ids, index.id_map)
    return index


def _put(index: Any, name: Callable[[str], Path], flags: int = 0) -> str:
    """Write a temporary file, flush, rename: a crash between leaves nothing that anybody takes for an index."""
    stem = name("")
    partial = Path(f"{stem}.{secrets.token_hex(8)}.part")
    try:
        with create_file(partial) as handle:
            lock(handle)  # `sweep` removes unlocked ones: their writer was killed
            faiss.write_index(index, faiss.PyCallbackIOWriter(handle.write), flags)
            handle.flush()
            os.fsync(handle.fileno())
            digest = _digest(partial)
            partial.replace(name(digest))
        sync_folder(partial.parent)
    except RuntimeError as error:  # FAISS' word for what the writer met
        raise OSError(str(error)) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return digest


def _get(path: Path, digest: str, mapped: bool) -> Any | None:
    """Map a file into memory, or read it, if it is the one of this digest."""
    try:
        if _digest(path) != digest:
            return None
        with open_regular(path) as handle:  # by descriptor: names need not be UTF-8
            return faiss.read_index(f"/dev/fd/{handle.fileno()}", faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except (OSError, RuntimeError):
        return None


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of its length and of samples from one end to the other where it is large."""
    with open_regular(path) as handle:
        size = os.fstat(handle.fileno()).st_size
        if size <= READ_WHOLE_BYTES:
            return hashlib.file_digest(handle, "sha256").hexdigest()
        digest = hashlib.sha256(str(size).encode())
        for i in range(SAMPLES):
            handle.seek(i * (size - SAMPLE_BYTES) // (SAMPLES - 1))
            digest.update(handle.read(SAMPLE_BYTES))
        return digest.hexdigest()
