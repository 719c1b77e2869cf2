"""All live signatures at one moment: the rows of the index file that are not dead, and those written since."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.indexer.vectors.exact import SORT_ALL, as_sorted, best, cosines, shortlist
from engine.indexer.vectors.flat import faiss_threads
from engine.indexer.vectors.part import Part
from engine.indexer.vectors.store import BATCH_ROWS, Floats, Ids, Nearest, NearestOfMany, SignatureBatch


@dataclass(frozen=True, eq=False)
class FaissSnapshot:
    """N signatures; see `VectorSnapshot`. A track is live in one part at most.

    Attributes:
        token: See `VectorSnapshot`.
        dimensions: D.
        parts: The index file's rows, if there is a file, and the rows written since, if there are some.
        threads: For batches of queries.
    """

    token: Hashable
    dimensions: int
    parts: tuple[Part, ...]
    threads: int = 1

    @cached_property
    def count(self) -> int:
        """See `VectorSnapshot`."""
        return sum(part.count for part in self.parts)

    @cached_property
    def ids(self) -> Ids:
        """See `VectorSnapshot`."""
        return np.concatenate([np.zeros(0, np.int64), *(part.live_ids for part in self.parts)])

    def nearest(self, query: Floats, k: int, excluded: Collection[int] = (), allowed: Ids | None = None) -> Nearest:
        """See `VectorSnapshot`."""
        query = np.ascontiguousarray(query, np.float32)
        barred = as_sorted(excluded)
        allowed = None if allowed is None else as_sorted(allowed)
        found = [part.candidates(query, k, barred, allowed) for part in self.parts if k > 0]
        if len(found) == 1:
            return _nearest(found[0].ids, found[0].signatures, query, k)
        ids = np.concatenate([np.zeros(0, np.int64), *(batch.ids for batch in found)])
        return _nearest(ids, np.concatenate([self._no_signatures, *(batch.signatures for batch in found)]), query, k)

    def nearest_many(self, queries: Floats, k: int) -> NearestOfMany:
        """See `VectorSnapshot`."""
        found = NearestOfMany(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -1, np.float32))
        if not k or not len(queries) or not self.count:
            return found
        queries = np.ascontiguousarray(queries, np.float32)
        with faiss_threads(self.threads):
            candidates = [part.candidates_of_many(queries, k) for part in self.parts]
        for place, query in enumerate(queries):
            rows = [own[place][own[place] >= 0] for own in candidates]
            pairs = list(zip(self.parts, rows, strict=True))
            ids = np.concatenate([np.zeros(0, np.int64), *(part.sorted_ids[own] for part, own in pairs)])
            signatures = np.concatenate([self._no_signatures, *(part.read(own) for part, own in pairs)])
            nearest = _nearest(ids, signatures, query, k)
            found.track_ids[place, : len(nearest.track_ids)] = nearest.track_ids
            found.cosines[place, : len(nearest.track_ids)] = nearest.cosines
        return found

    def known(self, ids: Ids) -> Ids:
        """See `VectorSnapshot`."""
        wanted = as_sorted(ids)
        found = np.zeros(len(wanted), bool)
        for part in self.parts:
            found |= part.rows_of(wanted) >= 0
        return wanted[found]

    def take(self, ids: Ids) -> Floats:
        """See `VectorSnapshot`."""
        taken = np.empty((len(ids), self.dimensions), np.float32)
        missing = np.ones(len(ids), bool)
        for part in self.parts:
            rows = part.rows_of(ids)
            found = rows >= 0
            if found.all():
                return part.read(rows)
            taken[found] = part.read(rows[found])
            missing &= ~found
        if missing.any():
            raise KeyError(int(ids[missing][0]))
        return taken

    def scores(self, query: Floats, ids: Ids | None = None) -> Floats:
        """See `VectorSnapshot`."""
        if ids is not None:
            return cosines(self.take(ids), query)
        parts = [cosines(batch.signatures, query) for batch in self.batches()]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[SignatureBatch]:
        """See `VectorSnapshot`."""
        for part in self.parts:
            for start in range(0, len(part.sorted_ids), rows):
                some = slice(start, start + rows)
                batch = SignatureBatch(part.sorted_ids[some], part.read(some))
                if part.dead is not None:
                    live = ~part.dead[some]
                    batch = SignatureBatch(batch.ids[live], batch.signatures[live])
                if len(batch.ids):
                    yield batch

    @property
    def _no_signatures(self) -> Floats:
        return np.zeros((0, self.dimensions), np.float32)


def _nearest(ids: Ids, signatures: Floats, query: Floats, k: int) -> Nearest:
    """Return the k best of some candidates, which may be many."""
    if len(ids) > SORT_ALL * k:
        rows = shortlist(cosines(signatures, query), k)
        ids, signatures = ids[rows], signatures[rows]
    return best(ids, signatures, query, k)
