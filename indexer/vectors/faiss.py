"""The store of a library: FAISS index files beside it, derived from SQLite and checked before use.

The files hold the signatures that were live at the last compaction. Later signatures are read from SQLite and
compared separately; removed ones are skipped. A small library is searched exactly, a large one through an approximate
index (`ann_build`) whose candidates are scored exactly.
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine.db import (
    Database,
    SignatureMatrix,
    SignatureState,
    VectorIndex,
    get_vector_index,
    live_ids,
    matrix,
    matrix_by_track,
    put_vector_index,
    signature_state,
)
from engine.errors import LibraryError, UnavailableError, reason_of
from engine.indexer.vectors.ann_build import GRAPH_FROM, LISTS_FROM
from engine.indexer.vectors.ann_search import Finder, make_finder
from engine.indexer.vectors.exact import contains
from engine.indexer.vectors.faiss_snapshot import FaissSnapshot
from engine.indexer.vectors.flat import faiss_threads
from engine.indexer.vectors.index_files import IndexFile, open_index, signatures_path, sweep, write_index
from engine.indexer.vectors.part import Part, file_part, memory_part

COMPACT_SHARE = 0.02  # a compaction is due when more than this share of the file's signatures has changed


@dataclass(frozen=True, eq=False)
class _OpenIndex:
    """An open index file and the finder that searches it."""

    digest: str
    file: IndexFile
    finder: Finder


class FaissStore:
    """See `VectorStore`.

    Args:
        database: The library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        gpu: Search on GPUs if FAISS sees some.
        threads: For batches of queries and for building an index.
        mapped: Map index files into memory instead of reading them when they are opened.
    """

    def __init__(
        self,
        database: Database,
        encoder: str,
        coverage: str,
        *,
        gpu: bool = False,
        threads: int = 1,
        mapped: bool = True,
    ) -> None:
        self.database, self.encoder, self.coverage = database, encoder, coverage
        self.stem = Path(f"{database.path}.{encoder.replace('@', '-')}.{coverage}")
        self.gpu, self.threads, self.mapped = gpu, threads, mapped
        self._lock = threading.Lock()
        self._compacting = threading.Lock()
        self._tried_to_write = False
        self._aside: threading.Thread | None = None
        self._aside_error: LibraryError | None = None
        self._version: tuple[int, ...] | None = None
        self._state: SignatureState | None = None
        self._snapshot: FaissSnapshot | None = None
        self._index: _OpenIndex | None = None

    @property
    def path(self) -> Path | None:
        """The path of the signatures' file, whether it exists or not; None before the first was written."""
        with self.database.read() as connection:
            known = get_vector_index(connection, self.encoder, self.coverage)
        return signatures_path(self.stem, known.file_digest) if known else None

    def snapshot(self) -> FaissSnapshot:
        """See `VectorStore`; in a small library a missing index is written first."""
        snapshot = self._current()
        if self._index is None and 0 < snapshot.count < GRAPH_FROM and not self._tried_to_write:
            self._tried_to_write = True  # the index is a cache: if it cannot be written, do not retry each time
            with suppress(LibraryError):
                self.compact()
            return self._current()
        return snapshot

    def compact(self) -> None:
        """Rewrite the index if it is missing, damaged, or behind by more than COMPACT_SHARE; see `VectorStore`."""
        with self._compacting:
            if self._is_due(self._current()):
                self._write()

    def compact_aside(self) -> None:
        """See `VectorStore`; only a large library's index is written in the background."""
        if self._current().count < GRAPH_FROM:
            self.compact()
        elif self._aside is None or not self._aside.is_alive():
            self._aside = threading.Thread(target=self._compact_and_note, name="compact")
            self._aside.start()

    def wait(self) -> None:
        """See `VectorStore`."""
        if self._aside is not None:
            self._aside.join()
            self._aside = None
        error, self._aside_error = self._aside_error, None
        if error is not None:
            raise error

    def damaged_file(self) -> Path | None:
        """See `VectorStore`; reads the whole file."""
        self.snapshot()
        index = self._index
        return None if index is not None and index.file.intact() else self.path

    def close(self) -> None:
        """See `VectorStore`."""
        try:
            self.wait()
        finally:
            with self._lock:
                self._snapshot = self._state = self._index = None

    def _compact_and_note(self) -> None:
        try:
            self.compact()
        except LibraryError as error:
            self._aside_error = error

    def _current(self) -> FaissSnapshot:
        with self._lock:
            if self._index is not None and self._index.file.damaged:
                self._index = self._snapshot = None
            version = self.database.version()  # before reading: later writes are seen by the next call
            if self._snapshot is None or version != self._version:
                self._snapshot = self._read()
                self._version = version
            return self._snapshot

    def _read(self) -> FaissSnapshot:
        with self.database.read() as connection:
            state = signature_state(connection, self.encoder, self.coverage)
            if self._snapshot is not None and self._state == state:
                return self._snapshot
            known = get_vector_index(connection, self.encoder, self.coverage)
            self._index = index = self._opened(known.file_digest) if known else None
            after = known.last_signature_id if known and index else 0
            new = matrix(connection, self.encoder, self.coverage, after).by_track()
            parts = [] if index is None else [self._file_part(connection, index, new, state)]
        if len(new.track_ids):
            parts.append(memory_part(new.track_ids, new.vectors))
        self._state = state
        token = (state, index.digest if index else None)
        # `new` has no columns if the library holds no signature any more; the file still has D.
        dimensions = max([new.vectors.shape[1], *(part.signatures.shape[1] for part in parts)])
        return FaissSnapshot(token, dimensions, tuple(parts), self.threads)

    def _opened(self, digest: str) -> _OpenIndex | None:
        if self._index is not None and self._index.digest == digest:
            return self._index
        file = open_index(self.stem, digest, mapped=self.mapped, verified=self.gpu)
        return None if file is None else _OpenIndex(digest, file, make_finder(file.signatures, file.near, gpu=self.gpu))

    def _file_part(
        self, connection: Connection, index: _OpenIndex, new: SignatureMatrix, state: SignatureState
    ) -> Part:
        """Return the index file's rows; those that were replaced or removed since are dead."""
        ids = index.file.ids
        dead = contains(ids, new.track_ids)
        if state.count != len(ids) - int(dead.sum()) + len(new.track_ids):  # some were removed
            dead |= ~contains(ids, live_ids(connection, self.encoder, self.coverage).track_ids)
        return file_part(index.file, dead if dead.any() else None, index.finder)

    def _is_due(self, snapshot: FaissSnapshot) -> bool:
        index = self._index
        if index is None or not snapshot.count:
            return snapshot.count > 0
        size = len(index.file.ids)
        live = sum(part.count for part in snapshot.parts if part.file is not None)
        changed = (size - live) + (snapshot.count - live)
        return changed > COMPACT_SHARE * size or index.file.outdated or not index.file.intact()

    def _write(self) -> None:
        try:
            digest, last_id = self._write_files()
        except OSError as error:
            raise UnavailableError(
                f"cannot write the index {self.stem}.*.faiss: {reason_of(error)}",
                hint="the signatures are safe: free space, run again",
            ) from error
        with self.database.write() as connection:
            put_vector_index(connection, self.encoder, self.coverage, VectorIndex(digest, last_id))
        sweep(self.stem, digest)
        with self._lock:
            self._snapshot = None

    def _write_files(self) -> tuple[str, int]:
        """Write the files; return their digest and the id of the newest signature in them."""
        with self.database.read() as connection:
            state = signature_state(connection, self.encoder, self.coverage)
            allocate = partial(_spool, self.stem.parent) if state.count >= LISTS_FROM else None
            live = matrix_by_track(connection, self.encoder, self.coverage, allocate)
        with faiss_threads(self.threads):
            return write_index(self.stem, live.track_ids, live.vectors), state.last_id


def _spool(folder: Path, rows: int, dimensions: int) -> NDArray[np.float32]:
    """Return an array (rows, dimensions) in an unnamed temporary file, for more signatures than fit in memory."""
    with tempfile.TemporaryFile(dir=folder) as spool:
        if hasattr(os, "posix_fallocate"):  # a full disk raises here; later it would kill the process
            os.posix_fallocate(spool.fileno(), 0, rows * dimensions * 4)
        spool.truncate(rows * dimensions * 4)
        return np.memmap(spool, np.float32, "r+", shape=(rows, dimensions))
