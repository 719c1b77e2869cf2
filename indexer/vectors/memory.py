"""A vector store in memory: exact, NumPy only, no files."""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.db import SignatureMatrix
from engine.indexer.vectors.exact import as_sorted, best, contains, cosines, positions, shortlist
from engine.indexer.vectors.store import BATCH_ROWS, Floats, Ids, Nearest, NearestOfMany, SignatureBatch

QUERIES_AT_ONCE = 256
BARRED = -2  # less than any cosine


@dataclass(frozen=True, eq=False)
class MemorySnapshot:
    """N signatures; see `VectorSnapshot`.

    Attributes:
        ids: (N,), sorted.
        signatures: (N, D).
        token: See `VectorSnapshot`.
    """

    ids: Ids
    signatures: Floats
    token: Hashable = 0

    @classmethod
    def of(cls, found: SignatureMatrix) -> MemorySnapshot:
        """Return the snapshot of signatures that were read from a library."""
        found = found.by_track()
        return cls(found.track_ids, found.vectors, (len(found.track_ids), int(found.signature_ids.max(initial=0))))

    @property
    def count(self) -> int:
        """See `VectorSnapshot`."""
        return len(self.ids)

    @property
    def dimensions(self) -> int:
        """See `VectorSnapshot`."""
        return self.signatures.shape[1]

    def nearest(self, query: Floats, k: int, excluded: Collection[int] = (), allowed: Ids | None = None) -> Nearest:
        """See `VectorSnapshot`."""
        if not (self.count and k > 0):
            return best(self.ids[:0], self.signatures[:0], query, k)
        scores = cosines(self.signatures, query)
        if allowed is not None:
            scores[~contains(self.ids, allowed)] = BARRED
        barred = positions(self.ids, as_sorted(excluded))
        scores[barred[barred >= 0]] = BARRED
        rows = shortlist(scores, k)
        rows = rows[scores[rows] > BARRED]
        return best(self.ids[rows], self.signatures[rows], query, k)

    def nearest_many(self, queries: Floats, k: int) -> NearestOfMany:
        """See `VectorSnapshot`."""
        found = NearestOfMany(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -1, np.float32))
        for start in range(0, len(queries) if self.count and k else 0, QUERIES_AT_ONCE):
            some = queries[start : start + QUERIES_AT_ONCE]
            for row, (query, scores) in enumerate(zip(some, some @ self.signatures.T, strict=True), start):
                rows = shortlist(scores, k)
                nearest = best(self.ids[rows], self.signatures[rows], query, k)
                found.track_ids[row, : len(nearest.track_ids)] = nearest.track_ids
                found.cosines[row, : len(nearest.track_ids)] = nearest.cosines
        return found

    def known(self, ids: Ids) -> Ids:
        """See `VectorSnapshot`."""
        wanted = as_sorted(ids)
        return wanted[positions(self.ids, wanted) >= 0]

    def take(self, ids: Ids) -> Floats:
        """See `VectorSnapshot`."""
        rows = positions(self.ids, ids)
        if (rows < 0).any():
            raise KeyError(int(ids[rows < 0][0]))
        return self.signatures[rows]

    def scores(self, query: Floats, ids: Ids | None = None) -> Floats:
        """See `VectorSnapshot`."""
        return cosines(self.signatures if ids is None else self.take(ids), query)

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[SignatureBatch]:
        """See `VectorSnapshot`."""
        for start in range(0, self.count, rows):
            yield SignatureBatch(self.ids[start : start + rows], self.signatures[start : start + rows])


class MemoryStore:
    """A store of signatures passed by the caller, not read from a library; see `VectorStore`.

    Args:
        dimensions: D.
    """

    def __init__(self, dimensions: int) -> None:
        self._lock = threading.Lock()
        self._snapshot = MemorySnapshot(np.zeros(0, np.int64), np.zeros((0, dimensions), np.float32))

    def put(self, ids: Ids, signatures: Floats) -> None:
        """Add signatures (M, D) of distinct tracks (M,), replacing their earlier ones."""
        with self._lock:
            old = self._snapshot
            kept = ~contains(old.ids, ids)
            self._replace(np.concatenate([old.ids[kept], ids]), np.concatenate([old.signatures[kept], signatures]))

    def remove(self, ids: Ids) -> None:
        """Remove the signatures of tracks (M,); those without one are ignored."""
        with self._lock:
            kept = ~contains(self._snapshot.ids, ids)
            self._replace(self._snapshot.ids[kept], self._snapshot.signatures[kept])

    def snapshot(self) -> MemorySnapshot:
        """See `VectorStore`."""
        return self._snapshot

    def compact(self) -> None:
        """Do nothing: there are no files."""

    def compact_aside(self) -> None:
        """Do nothing: there are no files."""

    def wait(self) -> None:
        """Return at once: nothing runs in the background."""

    def damaged_file(self) -> None:
        """Return None: there are no files."""

    def close(self) -> None:
        """Release the signatures."""
        self.remove(self._snapshot.ids)

    def _replace(self, ids: Ids, signatures: Floats) -> None:
        order = np.argsort(ids)
        token = object()  # never equal to another
        self._snapshot = MemorySnapshot(ids[order], np.asarray(signatures[order], np.float32), token)
