"""A part of a snapshot: rows of an index file, or rows that were written after it; some may be dead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.indexer.vectors.ann_search import EXACT_SHARE, SPARE, Finder, Mask, make_finder
from engine.indexer.vectors.exact import SORT_ALL, contains, positions
from engine.indexer.vectors.index_files import IndexFile
from engine.indexer.vectors.store import Floats, Ids, SignatureBatch

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Part:
    """P rows, not all of them live.

    Attributes:
        sorted_ids: (P,) track ids.
        signatures: (P, D).
        dead: (P,), the rows that were replaced or removed; None for none.
        finder: Finds rows, including dead ones.
        file: The index file that holds the rows, or None.
    """

    sorted_ids: Ids
    signatures: Floats
    dead: Mask | None
    finder: Finder
    file: IndexFile | None = None

    @cached_property
    def count(self) -> int:
        """The number of live rows."""
        return len(self.sorted_ids) - (0 if self.dead is None else int(self.dead.sum()))

    @property
    def live_ids(self) -> Ids:
        """The track ids (count,) of live rows."""
        return self.sorted_ids if self.dead is None else self.sorted_ids[~self.dead]

    def rows_of(self, ids: Ids) -> Rows:
        """Return the live row of each track (M,), -1 where there is none."""
        rows = positions(self.sorted_ids, ids)
        if self.dead is not None:
            rows[self.dead[rows] & (rows >= 0)] = -1
        return rows

    def read(self, rows: NDArray[np.intp] | NDArray[np.int64] | slice) -> Floats:
        """Return the signatures (M, D) of some rows; a view for a slice.

        Raises:
            UnavailableError: The file is damaged there.
        """
        if self.file is not None:
            self.file.check(rows)
        found: Floats = self.signatures[rows]
        return found

    def candidates(self, query: Floats, k: int, barred: Ids, allowed: Ids | None) -> SignatureBatch:
        """Return a superset of the k nearest rows that are live and pass.

        Args:
            query: Unit vector (D,).
            k: 1 or more.
            barred: Sorted track ids that do not pass.
            allowed: Sorted track ids that may pass; None for all.
        """
        rows = self._candidate_rows(query, k, barred, allowed)
        ids = self.sorted_ids[rows]
        if len(barred):
            free = positions(barred, ids) < 0
            rows, ids = rows[free], ids[free]
        return SignatureBatch(ids, self.read(rows))

    def candidates_of_many(self, queries: Floats, k: int) -> Rows:
        """Return live rows (Q, C), a superset of the k nearest of each query (Q, D); -1 fills the rest."""
        return self.finder.find(queries, k, None if self.dead is None else ~self.dead)

    def _candidate_rows(self, query: Floats, k: int, barred: Ids, allowed: Ids | None) -> Rows:
        """Return rows (C,), possibly with a few barred ones."""
        few = len(barred) <= SPARE  # dropping a few afterwards costs less than a filter
        passing = None if few and allowed is None and self.dead is None else self._passing(barred, allowed)
        number = len(self.sorted_ids) if passing is None else int(np.count_nonzero(passing))
        if number <= max(SORT_ALL * k, EXACT_SHARE * len(self.sorted_ids)):
            return np.arange(number) if passing is None else np.flatnonzero(passing)
        wanted = k + len(barred) if passing is None else k
        rows = self.finder.find(query[None], wanted, passing)[0]
        return rows[rows >= 0]

    def _passing(self, barred: Ids, allowed: Ids | None) -> Mask:
        passing = np.ones(len(self.sorted_ids), bool) if allowed is None else contains(self.sorted_ids, allowed)
        rows = positions(self.sorted_ids, barred)
        passing[rows[rows >= 0]] = False
        if self.dead is not None:
            passing &= ~self.dead
        return passing


def file_part(file: IndexFile, dead: Mask | None, finder: Finder) -> Part:
    """Return the rows of an index file."""
    return Part(file.ids, file.signatures, dead, finder, file)


def memory_part(sorted_ids: Ids, signatures: Floats) -> Part:
    """Return rows in memory, all live."""
    return Part(sorted_ids, signatures, None, make_finder(signatures))
