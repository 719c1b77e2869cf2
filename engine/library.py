"""`Engine`: a library of music, opened. The commands, and other people's programs, use this class only."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.db import COVERAGES, open_database
from engine.db.values import named
from engine.errors import DeviceError, LibraryError, QueryError
from engine.keeping import Keeping
from engine.opened import OpenLibrary
from engine.opening import check_device, choose_encoder, default_threads
from engine.paths import default_library
from engine.query import ID_PATTERN, TrackName, absolute_path, describe, matches, resolve
from engine.results import Classification, QueryResult

if TYPE_CHECKING:
    from engine.analysis.library_map import LibraryMap


class Engine(Keeping):
    """A library: index music into it, ask it what sounds alike.

    Safe for many threads that ask at once; index from one thread at a time. Use `Engine.open`.
    """

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        encoder: str | None = None,
        coverage: str | None = None,
        device: str = "auto",
        threads: int | None = None,
        create: bool = True,
    ) -> Engine:
        """Open a library, or make one.

        Args:
            path: The library's file; by default the one in the user's data directory.
            encoder: `NAME`, `NAME@HASH` or a .safetensors file; by default the library's own.
            coverage: "windows" (about 40 s of a track) or "full"; by default the library's own.
            device: "auto", "cpu" or "cuda".
            threads: For decoding and for the network; by default half of this process's cores, at least two.
            create: Whether to make a library that is not there.

        Raises:
            LibraryError: The file cannot be opened or made, or is no library.
            EncoderError: There is no such encoder.
            DeviceError: There is no such device, or no such number of threads.
        """
        if coverage not in (None, *COVERAGES):
            raise LibraryError(f"expected a coverage of {' or '.join(COVERAGES)}, found {coverage!r}")
        if device != "auto":
            check_device(device)
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise DeviceError(f"expected threads of 1 or more, found {threads!r}")
        threads = threads or default_threads()
        database = open_database(Path(path) if path is not None else default_library(), create=create)
        try:
            return cls(OpenLibrary(database, choose_encoder(database, encoder), coverage, device, threads))
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the library's file."""
        self._opened.database.close()

    @property
    def encoder(self) -> str:
        """Id of the encoder that answers, `name@hash`."""
        return self._opened.encoder_id

    @property
    def coverage(self) -> str:
        """The coverage that answers: as given at opening, else the library's own, else "windows"."""
        return self._opened.coverage

    def similar(self, track: TrackName, k: int = 5) -> QueryResult:
        """The k tracks of the library nearest to a track (a file, inside or outside the library, or an id).

        The track itself and byte-identical copies of it are left out.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
            LibraryError: The library holds no signatures to compare with.
        """
        if k < 1:
            raise QueryError(f"expected k of 1 or more, found {k}")
        opened = self._opened
        store = opened.filled_store()
        question, heard = opened.hear(track)
        neighbours = store.search(heard.signature, k, heard.itself)
        found = describe(question, heard, opened.centroids(), opened.file)
        with opened.database.read() as connection:
            return QueryResult(**vars(found), matches=matches(connection, neighbours, opened.file, opened.coverage))

    def classify(self, track: TrackName) -> Classification:
        """Genre and mood probabilities of a track, and its distance to every genre's centroid.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        question, heard = self._opened.hear(track)
        return describe(question, heard, self._opened.centroids(), self._opened.file)

    def map(self, out: str | os.PathLike[str] | None = None, *, method: str = "pca", dims: int = 2) -> LibraryMap:
        """Place every track so that what sounds alike lies close together, and draw that. The same each time.

        Args:
            out: Where to draw it: `.html` is one page that needs no network, to zoom and search in; `.png` a picture.
                An old file stays until the new one is whole. None: draw nothing.
            method: "pca" (seconds, any size), "umap" or "tsne" (groups show better; minutes for a large library, at
                least five tracks, t-SNE at most 100,000).
            dims: 2, or 3 for a map that can be turned.

        Raises:
            QueryError: Another ending, method or number of dims; too few or too many tracks for the method.
            LibraryError: The library holds no signatures, or the file cannot be written.
        """
        from engine.analysis.library_map import map_library

        return map_library(self._opened, out, method, dims)

    def locate(self, track: TrackName) -> tuple[str | None, int | None]:
        """The absolute path and the id that a track's name means; None where unknown, also for a wrong name."""
        try:
            with self._opened.database.read() as connection:
                question = resolve(connection, track)
            return named(question.path), question.track.id if question.track else None
        except QueryError:
            no_path = isinstance(track, int) or not track or ID_PATTERN.fullmatch(str(track))
            return (None if no_path else named(absolute_path(track))), None  # type: ignore[arg-type]
