"""All live signatures at one moment: those of the index file, less those that are gone, and those written since."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.db import SignatureMatrix, SignatureState
from engine.indexer.vectors.ann_search import EXACT_SHARE, Finder
from engine.indexer.vectors.index_files import IndexFile

SPARE = 16  # more candidates than asked for: some are passed over, and a GPU knows vectors to sixteen bits only
FEW = 4  # times as many candidates as wanted: to score them all exactly costs less than to choose first
SPARSE = 16  # ids for one that is taken: more, and a table of them all costs more than sorting

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbour:
    """A track and the cosine of its signature with the query's."""

    track_id: int
    cosine: float


@dataclass(frozen=True, eq=False)
class NearestOfMany:
    """Of Q queries: (Q, k) track ids and cosines, best first; -1 where there are fewer than k."""

    track_ids: Ids
    cosines: Floats


@dataclass(frozen=True, eq=False)
class Snapshot:
    """N live signatures. What is asked often does not copy the file's; `track_ids` and `vectors` do where they must.

    Attributes:
        state: What the library said when this was made.
        file: The index file, or None.
        finder: What searches it, or None: then all of its rows are compared.
        dead: Which of its rows are no answer any more, or None for none of them.
        new_ids, new_vectors: (M,), rising, and (M, D): written since.
    """

    state: SignatureState
    file: IndexFile | None
    finder: Finder | None
    dead: NDArray[np.bool_] | None
    new_ids: Ids
    new_vectors: Floats

    @cached_property
    def track_ids(self) -> Ids:
        """(N,), each once."""
        return np.concatenate([self._filed(self.file.track_ids), self.new_ids]) if self.file else self.new_ids

    @cached_property
    def vectors(self) -> Floats:
        """(N, D) unit rows in the order of `track_ids`."""
        if self.file is None:
            return self.new_vectors
        kept = self._filed(self.file.vectors)
        return np.concatenate([kept, self.new_vectors]) if len(self.new_ids) else kept

    def known(self, track_ids: Ids) -> Ids:
        """Those of some track ids that have a live signature, rising."""
        wanted = _rising(track_ids)
        found = places_in(self.new_ids, wanted) >= 0
        rows = self._rows(wanted)
        live = rows >= 0 if self.dead is None else (rows >= 0) & ~self.dead[rows]
        return wanted[found | live]

    def take(self, track_ids: Ids) -> Floats:
        """Signatures (M, D) of tracks that have one."""
        places = places_in(self.new_ids, track_ids)
        new, taken = places >= 0, np.empty((len(track_ids), self.new_vectors.shape[1]), np.float32)
        taken[new] = self.new_vectors[places[new]]
        if self.file is not None:
            taken[~new] = self.file.vectors[self._rows(track_ids[~new])]
        return taken

    def search(
        self, query: Floats, k: int, excluded: Collection[int] = (), allowed: Ids | None = None
    ) -> list[Neighbour]:
        """The k tracks nearest to a unit vector (D,), best first; see `VectorStore.search`."""
        if not self.state.count:
            return []
        barred = np.fromiter(excluded, np.int64, len(excluded))
        if allowed is not None:
            allowed = _rising(allowed)
            if self.finder is None or len(allowed) < EXACT_SHARE * self.state.count:
                passed = self.known(allowed)
                passed = passed[_free(passed, barred)]
                return _best(_Candidates(passed, self.take(passed)).cut(query, k), query, k)
        new = _free(self.new_ids, barred)
        if allowed is not None:
            new &= places_in(allowed, self.new_ids) >= 0
        found = _Candidates(self.new_ids, self.new_vectors).only(new).cut(query, k)
        if self.file is not None:
            rows = self._near_rows(query, k, barred, allowed)
            filed = _Candidates(self.file.track_ids[rows], self.file.vectors[rows]).cut(query, k + SPARE)
            found = found.beside(filed.only(_free(filed.track_ids, barred)))
        return _best(found, query, k)

    def search_many(self, queries: Floats, k: int) -> NearestOfMany:
        """The k tracks nearest to each of Q unit vectors (Q, D), at once: several times faster than one by one."""
        found = self._near_many(queries, k)
        ids, cosines = np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -1, np.float32)
        for i, (query, candidates) in enumerate(zip(queries, found, strict=True)):
            best = _best(_Candidates(candidates, self.take(candidates)).cut(query, k), query, k)
            ids[i, : len(best)] = [neighbour.track_id for neighbour in best]
            cosines[i, : len(best)] = [neighbour.cosine for neighbour in best]
        return NearestOfMany(ids, cosines)

    def _near_many(self, queries: Floats, k: int) -> list[Ids]:
        """Track ids among which each query's nearest are."""
        passing = None if self.dead is None else ~self.dead
        rows = self.finder.find(queries, k + SPARE, passing) if self.finder else None
        if rows is None or self.file is None:
            count = min(k, self.state.count)
            nearest = faiss.knn(queries, self.vectors, count, metric=faiss.METRIC_INNER_PRODUCT)[1]
            return list(self.track_ids[nearest])
        new = min(k, len(self.new_ids))
        added = faiss.knn(queries, self.new_vectors, new, metric=faiss.METRIC_INNER_PRODUCT)[1] if new else None
        return [
            np.concatenate([self.file.track_ids[own[own >= 0]], self.new_ids[added[i] if added is not None else []]])
            for i, own in enumerate(rows)
        ]

    def _near_rows(self, query: Floats, k: int, barred: Ids, allowed: Ids | None) -> NDArray[np.int64] | slice:
        """The file's rows among which its k nearest that pass are: some more than k, or all; a few barred ones, too."""
        assert self.file is not None
        few = len(barred) <= SPARE  # passed over afterwards, which costs less than to walk around them
        passing = None if few and allowed is None and self.dead is None else self._passing(barred, allowed)
        if passing is not None and np.count_nonzero(passing) < EXACT_SHARE * len(passing):
            return np.flatnonzero(passing)
        rows = self.finder.find(query[None], k + SPARE, passing) if self.finder else None
        if rows is not None:
            return rows[0][rows[0] >= 0]
        if passing is None:
            return slice(None)  # a view, not a copy
        return np.flatnonzero(passing)

    def _rows(self, track_ids: Ids) -> NDArray[np.intp]:
        """The file's row of each track, -1 where it has none."""
        return places_in(self.file.track_ids if self.file else np.zeros(0, np.int64), track_ids)

    def _passing(self, barred: Ids, allowed: Ids | None) -> NDArray[np.bool_]:
        """Which of the file's rows may be an answer."""
        assert self.file is not None
        ids = self.file.track_ids
        passing = np.ones(len(ids), bool) if allowed is None else among(ids, allowed)
        barred_rows = self._rows(barred)
        passing[barred_rows[barred_rows >= 0]] = False
        if self.dead is not None:
            passing &= ~self.dead
        return passing

    def _filed(self, values: Any) -> Any:
        return values if self.dead is None else values[~self.dead]


@dataclass(frozen=True, eq=False)
class _Candidates:
    """M tracks that may be an answer: ids (M,), signatures (M, D)."""

    track_ids: Ids
    vectors: Floats

    def cut(self, query: Floats, count: int) -> _Candidates:
        """About the COUNT nearest of many; a few times as many are left as they are."""
        if len(self.track_ids) <= FEW * count:
            return self
        near = np.argpartition(-(self.vectors @ query), count - 1)[:count]
        return _Candidates(self.track_ids[near], self.vectors[near])

    def only(self, fits: NDArray[np.bool_]) -> _Candidates:
        return self if fits.all() else _Candidates(self.track_ids[fits], self.vectors[fits])

    def beside(self, others: _Candidates) -> _Candidates:
        if not len(self.track_ids):
            return others
        ids = np.concatenate([self.track_ids, others.track_ids])
        return _Candidates(ids, np.concatenate([self.vectors, others.vectors]))


def _best(found: _Candidates, query: Floats, k: int) -> list[Neighbour]:
    """The k nearest, best first, ties by track id.

    Products of matrices differ in the last bits with the number of rows; the cosines given do not.
    """
    cosines = np.einsum("nd,d->n", found.vectors, query, dtype=np.float64).astype(np.float32)
    order = np.lexsort((found.track_ids, -cosines))[:k]
    pairs = zip(found.track_ids[order].tolist(), cosines[order].tolist(), strict=True)
    return [Neighbour(track_id, cosine) for track_id, cosine in pairs]


def _free(track_ids: Ids, barred: Ids) -> NDArray[np.bool_]:
    """Which tracks are not barred."""
    if not len(barred):
        return np.ones(len(track_ids), bool)
    free: NDArray[np.bool_] = ~np.isin(track_ids, barred)
    return free


def snapshot_of(found: SignatureMatrix) -> Snapshot:
    """Some signatures by themselves, as they were read."""
    found = found.by_track()
    state = SignatureState(len(found.track_ids), int(found.signature_ids.max(initial=0)))
    return Snapshot(state, None, None, None, found.track_ids, found.vectors)


def _rising(ids: Ids) -> Ids:
    """The ids, each once, rising; they often are already."""
    return ids if (np.diff(ids) > 0).all() else np.unique(ids)


def among(rising: Ids, wanted: Ids) -> NDArray[np.bool_]:
    """Which of a rising array's ids are wanted: ids without many gaps are looked up in a table, which is fastest."""
    last = int(rising[-1]) if len(rising) else 0
    if last > SPARSE * len(rising):
        return np.isin(rising, wanted)
    table = np.zeros(last + 1, bool)
    table[wanted[(wanted >= 0) & (wanted <= last)]] = True
    return table[rising]


def places_in(rising: Ids, wanted: Ids) -> NDArray[np.intp]:
    """Where some ids stand in a rising array, -1 where they do not."""
    if not len(rising):
        return np.full(len(wanted), -1, np.intp)
    places = np.minimum(np.searchsorted(rising, wanted), len(rising) - 1)
    return np.where(rising[places] == wanted, places, -1)
