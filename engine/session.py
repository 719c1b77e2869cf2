"""What every question to an open library needs: its database, its encoder, its vectors, its centroids.

torch and FAISS take seconds to load: they are imported where they are first needed, so that what only reads the
database (stats, search, an indexing run that finds nothing new) starts at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from engine.db import Database, Labels, encoders, get_setting, labels_of_tracks, set_setting, tracks_by_genre
from engine.errors import LibraryError
from engine.models.weights_files import EncoderFile, reference_centroids, shipped_path
from engine.runtime.encoder_choice import check_device, is_installed
from engine.runtime.precision import computes_in_bf16
from engine.search.references import ResolvedTrack, TrackEmbedding, TrackName, listen, recall, resolve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.indexer.vectors.store import Snapshot, VectorStore
    from engine.models.encoder import Encoder
    from engine.search.centroids import Centroid
    from engine.search.hubness import LocalScale

Kept = TypeVar("Kept")


class LibrarySession:
    """One library, one encoder, one coverage. Safe for many threads.

    Attributes:
        database: The library.
        file: The encoder's weights.
        threads: For decoding and for the network.
        device: "auto", "cpu" or "cuda".
        precision: "auto" or "float32".
        loaded: Whether the index is read into memory when it opens.
    """

    def __init__(
        self,
        database: Database,
        file: EncoderFile,
        coverage: str | None,
        device: str,
        threads: int,
        precision: str = "auto",
        loaded: bool = False,
    ) -> None:
        self.database, self.file = database, file
        self.device, self.threads, self.precision, self.loaded = device, threads, precision, loaded
        self._coverage = coverage
        self._stored: tuple[tuple[int, ...], str] = ((), "")  # what the library says of it, and when it did
        self._lock = threading.RLock()
        self._encoder: Encoder | None = None
        self._stores: dict[str, VectorStore] = {}
        self._derived: dict[tuple[str, str], tuple[object, Any]] = {}  # by coverage and name

    @property
    def encoder_id(self) -> str:
        """Id of the encoder that answers, `name@hash`."""
        return self.file.id

    @property
    def coverage(self) -> str:
        """As given at opening, else the library's own, else "windows"."""
        if self._coverage is not None:
            return self._coverage
        version = self.database.version()
        if self._stored[0] != version:
            with self.database.read() as connection:
                self._stored = (version, get_setting(connection, "coverage") or "windows")
        return self._stored[1]

    def encoder(self) -> Encoder:
        """The network, loaded on first use; raises EncoderError for damaged weights, DeviceError for no such device."""
        with self._lock:
            if self._encoder is None:
                import torch

                from engine.models.checkpoint import load_encoder

                torch.set_num_threads(self.threads)
                device = check_device(self.device)
                self._encoder = load_encoder(self.file, device)
                self._encoder.reduced = self.precision == "auto" and computes_in_bf16(device)
            return self._encoder

    def store(self) -> VectorStore:
        """The signatures, searchable; there may be none."""
        coverage = self.coverage
        with self._lock:
            if coverage not in self._stores:
                import faiss

                from engine.indexer.vectors.store import VectorStore

                faiss.omp_set_num_threads(self.threads)
                gpu, mapped = self.device != "cpu", not self.loaded
                self._stores[coverage] = VectorStore(self.database, self.encoder_id, coverage, gpu=gpu, mapped=mapped)
            return self._stores[coverage]

    def filled_store(self) -> VectorStore:
        """The signatures, at least one; raises LibraryError when there is none, and says what there is instead."""
        store = self.store()
        if not store.snapshot().state.count:
            raise LibraryError(self._nothing_to_compare())
        return store

    def hear(self, track: TrackName, *, segments: bool = True) -> tuple[ResolvedTrack, TrackEmbedding]:
        """What a track's name means, and its signature; without `segments`, those of a stored one are not read.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        coverage = self.coverage
        with self.database.read() as connection:
            question = resolve(connection, track)
            heard = recall(connection, question, self.encoder_id, coverage, segments=segments)
        return question, heard or listen(self.database, question, self.encoder, self.encoder_id, coverage)

    def centroids(self) -> list[Centroid]:
        """The genres' centroids: the library's own where enough tracks are tagged, else the encoder's."""
        snapshot = self.store().snapshot()
        return self.kept("centroids", snapshot, lambda: self._make_centroids(snapshot))

    def labels(self) -> Labels:
        """What the encoder's heads say of every track."""
        return self.kept("labels", self.store().snapshot(), self._read_labels)

    def local_scale(self, snapshot: Snapshot) -> LocalScale:
        """What corrects for tracks that are everybody's neighbour; the snapshot must hold signatures."""
        from engine.search.hubness import LocalScale, draw_sample

        return self.kept("scale", snapshot, lambda: LocalScale(draw_sample(snapshot)))

    def local_scales(self, snapshot: Snapshot) -> NDArray[np.float32]:
        """The scale (N,) of every track, in the order of the snapshot's `track_ids`."""
        return self.kept("scales", snapshot, lambda: self.local_scale(snapshot).of(snapshot.vectors))

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
            self._derived.clear()
        if changed:
            self.store().compact_aside()

    def close(self) -> None:
        """Finish what is being written, and release the library's file; raises LibraryError where that failed."""
        try:
            for store in self._stores.values():
                store.wait()
        finally:
            self.database.close()

    def kept(self, name: str, state: object, make: Callable[[], Kept]) -> Kept:
        """What was made under a name of a state, a snapshot or the library's version; made anew of another one."""
        key = (self.coverage, name)
        with self._lock:
            if key not in self._derived or self._derived[key][0] != state:
                self._derived[key] = (state, make())
            kept: Kept = self._derived[key][1]
            return kept

    def _make_centroids(self, snapshot: Snapshot) -> list[Centroid]:
        from engine.search.centroids import make_centroids

        with self.database.read() as connection:
            tags = tracks_by_genre(connection)
        return make_centroids(tags, snapshot, reference_centroids(self.file), self.file.genres)

    def _read_labels(self) -> Labels:
        with self.database.read() as connection:
            return labels_of_tracks(connection, self.encoder_id, self.coverage)

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
