"""An open library: its database, encoder, vector store and caches; and one query's view of it.

torch and FAISS take seconds to load, so they are imported on first use: commands that only read the database (stats,
search, an indexing run without new files) start at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.db import Database, encoders, get_setting, set_setting
from engine.errors import EncoderError, LibraryError
from engine.models.weights_files import EncoderFile, shipped_path
from engine.runtime.device import check_device
from engine.runtime.encoder_choice import is_installed
from engine.runtime.forks import usable_threads
from engine.runtime.precision import computes_in_bf16
from engine.util.cache import StateCache

if TYPE_CHECKING:
    from engine.catalogue.current import CurrentCatalogue
    from engine.embedding import TrackEmbedding
    from engine.indexer.features.fingerprint_store import FingerprintStore
    from engine.indexer.pipeline.decoders import Decoders
    from engine.indexer.vectors.store import VectorSnapshot, VectorStore
    from engine.models.encoder import Encoder

Value = TypeVar("Value")


class Embedder(Protocol):
    """Computes embeddings of files in place of this process, which then never loads torch."""

    def embed(self, path: bytes, part: tuple[float, float] | None = None) -> TrackEmbedding:
        """Return the embedding of a file or, without segments, of a part of it from one second to another."""


class LibrarySession:
    """One open library with one encoder. Safe for many threads.

    Attributes:
        database: The library.
        file: The encoder's weights.
        device: "auto", "cpu" or "cuda".
        threads: For decoding and for the network.
        precision: "auto" or "float32".
        loaded: Whether the index is read into memory when it opens.
        embedder: Computes embeddings of files elsewhere; None to compute them in this process.
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
        self.embedder: Embedder | None = None
        self.cache = StateCache()
        self._coverage = coverage
        self._encoder: Encoder | None = None
        self._encoder_lock = threading.Lock()
        self._stores: dict[str, VectorStore] = {}
        self._stores_lock = threading.Lock()

    @property
    def encoder_id(self) -> str:
        """Id of the encoder, `name@hash`."""
        return self.file.id

    @property
    def coverage(self) -> str:
        """The coverage given at opening, else the library's own, else "windows".

        A library has its own from its first indexing run on, by any process.
        """
        if self._coverage is None:
            with self.database.read() as connection:
                self._coverage = get_setting(connection, "coverage")
        return self._coverage or "windows"

    @cached_property
    def fingerprints(self) -> FingerprintStore:
        """Fingerprints, shared with every other session of this library in this process."""
        from engine.indexer.features.fingerprint_store import FingerprintStore

        return FingerprintStore.of(self.database)

    @cached_property
    def catalogue(self) -> CurrentCatalogue:
        """Albums, artists and genres; made on first use."""
        from engine.catalogue.current import CurrentCatalogue

        return CurrentCatalogue(self.database)

    def view(self) -> LibraryView:
        """Return a view for one query."""
        return LibraryView(self, self.coverage)

    def encoder(self) -> Encoder:
        """Return the network, loaded on first use.

        Raises:
            EncoderError: The weights are damaged.
            DeviceError: There is no such device.
        """
        with self._encoder_lock:
            if self._encoder is None:
                import torch

                from engine.models.checkpoint import load_encoder

                torch.set_num_threads(usable_threads(self.threads))
                device = check_device(self.device)
                self._encoder = load_encoder(self.file, device)
                self._encoder.reduced = self.precision == "auto" and computes_in_bf16(device)
            return self._encoder

    @cached_property
    def decoders(self) -> Decoders:
        """The processes that decode files of queries; started on first use, one is kept running."""
        from engine.indexer.pipeline.decoders import Decoders

        return Decoders(self.threads, kept=1)

    def store(self, coverage: str) -> VectorStore:
        """Return the encoder's vector store for a coverage; it may be empty."""
        with self._stores_lock:
            if coverage not in self._stores:
                from engine.indexer.vectors.opening import open_store

                self._stores[coverage] = open_store(
                    self.database,
                    self.encoder_id,
                    coverage,
                    device=self.device,
                    threads=usable_threads(self.threads),
                    loaded=self.loaded,
                )
            return self._stores[coverage]

    def adopt(self) -> None:
        """Make this encoder and coverage the library's own if it has none, or if its own weights are missing.

        Also store the path of the weights.
        """
        coverage = self.coverage
        with self.database.write() as connection:
            own = get_setting(connection, "encoder")
            if own is None or not is_installed(own, get_setting(connection, f"weights {own}")):
                set_setting(connection, "encoder", self.encoder_id)
                set_setting(connection, "coverage", coverage)
            set_setting(connection, f"weights {self.encoder_id}", str(self.file.path.absolute()))

    def refresh(self, changed: bool) -> None:
        """Update after an indexing run: clear the caches, and compact the index if signatures changed."""
        self.cache.clear()
        if changed:
            self.store(self.coverage).compact_aside()

    def close(self) -> None:
        """Finish pending writes and release the library's file; raise LibraryError if a write failed."""
        if "decoders" in vars(self):
            self.decoders.close()
        try:
            for store in self._stores.values():
                store.close()
        finally:
            self.database.close()


class LibraryView:
    """A library as one query sees it: one encoder, one coverage, one snapshot of the signatures.

    The snapshot is taken on first use and does not change while an indexer writes.

    Attributes:
        database, file, encoder_id, threads: The session's.
        coverage: Of the signatures.
        read: Begin a read transaction; see `Database.read`.
    """

    def __init__(self, session: LibrarySession, coverage: str) -> None:
        self._session = session
        self.database, self.file, self.encoder_id = session.database, session.file, session.file.id
        self.threads, self.coverage = session.threads, coverage
        self.read = session.database.read

    @cached_property
    def snapshot(self) -> VectorSnapshot:
        """The signatures; possibly none.

        Raises:
            LibraryError: They are damaged, or not of the encoder's length.
        """
        found = self._session.store(self.coverage).snapshot()
        try:
            expected = self.file.dimensions
        except EncoderError:  # reported by the operations that need the weights
            return found
        if found.count and found.dimensions != expected:
            raise LibraryError(
                f"expected signatures of {expected} numbers from {self.encoder_id}, found {found.dimensions}: "
                "the library is damaged",
                hint="engine doctor --repair removes them, then engine index PATH computes them again",
            )
        return found

    @property
    def is_current(self) -> bool:
        """Whether the signatures are still those of the snapshot."""
        return self._session.store(self.coverage).snapshot().token == self.snapshot.token

    @property
    def encoded(self) -> LibraryView:
        """The library as the encoder sees it: this view, unless it compares tracks by other vectors."""
        return self

    @property
    def fingerprints(self) -> FingerprintStore:
        """The session's fingerprints."""
        return self._session.fingerprints

    @property
    def filled_snapshot(self) -> VectorSnapshot:
        """The signatures, at least one; see `require_signatures`."""
        self.require_signatures()
        return self.snapshot

    def require_signatures(self) -> None:
        """Raise LibraryError if the library has no signatures to compare with; its message lists those present."""
        if not self.snapshot.count:
            raise self._nothing_to_compare()

    def encoder(self) -> Encoder:
        """Return the network, loaded on first use; see `LibrarySession.encoder`."""
        return self._session.encoder()

    @property
    def embedder(self) -> Embedder | None:
        """Computes embeddings of files elsewhere; None to compute them in this process."""
        return self._session.embedder

    @property
    def decoders(self) -> Decoders:
        """The processes that decode the files of queries; see `LibrarySession.decoders`."""
        return self._session.decoders

    def cached(self, name: str, compute: Callable[[], Value]) -> Value:
        """Return the cached value for name; recompute when the signatures change."""
        return self._session.cache.get((self.coverage, name), self.snapshot.token, compute)

    def cached_tags(self, name: str, compute: Callable[[], Value]) -> Value:
        """Return the cached value for name; recompute when anything in the library changes."""
        return self._session.cache.get((self.coverage, name), self.database.version(), compute)

    def _nothing_to_compare(self) -> LibraryError:
        with self.read() as connection:
            held = [f"{count.encoder} ({count.coverage})" for count in encoders(connection)]
        if not held:
            return LibraryError(f"library {self.database.path} holds no tracks", hint="add some: engine index PATH")
        shipped = self.file.path == shipped_path(self.file.name)
        named = self.encoder_id if shipped else self.file.path
        return LibraryError(
            f"library holds signatures of {', '.join(held)} only, found none of {self.encoder_id} ({self.coverage})",
            hint=f"add them: engine --encoder {named} index --coverage {self.coverage} PATH",
        )
