"""A library compared by rhythm, harmony, mood, timbre, or a mix of them, in place of the signature alone.

Each aspect a gives a track a unit vector v_a: timbre the signature, rhythm and harmony the descriptors of
`engine.indexer.aspects`, mood the standardised log-odds of the encoder's mood words. c_a is the cosine of two tracks.
The cosines of an aspect between random tracks of the library have standard deviation s_a, which differs by aspect, so
z-scores are added with the weights w_a that the user gives:

    sum_a w_a (c_a - m_a) / s_a = sum_a (w_a / s_a) c_a - constant

The constant does not affect the ranking, so tracks are compared by the weighted mean of cosines, with the weights
u_a = w_a / s_a, scaled to a sum of 1. That is the cosine of unit vectors again,

    x = (sqrt(u_a) v_a)_a,    |x|^2 = sum_a u_a = 1,    x . y = sum_a u_a c_a,

so that a mix supports everything that signatures do: exact search, ranking, smooth orders, paths, maps. A track that
lacks an aspect is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.db import aspect_matrix, get_aspects
from engine.errors import LibraryError
from engine.indexer.aspects.kinds import DIMENSIONS, KINDS
from engine.search.aspect_filling import describe_few, described
from engine.search.aspect_weights import MOOD, TIMBRE, AspectWeights
from engine.search.embeddings import EmbeddedTrack
from engine.search.mood_vectors import mood_matrix, mood_vector
from engine.search.query_vector import Query, normalised, query_from_reference, query_from_track
from engine.search.references import TrackName
from engine.session import LibraryView
from engine.util.sampling import drawn

if TYPE_CHECKING:
    from engine.indexer.vectors.memory import MemorySnapshot

SAMPLE = 1_000  # tracks whose cosines give the spread
SMALLEST_SPREAD = 0.01
TINY = 1e-9

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class AspectSearch:
    """A view by aspects, and the unit vector (D,) to search it with."""

    view: AspectView
    vector: Floats

    def query(self, query: Query) -> Query:
        """Return a query with this vector in place of its signature."""
        return replace(query, embedding=replace(query.embedding, signature=self.vector))


class AspectView(LibraryView):
    """A view whose snapshot holds mixed vectors in place of signatures.

    Args:
        view: The library as the encoder sees it.
        weights: Of the aspects.

    Attributes:
        encoded: `view`, for callers that need signatures instead of their mix.
    """

    def __init__(self, view: LibraryView, weights: AspectWeights) -> None:
        super().__init__(view._session, view.coverage)
        self._encoded, self.weights = view, weights

    @property
    def encoded(self) -> LibraryView:
        """The library as the encoder sees it."""
        return self._encoded

    @cached_property
    def snapshot(self) -> MemorySnapshot:
        """The mixed vectors of all tracks that have every aspect; at least one.

        Raises:
            LibraryError: No track has them all.
        """
        describe_few(self._encoded, self._stored_kinds())
        found: MemorySnapshot = self._of_aspects("mixed", self._mixed)
        if not found.count:
            self._encoded.require_signatures()
            raise LibraryError(
                f"no track of this library has {' and '.join(self.weights.names)} to compare by",
                hint="describe its tracks once: engine index --features PATH",
            )
        return found

    @property
    def lacking(self) -> int:
        """The number of tracks with a signature that are left out because they lack an aspect."""
        return self._encoded.snapshot.count - self.snapshot.count

    def cached(self, name: str, compute: Callable[[], Value]) -> Value:
        """Return the cached value for name; recompute when signatures, aspects or weights change."""
        return self._session.cache.get((self.coverage, "by", name), (self.weights, self.snapshot.token), compute)

    def vector(self, query: Query) -> Floats:
        """Return the mixed vector (D,) of a query: a track, or the mean of an artist's or an album's.

        Raises:
            QueryError: A track lacks an aspect, and its file cannot be read.
        """
        parts = []
        for name, share in self._shares.items():
            part = query.embedding.signature if name == TIMBRE else self._aspect(name, query)
            parts.append(np.sqrt(share) * part)
        return np.concatenate(parts).astype(np.float32)

    def represent(self, embedded: EmbeddedTrack) -> EmbeddedTrack:
        """Return a track with its mixed vector in place of its signature; raises QueryError as `vector`."""
        vector = self.vector(query_from_track(self._encoded, embedded))
        return replace(embedded, embedding=replace(embedded.embedding, signature=vector))

    def cosines(self, a: Query, b: Query) -> dict[str, float]:
        """Return the cosine of two queries in each aspect."""
        sides = [
            {name: q.embedding.signature if name == TIMBRE else self._aspect(name, q) for name in self.weights.names}
            for q in (a, b)
        ]
        return {name: float(sides[0][name] @ sides[1][name]) for name in self.weights.names}

    def matrix(self, name: str) -> Floats:
        """Return the unit vectors (N, D) of one aspect, in the order of the snapshot's tracks."""
        return _rows(*self._matrices()[name], self.snapshot.ids)

    def _aspect(self, name: str, query: Query) -> Floats:
        if name == MOOD:
            return mood_vector(self._encoded, query.embedding.moods, query.embedding.words)
        kind = KINDS[name]
        ids = [seed.track_id for seed in query.seeds if seed.track_id is not None]
        with self.read() as connection:
            stored = get_aspects(connection, ids, DIMENSIONS)
        vectors = [
            stored[seed.track_id][kind]
            if seed.track_id is not None and kind in stored.get(seed.track_id, {})
            else described(self._encoded, seed)[kind]
            for seed in query.seeds
        ]
        return unit(np.mean(vectors, axis=0))

    @cached_property
    def _shares(self) -> dict[str, float]:
        """u_a of each aspect."""
        if len(self.weights.names) == 1:
            return dict.fromkeys(self.weights.names, 1.0)
        spreads: dict[str, float] = self._of_aspects("spreads", self._spreads)
        largest = max(weight for _, weight in self.weights.weights)  # so that no share overflows
        shares = {name: weight / largest / spreads[name] for name, weight in self.weights.weights}
        total = sum(shares.values())
        return {name: share / total for name, share in shares.items()}

    def _spreads(self) -> dict[str, float]:
        found = {}
        for name, (_, vectors) in self._matrices().items():
            sample = vectors[drawn(np.arange(len(vectors)), SAMPLE)]
            cosines = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
            found[name] = max(float(cosines.std()) if len(cosines) > 1 else 1.0, SMALLEST_SPREAD)
        return found

    def _mixed(self) -> MemorySnapshot:
        from engine.indexer.vectors.memory import MemorySnapshot

        matrices = self._matrices()
        ids = self._common(matrices)
        mixed = [np.float32(np.sqrt(share)) * _rows(*matrices[name], ids) for name, share in self._shares.items()]
        return MemorySnapshot(ids, np.concatenate(mixed, axis=1), self._state())

    def _common(self, matrices: dict[str, tuple[Ids, Floats]]) -> Ids:
        ids = np.sort(self._encoded.snapshot.ids)
        for found, _ in matrices.values():
            ids = np.intersect1d(ids, found, assume_unique=True)
        return ids

    def _matrices(self) -> dict[str, tuple[Ids, Floats]]:
        """Track ids, ascending, and unit vectors of each aspect."""
        return {name: self._of_aspects(name, partial(self._read, name)) for name in self.weights.names}

    def _read(self, name: str) -> tuple[Ids, Floats]:
        snapshot = self._encoded.snapshot
        if name == TIMBRE:
            ids = np.sort(snapshot.ids)
            return ids, snapshot.take(ids)
        if name == MOOD:
            return mood_matrix(self._encoded)
        with self.read() as connection:
            found = aspect_matrix(connection, KINDS[name])
        return found.track_ids, found.vectors

    def _of_aspects(self, name: str, compute: Callable[[], Value]) -> Value:
        """Return a cached value: a mix for the last weights only, an aspect until its vectors change."""
        key = (self.coverage, "aspects", name)
        state = (self.weights, self._state()) if name in ("mixed", "spreads") else self._state()
        return self._session.cache.get(key, state, compute)

    def _state(self) -> Hashable:
        return self._encoded.snapshot.token, self._encoded.cached_tags("aspect counts", self._counts)

    def _counts(self) -> tuple[int, ...]:
        from engine.db import count_aspects

        with self.read() as connection:
            return tuple(count_aspects(connection, kind) for kind in KINDS.values())

    def _stored_kinds(self) -> Sequence[str]:
        return [KINDS[name] for name in self.weights.names if name in KINDS]


def by_aspects(
    view: LibraryView, by: Mapping[str, float] | str, like: Sequence[TrackName], unlike: Sequence[TrackName] = ()
) -> AspectSearch:
    """Return the view and the vector to search it with, for the sum of `like` minus the sum of `unlike`.

    Raises:
        QueryError: A weight or name is invalid, a track lacks an aspect and cannot be read, or the seeds cancel out.
        LibraryError: No track of the library has the aspects.
    """
    searched = AspectView(view, AspectWeights.of(by))
    total = np.sum([searched.vector(query_from_reference(view, name)) for name in like], axis=0, dtype=np.float64)
    for name in unlike:
        total = total - searched.vector(query_from_reference(view, name))
    return AspectSearch(searched, normalised(np.asarray(total), "these seeds", "leave one of them out"))


def unit(vector: Any) -> Floats:
    """Return a vector scaled to length 1."""
    return (vector / max(float(np.linalg.norm(vector)), TINY)).astype(np.float32)


def _rows(ids: Ids, vectors: Floats, wanted: Ids) -> Floats:
    """Return the rows of some tracks, all of which must exist."""
    return vectors[np.searchsorted(ids, wanted)]
