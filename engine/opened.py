"""What every question to an open library needs: its database, its encoder, its vectors, its centroids.

torch and FAISS take seconds to load: they are imported where they are first needed, so that what only reads the
database (stats, search, an indexing run that finds nothing new) starts at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine.db import Database, encoders, genre_by_track, get_setting, set_setting
from engine.errors import LibraryError
from engine.models.shipped import EncoderFile, reference_centroids, shipped_path
from engine.opening import check_device, is_installed
from engine.query import Heard, Question, TrackName, listen, resolve

if TYPE_CHECKING:
    from engine.centroids import Centroid
    from engine.indexer.vectors import Snapshot, VectorStore
    from engine.models.encoder import Encoder


class OpenLibrary:
    """One library, one encoder, one coverage. Safe for many threads.

    Attributes:
        database: The library.
        file: The encoder's weights.
        threads: For decoding and for the network.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, database: Database, file: EncoderFile, coverage: str | None, device: str, threads: int) -> None:
        self.database, self.file = database, file
        self.device, self.threads = device, threads
        self._coverage = coverage
        self._lock = threading.RLock()
        self._encoder: Encoder | None = None
        self._stores: dict[str, VectorStore] = {}
        self._centroids: dict[str, tuple[Snapshot, list[Centroid]]] = {}

    @property
    def encoder_id(self) -> str:
        """Id of the encoder that answers, `name@hash`."""
        return self.file.id

    @property
    def coverage(self) -> str:
        """As given at opening, else the library's own, else "windows"."""
        if self._coverage is None:
            with self.database.read() as connection:
                return get_setting(connection, "coverage") or "windows"
        return self._coverage

    def encoder(self) -> Encoder:
        """The network, loaded on first use; raises EncoderError for damaged weights, DeviceError for no such device."""
        with self._lock:
            if self._encoder is None:
                import torch

                from engine.models.checkpoint import load_encoder

                torch.set_num_threads(self.threads)
                self._encoder = load_encoder(self.file, check_device(self.device))
            return self._encoder

    def store(self) -> VectorStore:
        """The signatures, searchable; there may be none."""
        coverage = self.coverage
        with self._lock:
            if coverage not in self._stores:
                import faiss

                from engine.indexer.vectors import VectorStore

                faiss.omp_set_num_threads(self.threads)
                self._stores[coverage] = VectorStore(self.database, self.encoder_id, coverage, gpu=self.device != "cpu")
            return self._stores[coverage]

    def filled_store(self) -> VectorStore:
        """The signatures, at least one; raises LibraryError when there is none, and says what there is instead."""
        store = self.store()
        if not store.snapshot().state.count:
            raise LibraryError(self._nothing_to_compare())
        return store

    def hear(self, track: TrackName) -> tuple[Question, Heard]:
        """What a track's name means, and its signature.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        with self.database.read() as connection:
            question = resolve(connection, track)
        return question, listen(self.database, question, self.encoder, self.encoder_id, self.coverage)

    def centroids(self) -> list[Centroid]:
        """The genres' centroids: the library's own where enough tracks are tagged, else the encoder's."""
        from engine.centroids import make_centroids

        coverage, snapshot = self.coverage, self.store().snapshot()
        with self._lock:
            known = self._centroids.get(coverage)
            if known is None or known[0] is not snapshot:
                with self.database.read() as connection:
                    tags = genre_by_track(connection)
                reference = reference_centroids(self.file)
                made = make_centroids(tags, snapshot.track_ids, snapshot.vectors, reference, self.file.genres)
                self._centroids[coverage] = known = (snapshot, made)
            return known[1]

    def adopt(self) -> None:
        """The first indexing decides the library's own encoder and coverage; where weights lie is noted each time.

        So does the first one after the own encoder's weights are gone.
        """
        coverage = self.coverage
        with self.database.write() as connection:
            own = get_setting(connection, "encoder")
            if own is None or not is_installed(own, get_setting(connection, f"weights {own}")):
                set_setting(connection, "encoder", self.encoder_id)
                set_setting(connection, "coverage", coverage)
            set_setting(connection, f"weights {self.encoder_id}", str(self.file.path.absolute()))

    def indexed(self, changed: bool) -> None:
        """Follow an indexing run: tags may have changed even where signatures did not."""
        with self._lock:
            self._centroids.clear()
        if changed:
            self.store().compact()

    def _nothing_to_compare(self) -> str:
        with self.database.read() as connection:
            held = [f"{count.encoder} ({count.coverage})" for count in encoders(connection)]
        if not held:
            return f"library {self.database.path} holds no tracks; add some: engine index PATH"
        shipped = self.file.path == shipped_path(self.file.name)
        named = self.encoder_id if shipped else self.file.path
        return (
            f"library holds signatures of {', '.join(held)} only; you asked for {self.encoder_id} ({self.coverage}). "
            f"Add them: engine --encoder {named} index --coverage {self.coverage} PATH"
        )
