"""The signatures of one encoder and coverage, searchable: derived from SQLite, kept in files, checked before use.

The files hold what was live at the last compaction; signatures written since are read from SQLite and compared beside
them, removed ones are passed over. A small library is searched exactly, a large one through a graph or lists whose
candidates are scored again from the signatures; either way a search is over the library as it is.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

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
    matrix_by_track,
    put_vector_index,
    signature_state,
)
from engine.errors import LibraryError, UnavailableError
from engine.indexer.vectors.ann_build import GRAPH_FROM, LISTS_FROM
from engine.indexer.vectors.ann_search import Finder, make_finder
from engine.indexer.vectors.index_files import IndexFile, open_index, sweep, vectors_file, write_index
from engine.indexer.vectors.snapshot import Neighbour, Snapshot, among

COMPACT_SHARE = 0.02  # of the signatures: a compaction is due when more than these have changed since the last

__all__ = ["Neighbour", "Snapshot", "VectorStore"]


class VectorStore:
    """The signatures of one encoder and coverage. Safe for concurrent readers in one process.

    Args:
        database: The library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        gpu: Search on a GPU where FAISS sees one.
        mapped: Leave the index on disk and let the system read what searches touch, or read all of it when it opens.
    """

    def __init__(
        self, database: Database, encoder: str, coverage: str, *, gpu: bool = False, mapped: bool = True
    ) -> None:
        self.database, self.encoder, self.coverage = database, encoder, coverage
        self.stem = Path(f"{database.path}.{encoder.replace('@', '-')}.{coverage}")
        self.gpu, self.mapped = gpu, mapped
        self._lock = threading.Lock()
        self._compacting = threading.Lock()
        self._given_up = False
        self._aside: threading.Thread | None = None
        self._met: LibraryError | None = None
        self._version: tuple[int, ...] | None = None
        self._snapshot: Snapshot | None = None
        self._session: tuple[str, IndexFile | None, Finder | None] = ("", None, None)

    @property
    def path(self) -> Path | None:
        """Where the signatures' file lies, or should; None before the first was written."""
        with self.database.read() as connection:
            known = get_vector_index(connection, self.encoder, self.coverage)
        return vectors_file(self.stem, known.file_digest) if known else None

    def snapshot(self) -> Snapshot:
        """The live signatures, refreshed when the library has changed."""
        snapshot = self._current()
        if snapshot.file is None and 0 < snapshot.state.count < GRAPH_FROM and not self._given_up:
            self._given_up = True  # it is only a cache: where it cannot be written, once is enough
            with suppress(LibraryError):
                self.compact()
        return snapshot

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
        return self.snapshot().search(np.ascontiguousarray(query, np.float32), k, excluded, allowed)

    def compact(self) -> None:
        """Write the files anew when they are missing, damaged, or behind by more than COMPACT_SHARE.

        Searches go on meanwhile, and a second caller waits for the first.

        Raises:
            LibraryError: They cannot be written; the signatures are safe in the library.
        """
        with self._compacting:
            if self._is_due(self._current()):
                self._write()

    def compact_aside(self) -> None:
        """As `compact`, but a large library's files are written by a thread of their own; `wait` waits for it."""
        if self._current().state.count < GRAPH_FROM:
            self.compact()
        elif self._aside is None or not self._aside.is_alive():
            self._aside = threading.Thread(target=self._compact_aside, name="compact")
            self._aside.start()

    def wait(self) -> None:
        """Wait for `compact_aside`; raises the LibraryError that it met."""
        if self._aside is not None:
            self._aside.join()
            self._aside = None
        error, self._met = self._met, None
        if error is not None:
            raise error

    def _compact_aside(self) -> None:
        try:
            self.compact()
        except LibraryError as error:
            self._met = error

    def _current(self) -> Snapshot:
        with self._lock:
            version = self.database.version()  # before the refresh: what is written meanwhile is seen the next time
            if self._snapshot is None or version != self._version:
                self._snapshot = self._refreshed()
                self._version = version
            return self._snapshot

    def _refreshed(self) -> Snapshot:
        with self.database.read() as connection:
            state = signature_state(connection, self.encoder, self.coverage)
            if self._snapshot is not None and self._snapshot.state == state:
                return self._snapshot
            known = get_vector_index(connection, self.encoder, self.coverage)
            file, finder = self._open(known.file_digest) if known else (None, None)
            after = known.last_signature_id if known and file else 0
            new = matrix(connection, self.encoder, self.coverage, after).by_track()
            dead = self._dead(connection, file, new, state)
        return Snapshot(state, file, finder, dead, new.track_ids, new.vectors)

    def _open(self, digest: str) -> tuple[IndexFile | None, Finder | None]:
        if self._session[0] != digest or self._session[1] is None:
            file = open_index(self.stem, digest, mapped=self.mapped)
            self._session = (digest, file, make_finder(file, gpu=self.gpu) if file else None)
        return self._session[1:]

    def _dead(
        self, connection: Any, file: IndexFile | None, new: SignatureMatrix, state: SignatureState
    ) -> NDArray[np.bool_] | None:
        """The file's rows whose signature was replaced or removed since."""
        if file is None:
            return None
        dead = among(file.track_ids, new.track_ids)
        if state.count != len(file.track_ids) - int(dead.sum()) + len(new.track_ids):  # then some were removed
            dead |= ~among(file.track_ids, live_ids(connection, self.encoder, self.coverage).track_ids)
        return dead if dead.any() else None

    def _is_due(self, snapshot: Snapshot) -> bool:
        if snapshot.file is None or not snapshot.state.count:
            return snapshot.state.count > 0
        changed = len(snapshot.new_ids) + (0 if snapshot.dead is None else int(snapshot.dead.sum()))
        return changed > COMPACT_SHARE * len(snapshot.file.track_ids)

    def _write(self) -> None:
        try:
            digest, last_id = self._write_files()
        except OSError as error:
            raise UnavailableError(
                f"cannot write the index {self.stem}.*.faiss: {error.strerror or error}",
                hint="the signatures are safe: free space, run again",
            ) from error
        with self.database.write() as connection:
            put_vector_index(connection, self.encoder, self.coverage, VectorIndex(digest, last_id))
        sweep(self.stem, digest)
        with self._lock:
            self._snapshot = None

    def _write_files(self) -> tuple[str, int]:
        """What the written files are known by, and the id of the newest signature in them."""
        with self.database.read() as connection:
            state = signature_state(connection, self.encoder, self.coverage)
            room = partial(_mapped, self.stem.parent) if state.count >= LISTS_FROM else None
            live = matrix_by_track(connection, self.encoder, self.coverage, room)
        return write_index(self.stem, live.track_ids, live.vectors), state.last_id


def _mapped(folder: Path, rows: int, dimensions: int) -> NDArray[np.float32]:
    """Room for more signatures than memory should hold, in a file without a name that goes with the array."""
    with tempfile.TemporaryFile(dir=folder) as spool:
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and would kill the process later
            os.posix_fallocate(spool.fileno(), 0, rows * dimensions * 4)
        spool.truncate(rows * dimensions * 4)
        return np.memmap(spool, np.float32, "r+", shape=(rows, dimensions))
