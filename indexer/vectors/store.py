"""The interface of vector stores; `engine.indexer.vectors.opening` opens a library's.

A store searches the signatures of one encoder and coverage. All reading is done through snapshots: concurrent writes
never change a snapshot. Every store passes `tests/indexer/vectors/test_contract.py`. Shapes: N signatures of D numbers,
all of unit norm.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BATCH_ROWS = 65_536

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The M tracks nearest to a query, best first, ties by id.

    Attributes:
        track_ids: (M,).
        cosines: (M,), of their signatures with the query.
        signatures: (M, D), unit rows.
    """

    track_ids: Ids
    cosines: Floats
    signatures: Floats


@dataclass(frozen=True, eq=False)
class NearestOfMany:
    """The nearest tracks of Q queries.

    Attributes:
        track_ids: (Q, k), best first, ties by id; -1 where there are fewer than k.
        cosines: (Q, k); -1 where there are fewer than k.
    """

    track_ids: Ids
    cosines: Floats


@dataclass(frozen=True, eq=False)
class SignatureBatch:
    """Some rows of a snapshot: track ids (B,) and signatures (B, D). Read only: they may be views of a file."""

    ids: Ids
    signatures: Floats


class VectorSnapshot(Protocol):
    """All live signatures at one moment. Safe for concurrent readers."""

    @property
    def token(self) -> Hashable:
        """A key for caches: two snapshots of a store with equal tokens hold the same ids in the same order."""

    @property
    def count(self) -> int:
        """N, the number of signatures."""

    @property
    def dimensions(self) -> int:
        """D; 0 if no signature was ever stored."""

    @property
    def ids(self) -> Ids:
        """Track ids (N,), each once, in the order of `batches`, which need not be sorted."""

    def nearest(self, query: Floats, k: int, excluded: Collection[int] = (), allowed: Ids | None = None) -> Nearest:
        """Return the k tracks with the largest cosines, best first, ties by id; fewer if there are fewer.

        Args:
            query: Unit vector (D,).
            k: Most tracks.
            excluded: Track ids that are never returned.
            allowed: The only track ids that may be returned, in any order; None for all. Unknown ids are ignored.
        """

    def nearest_many(self, queries: Floats, k: int) -> NearestOfMany:
        """Return the k nearest tracks of each of Q unit vectors (Q, D): several times faster than one by one."""

    def known(self, ids: Ids) -> Ids:
        """Return those of the ids that have a signature, sorted, each once."""

    def take(self, ids: Ids) -> Floats:
        """Return the signatures (M, D) of tracks (M,); raise KeyError if one has none."""

    def scores(self, query: Floats, ids: Ids | None = None) -> Floats:
        """Return the cosines (M,) of tracks (M,) to a unit vector (D,), or (N,) in the order of `ids` for None.

        Raises:
            KeyError: A track has no signature.
        """

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[SignatureBatch]:
        """Yield all signatures in the order of `ids`, at most `rows` at a time."""


class VectorStore(Protocol):
    """The signatures of one encoder and coverage. Safe for concurrent use in one process."""

    def snapshot(self) -> VectorSnapshot:
        """Return the live signatures, reading them again if they have changed."""

    def compact(self) -> None:
        """Bring derived files up to date if that is due; searches continue meanwhile, a second caller waits.

        Raises:
            LibraryError: They cannot be written. The signatures are safe in the library.
        """

    def compact_aside(self) -> None:
        """Start `compact` in a background thread if it may take long, else run it now."""

    def wait(self) -> None:
        """Wait for `compact_aside`; raise its LibraryError if it failed."""

    def damaged_file(self) -> Path | None:
        """Return a derived file that is missing or damaged and unusable until `compact`; None if there is none."""

    def close(self) -> None:
        """Wait as `wait` does, then release files and memory; existing snapshots remain valid."""
