"""Signatures in FAISS: a file beside the library, derived from SQLite, checked before use, rebuilt when it is damaged.

The file holds what was live at the last compaction; signatures written since are read from SQLite and added in memory,
removed ones are taken out. A search is exact and always over the library as it is.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.db import (
    Database,
    SignatureMatrix,
    SignatureState,
    VectorIndex,
    get_vector_index,
    live_ids,
    matrix,
    put_vector_index,
    signature_state,
)
from engine.errors import LibraryError

COMPACT_SHARE = 0.02  # of the signatures: a compaction is due when more than these have changed since the last
GPU_LARGEST_K = 2048  # FAISS' own limit


@dataclass(frozen=True)
class Neighbour:
    """A track and the cosine of its signature with the query's."""

    track_id: int
    cosine: float


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All live signatures at one moment: (N,) signature and track ids, (N, D) unit vectors, and their FAISS index."""

    state: SignatureState
    signature_ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    index: Any


class VectorStore:
    """The signatures of one encoder and coverage, searchable. Safe for concurrent readers in one process.

    Args:
        database: The library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        gpu: Search on a GPU where FAISS sees one.
    """

    def __init__(self, database: Database, encoder: str, coverage: str, *, gpu: bool = False) -> None:
        self.database, self.encoder, self.coverage = database, encoder, coverage
        self.gpu = gpu and getattr(faiss, "get_num_gpus", lambda: 0)() > 0
        suffix = f".{encoder.replace('@', '-')}.{coverage}.faiss"
        self.path = Path(f"{database.path}{suffix}")
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def snapshot(self) -> Snapshot:
        """The live signatures, refreshed when the library has changed."""
        with self._lock:
            with self.database.read() as connection:
                state = signature_state(connection, self.encoder, self.coverage)
                if self._snapshot is not None and self._snapshot.state == state:
                    return self._snapshot
                live = live_ids(connection, self.encoder, self.coverage)
                filed = self._from_file(get_vector_index(connection, self.encoder, self.coverage), live.signature_ids)
                after = int(filed.signature_ids[-1]) if filed is not None and len(filed.signature_ids) else 0
                delta = matrix(connection, self.encoder, self.coverage, after)
            self._snapshot = self._combine(state, filed, delta, live.track_ids)
            if filed is None and state.count:
                with suppress(LibraryError):  # it is only a cache: the answer does not wait for it
                    self._write(self._snapshot)
            return self._snapshot

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        excluded: Collection[int] = (),
        allowed: NDArray[np.int64] | None = None,
    ) -> list[Neighbour]:
        """The k tracks nearest to a unit vector (D,), best first.

        Args:
            query: Unit norm.
            k: How many at most.
            excluded: Track ids that are no answer.
            allowed: The only track ids that are; None for all.
        """
        snapshot = self.snapshot()
        if allowed is not None:
            return _best_of(snapshot, query, k, np.setdiff1d(allowed, np.fromiter(excluded, np.int64)))
        wanted = min(len(snapshot.track_ids), k + len(excluded))  # exact: at most the excluded ones are dropped below
        if not wanted:
            return []
        cosines, rows = self._nearest(snapshot, np.ascontiguousarray(query[None], np.float32), wanted)
        found = [Neighbour(int(snapshot.track_ids[row]), float(c)) for c, row in zip(cosines[0], rows[0], strict=True)]
        return [neighbour for neighbour in found if neighbour.track_id not in excluded][:k]

    def compact(self) -> None:
        """Write the index file anew when it is missing, damaged, or behind by more than COMPACT_SHARE.

        Raises:
            LibraryError: It cannot be written; the signatures are safe in the library.
        """
        snapshot = self.snapshot()
        with self.database.read() as connection:
            known = get_vector_index(connection, self.encoder, self.coverage)
        filed = self._from_file(known, snapshot.signature_ids)
        current = len(filed.signature_ids) if filed is not None else -1
        if len(snapshot.signature_ids) - current > COMPACT_SHARE * current:
            self._write(snapshot)

    def _nearest(self, snapshot: Snapshot, queries: NDArray[np.float32], k: int) -> Any:
        if not self.gpu:
            return snapshot.index.search(queries, k)
        if k > GPU_LARGEST_K:
            return faiss.knn(queries, snapshot.vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
        with self._lock:  # FAISS' GPU indexes are not safe for concurrent readers
            return snapshot.index.search(queries, k)

    def _from_file(self, known: VectorIndex | None, live: NDArray[np.int64]) -> SignatureMatrix | None:
        """The file's rows that are still live, by signature id; None unless the file is exactly what was written."""
        if known is None:
            return None
        try:
            content = self.path.read_bytes()
            if hashlib.sha256(content).hexdigest() != known.file_digest:
                return None
            stored = faiss.deserialize_index(np.frombuffer(content, np.uint8))
        except (OSError, RuntimeError):
            return None
        ids = faiss.vector_to_array(stored.id_map).astype(np.int64)
        flat = faiss.downcast_index(stored.index)
        vectors = flat.reconstruct_n(0, flat.ntotal).reshape(flat.ntotal, flat.d)
        kept = np.isin(ids, live)
        return SignatureMatrix(ids[kept], np.zeros(0, np.int64), vectors[kept])

    def _combine(
        self, state: SignatureState, filed: SignatureMatrix | None, delta: SignatureMatrix, track_ids: NDArray[np.int64]
    ) -> Snapshot:
        parts = [part for part in (filed, delta) if part is not None and len(part.signature_ids)]
        signature_ids = np.concatenate([part.signature_ids for part in parts]) if parts else delta.signature_ids
        vectors = np.concatenate([part.vectors for part in parts]) if parts else delta.vectors
        index: Any = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        if self.gpu:
            index = faiss.index_cpu_to_all_gpus(index)
        return Snapshot(state, signature_ids, track_ids, vectors, index)

    def _write(self, snapshot: Snapshot) -> None:
        """Write a temporary file, flush, rename, note the digest: a crash between leaves a file that is rebuilt."""
        index = faiss.IndexIDMap(faiss.IndexFlatIP(snapshot.vectors.shape[1]))
        index.add_with_ids(np.ascontiguousarray(snapshot.vectors), snapshot.signature_ids)
        content = faiss.serialize_index(index).tobytes()
        partial = Path(f"{self.path}.{os.getpid()}.part")
        try:
            with partial.open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            partial.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise LibraryError(
                f"cannot write the index {self.path}: {error.strerror}; the signatures are safe: free space, run again"
            ) from error
        entry = VectorIndex(hashlib.sha256(content).hexdigest(), snapshot.state.last_id)
        with self.database.write() as connection:
            put_vector_index(connection, self.encoder, self.coverage, entry)


def _best_of(snapshot: Snapshot, query: NDArray[np.float32], k: int, allowed: NDArray[np.int64]) -> list[Neighbour]:
    """The k best of these tracks, scored one by one: a filter costs no more than what passes it."""
    rows = np.flatnonzero(np.isin(snapshot.track_ids, allowed))
    cosines = snapshot.vectors[rows] @ query
    best = np.argsort(-cosines, kind="stable")[:k]
    return [Neighbour(int(snapshot.track_ids[rows[i]]), float(cosines[i])) for i in best]
