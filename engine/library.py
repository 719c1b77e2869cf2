"""`Engine`: a library of music, opened. The commands, and other people's programs, use this class only.

torch and FAISS take seconds to load: they are imported where they are first needed, so that what only reads the
database (stats, search, an indexing run that finds nothing new) starts at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.db import (
    COVERAGES,
    Database,
    Track,
    count_failed,
    count_tracks,
    encoders,
    genre_by_track,
    get_setting,
    matrix,
    open_database,
    relocate,
    remove_tracks,
    search,
    set_setting,
    tracks_below,
    tracks_by_ids,
)
from engine.db.values import Folder, named, shown
from engine.errors import DeviceError, LibraryError, QueryError
from engine.exporting import write_export
from engine.indexer.ingest import IndexOptions, Ingest
from engine.indexer.reports import IndexProgress, IndexReport
from engine.models.shipped import EncoderFile, reference_centroids, shipped_path
from engine.opening import check_device, choose_encoder, default_threads, is_installed
from engine.paths import default_library
from engine.query import (
    ID_PATTERN,
    Heard,
    PathName,
    Question,
    TrackName,
    absolute_path,
    describe,
    listen,
    matches,
    resolve,
)
from engine.results import Classification, EncoderTracks, FoundTrack, QueryResult, Stats

if TYPE_CHECKING:
    from engine.centroids import Centroid
    from engine.indexer.vectors import Snapshot, VectorStore
    from engine.models.encoder import Encoder


class Engine:
    """A library: index music into it, ask it what sounds alike.

    Safe for many threads that ask at once; index from one thread at a time. Use `Engine.open`.
    """

    def __init__(self, database: Database, file: EncoderFile, coverage: str | None, device: str, threads: int) -> None:
        self._database, self._file, self._coverage = database, file, coverage
        self._device, self._threads = device, threads
        self._lock = threading.RLock()
        self._encoder: Encoder | None = None
        self._stores: dict[str, VectorStore] = {}
        self._centroids: dict[str, tuple[Snapshot, list[Centroid]]] = {}

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
            return cls(database, choose_encoder(database, encoder), coverage, device, threads)
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the library's file."""
        self._database.close()

    @property
    def encoder(self) -> str:
        """Id of the encoder that answers, `name@hash`."""
        return self._file.id

    @property
    def coverage(self) -> str:
        """The coverage that answers: as given at opening, else the library's own, else "windows"."""
        if self._coverage is None:
            with self._database.read() as connection:
                return get_setting(connection, "coverage") or "windows"
        return self._coverage

    def index(
        self,
        paths: Iterable[PathName] | PathName,
        progress: Callable[[IndexProgress], None] | None = None,
        *,
        prune: bool = False,
        force: bool = False,
        retry: bool = False,
    ) -> IndexReport:
        """Index files and folders; what is known and unchanged is not opened.

        Args:
            paths: One or several, files or folders.
            progress: Called after each file that needed work.
            prune: Remove tracks whose files are gone; `force` even when that looks like a disk that is not mounted.
            retry: Read files again that failed before.

        Raises:
            LibraryError: The library cannot be written. What was committed before is kept.
        """
        listed = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
        roots = [absolute_path(path) for path in listed]
        coverage = self.coverage
        self._adopt(coverage)
        options = IndexOptions(self._threads, prune, force, retry)
        ingest = Ingest(self._database, self._ready, self.encoder, coverage, options)
        report = ingest.run(roots, progress or (lambda _: None))
        with self._lock:
            self._centroids.clear()  # tags may have changed where signatures did not
        if report.new or report.moved or report.pruned:
            self._store(coverage).compact()
        return report

    def similar(self, track: TrackName, k: int = 5) -> QueryResult:
        """The k tracks of the library nearest to a track (a file, inside or outside the library, or an id).

        The track itself and byte-identical copies of it are left out.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
            LibraryError: The library holds no signatures to compare with.
        """
        if k < 1:
            raise QueryError(f"expected k of 1 or more, found {k}")
        coverage = self.coverage
        store = self._checked_store(coverage)
        question, heard = self._hear(track, coverage)
        neighbours = store.search(heard.signature, k, heard.itself)
        found = describe(question, heard, self._genre_centroids(store, coverage), self._file)
        with self._database.read() as connection:
            return QueryResult(**vars(found), matches=matches(connection, neighbours, self._file, coverage))

    def classify(self, track: TrackName) -> Classification:
        """Genre and mood probabilities of a track, and its distance to every genre's centroid.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        coverage = self.coverage
        question, heard = self._hear(track, coverage)
        return describe(question, heard, self._genre_centroids(self._store(coverage), coverage), self._file)

    def locate(self, track: TrackName) -> tuple[str | None, int | None]:
        """The absolute path and the id that a track's name means; None where unknown, also for a wrong name."""
        try:
            with self._database.read() as connection:
                question = resolve(connection, track)
            return named(question.path), question.track.id if question.track else None
        except QueryError:
            no_path = isinstance(track, int) or not track or ID_PATTERN.fullmatch(str(track))
            return (None if no_path else named(absolute_path(track))), None  # type: ignore[arg-type]

    def search(self, words: str | Sequence[str], limit: int | None = None) -> tuple[FoundTrack, ...]:
        """Tracks in whose artist, title, album, genre or path every word occurs, whatever its case."""
        with self._database.read() as connection:
            found = search(connection, words.split() if isinstance(words, str) else words, limit)
        return tuple(FoundTrack(t.id, t.name, t.artist, t.title, t.album) for t in found)

    def stats(self) -> Stats:
        """What the library holds."""
        with self._database.read() as connection:
            counts = tuple(EncoderTracks(c.encoder, c.coverage, c.tracks) for c in encoders(connection))
            return Stats(count_tracks(connection), count_failed(connection), counts)

    def remove(self, tracks: Iterable[TrackName] | TrackName) -> int:
        """Remove tracks (ids, files, folders with all below them) from the library, not the disk; returns how many.

        Raises:
            QueryError: One of them is not in the library; then nothing was removed.
        """
        listed = [tracks] if isinstance(tracks, int | str | bytes | os.PathLike) else list(tracks)
        with self._database.write() as connection:
            ids: set[int] = set()
            for name in listed:
                ids |= _tracks_named(connection, name)
            return remove_tracks(connection, ids)

    def relocate(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> int:
        """Follow a library that moved from `old` to `new`; no file is read. Returns the number of tracks.

        Raises:
            LibraryError: `old` holds no track, `new` none of the files, or a path of `new` is another track's.
        """
        before, after = absolute_path(old), absolute_path(new)
        with self._database.write() as connection:
            moving = [track.path for track in tracks_below(connection, before)]
            if not moving:
                raise LibraryError(f"expected tracks of the library below {shown(before)}, found none; nothing changed")
            source, target = Folder.of(before), Folder.of(after)
            if not any(os.path.lexists(source.rebased(path, target)) for path in moving):
                raise LibraryError(
                    f"expected the moved files below {shown(after)}, found none of them; move them there first"
                )
            return relocate(connection, before, after)

    def export(self, file: str | os.PathLike[str]) -> int:
        """Write all signatures as .npz: `ids, paths, signatures, encoder`; returns how many tracks.

        Raises:
            LibraryError: The file cannot be written.
        """
        with self._database.read() as connection:
            stored = matrix(connection, self.encoder, self.coverage)
            tracks = tracks_by_ids(connection, [int(track_id) for track_id in stored.track_ids])
        paths = [tracks[int(track_id)].name for track_id in stored.track_ids]
        write_export(Path(file), self.encoder, stored, paths)
        return len(paths)

    def _ready(self) -> Encoder:
        with self._lock:
            if self._encoder is None:
                import torch

                from engine.models.checkpoint import load_encoder

                torch.set_num_threads(self._threads)
                self._encoder = load_encoder(self._file, check_device(self._device))
            return self._encoder

    def _store(self, coverage: str) -> VectorStore:
        with self._lock:
            if coverage not in self._stores:
                import faiss

                from engine.indexer.vectors import VectorStore

                faiss.omp_set_num_threads(self._threads)
                self._stores[coverage] = VectorStore(self._database, self.encoder, coverage, gpu=self._device != "cpu")
            return self._stores[coverage]

    def _checked_store(self, coverage: str) -> VectorStore:
        store = self._store(coverage)
        if not store.snapshot().state.count:
            raise LibraryError(self._nothing_to_compare(coverage))
        return store

    def _nothing_to_compare(self, coverage: str) -> str:
        held = [f"{count.encoder} ({count.coverage})" for count in self.stats().encoders]
        if not held:
            return f"library {self._database.path} holds no tracks; add some: engine index PATH"
        shipped = self._file.path == shipped_path(self._file.name)
        named = self.encoder if shipped else self._file.path
        return (
            f"library holds signatures of {', '.join(held)} only; you asked for {self.encoder} ({coverage}). "
            f"Add them: engine --encoder {named} index --coverage {coverage} PATH"
        )

    def _hear(self, track: TrackName, coverage: str) -> tuple[Question, Heard]:
        with self._database.read() as connection:
            question = resolve(connection, track)
        return question, listen(self._database, question, self._ready, self.encoder, coverage)

    def _genre_centroids(self, store: VectorStore, coverage: str) -> list[Centroid]:
        from engine.centroids import make_centroids

        snapshot = store.snapshot()
        with self._lock:
            known = self._centroids.get(coverage)
            if known is None or known[0] is not snapshot:
                with self._database.read() as connection:
                    tags = genre_by_track(connection)
                reference = reference_centroids(self._file)
                made = make_centroids(tags, snapshot.track_ids, snapshot.vectors, reference, self._file.genres)
                self._centroids[coverage] = known = (snapshot, made)
            return known[1]

    def _adopt(self, coverage: str) -> None:
        """The first indexing decides the library's own encoder and coverage; where weights lie is noted each time.

        So does the first one after the own encoder's weights are gone.
        """
        with self._database.write() as connection:
            own = get_setting(connection, "encoder")
            if own is None or not is_installed(own, get_setting(connection, f"weights {own}")):
                set_setting(connection, "encoder", self.encoder)
                set_setting(connection, "coverage", coverage)
            set_setting(connection, f"weights {self.encoder}", str(self._file.path.absolute()))


def _tracks_named(connection: Connection, name: TrackName) -> set[int]:
    below: list[Track] = []
    if not isinstance(name, int) and (os.path.lexists(name) or not ID_PATTERN.fullmatch(str(name))):
        below = tracks_below(connection, absolute_path(name))
    if below:
        return {track.id for track in below}
    question = resolve(connection, name)
    if question.track is None:
        raise QueryError(f"{shown(question.path)} is not in the library; nothing was removed")
    return {question.track.id}
