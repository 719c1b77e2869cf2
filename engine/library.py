"""`Engine`: an open library of music. The commands and other programs use this class only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from engine.db import (
    COVERAGES,
    AudioFeatures,
    Database,
    Play,
    PlayCount,
    Track,
    add_plays,
    get_audio_features,
    open_database,
    play_counts,
    roots,
    tracks_by_ids,
)
from engine.errors import DeviceError, InvalidError, LibraryError, QueryError
from engine.indexer.pipeline.cancelling import NEVER, CancelToken
from engine.recommend.history import RECENT_DAYS, read_history, read_plays, recently_heard
from engine.runtime.device import check_device
from engine.runtime.encoder_choice import choose_encoder
from engine.runtime.faiss_distribution import faiss_distribution
from engine.runtime.precision import check_precision
from engine.runtime.threads import THREADS, default_threads
from engine.search.answers import classify, nearest_group_means, nearest_tracks
from engine.search.filters import NO_FILTERS, Filters
from engine.search.query_vector import combine, query_from_reference
from engine.search.ranking import DEFAULT_RANKING, Ranking
from engine.search.references import ID_PATTERN, PathName, TrackName, absolute_path, resolve
from engine.search.results import Classification, FoundTrack, QueryResult, Span, Stats, TagCount
from engine.session import Embedder, LibrarySession, LibraryView
from engine.util.paths import default_library
from engine.util.unfinished import remove_unfinished

if TYPE_CHECKING:
    from engine.backup.results import Backup, Restored
    from engine.catalogue.grouping import Catalogue
    from engine.doctor.results import CheckReport
    from engine.duplicates.results import Duplicates
    from engine.embedding import TrackEmbedding
    from engine.explain.results import AspectExplanation, Explanation, PairExplanation
    from engine.find.results import FindResult
    from engine.genres.results import GenreRelations
    from engine.indexer.pipeline.reports import IndexProgress, IndexReport, MeasureReport
    from engine.map.results import LibraryMap, Sheet
    from engine.playlists.results import Playlist
    from engine.recommend.history import RecentlyHeard
    from engine.recommend.results import Recommendations
    from engine.search.aspect_view import AspectSearch, AspectView
    from engine.tags.results import TagReport

By: TypeAlias = "Mapping[str, float] | str"
PATH_TYPES = (str, bytes, os.PathLike)


class Engine:
    """An open library: index music, then query it.

    Safe for concurrent queries from many threads; index from one thread at a time. Use `Engine.open`.
    """

    def __init__(self, session: LibrarySession) -> None:
        self._session = session

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        encoder: str | None = None,
        coverage: str | None = None,
        device: str = "auto",
        threads: int | None = None,
        precision: str = "auto",
        loaded: bool = False,
        create: bool = True,
    ) -> Engine:
        """Open a library, or create one.

        Args:
            path: The library's file; by default in the user's data directory.
            encoder: `NAME`, `NAME@HASH` or a .safetensors file; by default the library's own.
            coverage: "windows" (about 40 s of a track) or "full"; by default the library's own.
            device: "auto", "cpu" or "cuda".
            threads: For decoding and for the network; by default half of this process's cores, at least two.
            precision: "float32", or "auto": bf16 if the processor supports it, which is about twice as fast.
            loaded: Load the index into RAM on first use; for long-running processes on slow disks.
            create: Whether to create a missing library.

        Raises:
            LibraryError: The file cannot be opened or created, or is not a library.
            EncoderError: There is no such encoder.
            DeviceError: The device, precision or number of threads is invalid or unavailable.
            EngineError: Two FAISS distributions are installed, which overwrite each other.
        """
        if coverage not in (None, *COVERAGES):
            raise LibraryError(
                f"expected a coverage of {' or '.join(COVERAGES)}, found {coverage!r}",
                hint="windows is about 40 s of a track",
            )
        if device != "auto":
            check_device(device)
        if threads is not None and (not isinstance(threads, int) or threads not in THREADS):
            raise DeviceError(
                f"expected threads of {THREADS[0]} to {THREADS[-1]}, found {threads!r}",
                hint="leave it out for half of the cores",
            )
        check_precision(precision)
        threads = threads or default_threads()
        faiss_distribution()
        database = open_database(Path(path) if path is not None else default_library(), create=create)
        try:
            file = choose_encoder(database, encoder)
            return cls(LibrarySession(database, file, coverage, device, threads, precision, loaded))
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Finish pending writes and release the library's file; raise LibraryError if a write failed."""
        self._session.close()

    @property
    def encoder(self) -> str:
        """Id of the encoder, `name@hash`."""
        return self._session.encoder_id

    @property
    def database(self) -> Database:
        """The library's database, for a server that stores its users' data there."""
        return self._session.database

    def embed_with(self, embedder: Embedder | None) -> None:
        """Set the embedder of files named in queries, such as another process; None computes them here with torch."""
        self._session.embedder = embedder

    def embedding(self, track: TrackName, part: Span | None = None) -> TrackEmbedding:
        """Return the embedding of a track, or of a part of it; a part has no segments (S is 0).

        Args:
            track: A file (in the library or not), or the id of a track.
            part: From one second to another, at least 0.5 s apart.

        Raises:
            QueryError: There is no such track or part, or its file gives no signature.
            LibraryError: The stored embedding is damaged.
        """
        import numpy as np

        from engine.embedding import TrackEmbedding
        from engine.search.embeddings import embed
        from engine.search.excerpt import query_from_excerpt

        view = self._session.view()
        if part is None:
            return embed(view, track).embedding
        found = query_from_excerpt(view, track, part).embedding
        empty = np.zeros((0, len(found.signature)), np.float32)
        return TrackEmbedding(found.signature, found.genres, found.moods, empty[:, 0], empty[:, 0], empty, found.words)

    @property
    def weights(self) -> Path:
        """The encoder's file."""
        return self._session.file.path

    @property
    def threads(self) -> int:
        """Threads for decoding and for the network."""
        return self._session.threads

    @property
    def coverage(self) -> str:
        """The coverage given at opening, else the library's own, else "windows"."""
        return self._session.coverage

    def index(
        self,
        paths: Iterable[PathName] | PathName,
        progress: Callable[[IndexProgress], None] | None = None,
        *,
        prune: bool = False,
        force: bool = False,
        retry: bool = False,
        follow_links: bool = False,
        cancel: CancelToken = NEVER,
    ) -> IndexReport:
        """Index files and folders; known and unchanged files are not opened.

        Args:
            paths: One or several files or folders.
            progress: Called after each file that needed work.
            prune: Remove tracks whose files are gone; with `force` even if a disk appears to be unmounted.
            retry: Retry files that failed before.
            follow_links: Follow links that lead out of the given folders. Otherwise only links to places inside them
                are followed; tracks behind other links remain.
            cancel: Ends the run early, from any thread; stored results remain, and `report.interrupted` is set.

        Raises:
            BusyError: Another run indexes this library; the message names its process.
            LibraryError: The library cannot be written. Results committed before remain.
        """
        listed = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
        roots = [absolute_path(path) for path in listed]
        from engine.indexer.pipeline.ingest import IndexOptions, Ingest

        session = self._session
        remove_unfinished(session.database.path)
        session.adopt()
        options = IndexOptions(session.threads, prune, force, retry, follow_links)
        ingest = Ingest(session.database, session.encoder, session.encoder_id, session.coverage, options, cancel)
        report = ingest.run(roots, progress or (lambda _: None))
        changed = bool(report.new or report.moved or report.pruned)
        session.refresh(changed=changed and not report.interrupted)  # a cancelled run does not wait for the index
        return report

    def measure(
        self,
        paths: Iterable[PathName] | PathName,
        progress: Callable[[IndexProgress], None] | None = None,
        *,
        cancel: CancelToken = NEVER,
    ) -> MeasureReport:
        """Measure tempo, key and loudness of tracks that lack them; this decodes whole files.

        Tracks that lack rhythm and harmony, indexed by an earlier version, get these as well.

        `audio_features` returns the results. A file that fails is reported and does not stop the run; a missing file is
        skipped.

        Args:
            paths: One or several files and folders, folders with all tracks below them.
            progress: Called after each file.
            cancel: Ends the run early, from any thread; stored results remain, and `report.interrupted` is set.

        Raises:
            LibraryError: The library cannot be written. Results committed before remain.
        """
        listed = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
        roots = [absolute_path(path) for path in listed]
        from engine.indexer.features.describing import describe_lacking
        from engine.indexer.features.measuring import measure_tracks
        from engine.indexer.pipeline.reports import MeasureReport

        database, threads, show = self._session.database, self._session.threads, progress or (lambda _: None)
        measured = measure_tracks(database, roots, threads, show, cancel)
        if measured.interrupted:
            return measured
        described = describe_lacking(database, roots, threads, show, cancel)
        return MeasureReport(
            measured=measured.measured,
            described=described.described,
            failed=[*measured.failed, *(each for each in described.failed if each not in measured.failed)],
            seconds=measured.seconds + described.seconds,
            interrupted=described.interrupted,
        )

    def search(self, words: str | Sequence[str], limit: int | None = None) -> tuple[FoundTrack, ...]:
        """Find tracks by text: every word must occur in the artist, title, album, genre, year or path.

        Case and accents are ignored, and parts of words match.

        Tracks with all words in title and artist come first, then those with the rest in album, genre and year, then
        those with some in the path only; ties by artist, album and path. With a limit, at most 1,000 tracks of each
        rank are sorted, the earliest indexed ones.

        Args:
            words: Words in one string, or a sequence of them.
            limit: Most tracks; None for all.

        Raises:
            InvalidError: More than 100 different words, or a limit out of range.
        """
        from engine.manage.listing import find_tracks

        return find_tracks(self._session.database, words, limit)

    def tracks(self, ids: Iterable[int]) -> dict[int, Track]:
        """Return the stored data of tracks, by id: path, duration, tags. Unknown ids are left out."""
        with self._session.database.read() as connection:
            return tracks_by_ids(connection, ids)

    def catalogue(self) -> Catalogue:
        """Return the albums, artists and genres of the library, made from its tags.

        While the library changes, a catalogue that is some seconds old may be returned.
        """
        return self._session.catalogue.get()

    def roots(self) -> tuple[str, ...]:
        """Return the files and folders that were indexed."""
        with self._session.database.read() as connection:
            return tuple(os.fsdecode(path) for path in roots(connection))

    def play_counts(self, user: str | None = None) -> dict[int, PlayCount]:
        """Return the play count of each track, by one user or all users; tracks without plays are left out."""
        with self._session.database.read() as connection:
            return play_counts(connection, user)

    def similarities(self, track: TrackName, others: Sequence[int]) -> dict[int, float]:
        """Return the similarity, 0 to 1, of each of these tracks to one track; those without a signature are left out.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        from engine.search.similarities import similarities

        return similarities(self._session.view(), track, others)

    def stats(self) -> Stats:
        """Return the totals of the library."""
        from engine.manage.listing import count_contents

        return count_contents(self._session.database)

    def remove(self, tracks: Iterable[TrackName] | TrackName) -> int:
        """Remove tracks (ids, files, folders and everything below) from the library, not the disk; return how many.

        Raises:
            QueryError: One of them is not in the library; nothing was removed.
        """
        from engine.manage.changing import remove

        return remove(self._session.database, tracks)

    def relocate(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> int:
        """Change the paths of tracks from below `old` to below `new`, without reading files; return how many.

        Raises:
            LibraryError: There is no track below `old`, no such file below `new`, or a path below `new` is another
                track's.
        """
        from engine.manage.changing import follow_move

        return follow_move(self._session.database, old, new)

    def export(self, file: str | os.PathLike[str]) -> int:
        """Write all signatures as .npz: `ids, paths, signatures, encoder`; return how many tracks.

        Raises:
            OutputError: The file exists and is not an export.
            LibraryError: The file cannot be written.
        """
        from engine.manage.export import export_signatures

        return export_signatures(self._session.view(), file)

    def locate(self, track: TrackName) -> tuple[str | None, int | None]:
        """Return the absolute path and the id that a track's name refers to; None for each that is unknown."""
        try:
            with self._session.database.read() as connection:
                resolved = resolve(connection, track)
            return os.fsdecode(resolved.path), resolved.track_id
        except QueryError:
            if isinstance(track, int) or ID_PATTERN.fullmatch(str(track)):
                return None, None
            with suppress(InvalidError):  # an empty name, or none of a file
                return os.fsdecode(absolute_path(track)), None
            return None, None

    def similar(
        self,
        track: TrackName,
        k: int = 5,
        *,
        at: Span | None = None,
        filters: Filters = NO_FILTERS,
        ranking: Ranking = DEFAULT_RANKING,
        no_duplicates: bool = False,
        by: By | None = None,
        but: str | None = None,
    ) -> QueryResult:
        """Return the k tracks of the library nearest to a track (a file, inside or outside the library, or an id).

        The track itself and byte-identical copies are left out. `artist:NAME` and `album:NAME` query by the mean of
        their tracks.

        Args:
            track: The query.
            k: Most tracks.
            at: Query by this part of the track only.
            filters: Conditions on the answer.
            ranking: Order of the answer; similarities are not affected.
            no_duplicates: Also leave out other files of the query's recording, and all but the best file of each other
                recording. Candidates are fingerprinted on first use, as in `duplicates`; a missing file without a
                fingerprint counts as a recording of its own.
            by: Compare by "timbre" (the signature), "rhythm", "harmony" or "mood", or by several with weights:
                {"rhythm": 2, "timbre": 1}. `similarity` is then that of the aspect, or their weighted mean
                (`engine.search.aspect_view`). Tracks that lack an aspect are left out. None for the signature.
            but: A description, as in `find`: the tracks nearest to the query that fit it best come first. `ranking` and
                `no_duplicates` do not apply.

        Raises:
            QueryError: There is no such track, its file gives no signature, a filter is out of range, or nothing in the
                description was understood.
            LibraryError: The library has no signatures to compare with, or fingerprints cannot be stored.
        """
        view = self._session.view()
        view.require_signatures()
        if at is None:
            query = query_from_reference(view, track)
        else:
            from engine.search.excerpt import query_from_excerpt

            query = query_from_excerpt(view, track, at)
        if but is not None:
            from engine.find.seeded import nearest_but

            _one_of(but=but, by=by)
            return nearest_but(view, query, but, k, filters)
        search = self._by(view, by, [track], at=at)
        return nearest_tracks(view, query, k, filters, ranking, no_duplicates=no_duplicates, search=search)

    def find(self, text: str, k: int = 20, *, filters: Filters = NO_FILTERS) -> FindResult:
        """Return the k tracks that fit a description such as "calm piano at night, no vocals" best.

        Words are mapped to the encoder's tags by a table of English synonyms, negations and degrees; to years and,
        where tracks were measured, a tempo; and to artists, genres and titles of this library. The tags of a track are
        predictions from its sound.

        Args:
            text: At most 100 words.
            k: Most tracks.
            filters: Conditions on the tracks.

        Raises:
            QueryError: Nothing in the text was understood, it is empty or too long, the encoder predicts no tags, or a
                filter is out of range.
            LibraryError: The library has no signatures.
        """
        from engine.find.finding import find

        return find(self._session.view(), text, k, filters)

    def tags(self) -> tuple[TagCount, ...]:
        """Return the encoder's tags with the number of tracks that carry each, the most frequent first.

        Raises:
            QueryError: The encoder predicts no tags.
            LibraryError: The library has no signatures.
        """
        from engine.search.tag_filters import count_carriers

        return count_carriers(self._session.view())

    def moods(self) -> dict[str, tuple[int, ...]]:
        """Return the ids of the tracks of each mood, by prediction; tracks without a signature are left out.

        Raises:
            LibraryError: The library has no signatures.
        """
        from engine.search.genre_filters import predicted_labels

        view = self._session.view()
        labels = predicted_labels(view)
        return {mood: tuple(labels.track_ids[labels.moods == at].tolist()) for at, mood in enumerate(view.file.moods)}

    def similar_to(
        self,
        like: Sequence[TrackName],
        unlike: Sequence[TrackName] = (),
        k: int = 5,
        *,
        filters: Filters = NO_FILTERS,
        ranking: Ranking = DEFAULT_RANKING,
        no_duplicates: bool = False,
        by: By | None = None,
        but: str | None = None,
    ) -> QueryResult:
        """Return the k tracks nearest to the normalised sum of `like` minus the sum of `unlike`.

        Genres and moods are the mean over `like`. The seeds are never among the matches.

        Args:
            like: Tracks, `artist:NAME`, `album:NAME`; one or more.
            unlike: The same, or none.
            k: As in `similar`, like the rest.
            filters: Conditions on the answers.
            ranking: Their order.
            no_duplicates: One file of each recording.
            by: Aspects to compare by.
            but: As in `similar`.

        Raises:
            QueryError: `like` is empty, the seeds cancel out, or as in `similar`.
            LibraryError: As in `similar`.
        """
        view = self._session.view()
        view.require_signatures()
        query = combine(view, like, unlike)
        if but is not None:
            from engine.find.seeded import nearest_but

            _one_of(but=but, by=by)
            return nearest_but(view, query, but, k, filters)
        search = self._by(view, by, like, unlike)
        return nearest_tracks(view, query, k, filters, ranking, no_duplicates=no_duplicates, search=search)

    def similar_groups(
        self,
        by: str,
        like: Sequence[TrackName],
        unlike: Sequence[TrackName] = (),
        k: int = 5,
        *,
        filters: Filters = NO_FILTERS,
    ) -> QueryResult:
        """Return the k artists or albums, `by` "artist" or "album", with the nearest mean signature; see `similar_to`.

        The seeds' own are left out.

        Raises:
            QueryError: As in `similar_to`, or `by` is neither.
            LibraryError: The library has no signatures to compare with.
        """
        view = self._session.view()
        view.require_signatures()
        return nearest_group_means(view, combine(view, like, unlike), by, k, filters)

    def classify(self, track: TrackName) -> Classification:
        """Return genre and mood probabilities of a track, and its distance to every genre's centroid.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        view = self._session.view()
        return classify(view, query_from_reference(view, track))

    def audio_features(self, track: TrackName) -> AudioFeatures | None:
        """Return tempo, key and loudness of a track of the library; None if it was not measured.

        Raises:
            QueryError: There is no such track.
        """
        with self._session.database.read() as connection:
            resolved = resolve(connection, track)
            if resolved.track is None or resolved.stale:
                return None
            return get_audio_features(connection, [resolved.track.id]).get(resolved.track.id)

    def explain(self, track: TrackName, plot: str | os.PathLike[str] | None = None) -> Explanation:
        """Return the attention over a track: its windows and its signature moments.

        Args:
            track: A file, inside or outside the library, or an id. Tracks of the library are answered from stored
                segments, even if the file is missing.
            plot: A .png file for a picture of the attention above the track's mel spectrogram, which needs the file.

        Raises:
            QueryError: There is no such track, its file gives no signature, or the picture cannot be drawn.
            EncoderError: The encoder's weights are damaged.
        """
        from engine.explain.explanation import explain_track

        return explain_track(self._session.view(), track, plot)

    def explain_pair(self, a: TrackName, b: TrackName) -> PairExplanation:
        """Split the cosine of two tracks exactly over all pairs of their windows.

        A track may be compared with itself: the cosine is 1.

        Raises:
            QueryError: There is no such track, its file gives no signature, or both have full coverage and more than a
                million pairs of windows.
            EncoderError: The encoder's weights are damaged.
        """
        from engine.explain.explanation import explain_two

        return explain_two(self._session.view(), a, b)

    def explain_aspects(self, a: TrackName, b: TrackName, by: By = "timbre,rhythm,harmony,mood") -> AspectExplanation:
        """Return the similarity of two tracks by aspect, compared with the library's pairs of tracks.

        Args:
            a, b: Tracks, in the library or not.
            by: Aspects as in `similar`; weights do not matter here.

        Raises:
            QueryError: There is no such track, its file gives no signature, or an aspect is unknown.
            LibraryError: No track of the library has the aspects.
        """
        from engine.explain.aspects import explain_aspects

        view = self._session.view()
        searched = _aspect_view(view, by)
        assert searched is not None
        return explain_aspects(view, searched, a, b)

    def genres(self, threshold: float = 1.25, plot: str | os.PathLike[str] | None = None) -> GenreRelations:
        """Return the relations between genres: centroids, nearest genres, equations a - b + c = d, attention.

        An empty library returns the centroids that ship with the encoder.

        Args:
            threshold: List equations with an error below this; above 0. Their number grows with the fourth power of the
                number of genres.
            plot: A folder for genres-2d.png, genres-3d.png and genres-nearest.png, created if needed.

        Raises:
            QueryError: The threshold is not above 0, or the pictures cannot be drawn (fewer than four genres).
            LibraryError: No genre has a centroid.
            EncoderError: The encoder's weights are damaged.
        """
        from engine.genres.relations import relate_genres

        return relate_genres(self._session.view(), threshold, plot)

    def map(
        self, out: str | os.PathLike[str] | None = None, *, method: str = "pca", dims: int = 2, by: By | None = None
    ) -> LibraryMap:
        """Place every track so that tracks that sound alike are close together, and draw the map. Deterministic.

        Args:
            out: `.html` for a page with zoom and search that needs no network; `.png` for a picture. Written
                atomically. None: draw nothing.
            method: "pca" (seconds, any size), "umap" or "tsne" (show groups better; minutes for a large library, at
                least five tracks, t-SNE at most 100,000).
            dims: 2, or 3 for a map that can be rotated.
            by: Aspects to compare by; see `similar`. Tracks that lack one are left out.

        Raises:
            QueryError: The ending, method or number of dimensions is invalid, or the number of tracks does not fit the
                method.
            LibraryError: The library has no signatures, or the file cannot be written.
            OutputError: The file exists and is neither a page nor a picture.
        """
        from engine.map.library_map import map_library

        view = self._session.view()
        return map_library(view, out, method, dims, _aspect_view(view, by))

    def map_sheet(self) -> Sheet:
        """Return the flat map by PCA with the labels of each track, for programs that draw it themselves.

        Raises:
            LibraryError: The library has no signatures.
        """
        from engine.map.library_map import labelled_map

        return labelled_map(self._session.view())

    def duplicates(
        self, kind: str | None = None, progress: Callable[[IndexProgress], None] | None = None
    ) -> Duplicates:
        """Find the same recording in different files, and different recordings of the same work. Nothing is deleted.

        Candidates by signature, bytes or tags are compared by fingerprints of the first two minutes, which are computed
        and stored if missing. A file that is missing, changed since it was indexed, or does not decode is left out. Of
        tracks shorter than about 4 s only byte-identical ones are found.

        Args:
            kind: Only "same_recording" (re-encodings, other rips and containers) or only "same_work" (remasters, live
                versions, close covers).
            progress: Called after each new fingerprint.

        Raises:
            QueryError: There is no such kind.
            LibraryError: The library has no signatures to compare with, or cannot be written.
        """
        from engine.duplicates.grouping import find_duplicates

        return find_duplicates(self._session.view(), kind, progress or (lambda _: None))

    def playlist(
        self,
        seeds: Sequence[TrackName],
        n: int = 25,
        *,
        unlike: Sequence[TrackName] = (),
        filters: Filters = NO_FILTERS,
        ranking: Ranking = DEFAULT_RANKING,
        by: By | None = None,
        mix: bool = False,
        drift: str | None = None,
    ) -> Playlist:
        """Return a radio: the n tracks nearest to all seeds together, in the smoothest order from the nearest on.

        The seeds are left out. `similarity` is to the seeds' combined signature.

        Args:
            seeds: Tracks, `artist:NAME`, `album:NAME`; one or more.
            n: Most tracks.
            unlike: Tracks to subtract from the seeds.
            filters: Conditions on its tracks.
            ranking: Selection among the near ones.
            by: Aspects to compare by; see `similar`.
            mix: A DJ's order instead (`engine.playlists.mixing`): neighbours whose tempo and key fit, of tracks near to
                the seeds that `measure` has measured. `Playlist.mix` holds the change of each step.
            drift: A description, as in `find`: tracks that fit it better and better, instead of the smoothest order,
                from four times as many near ones.

        Raises:
            QueryError: There is no seed, a seed is unknown or gives no signature, the seeds cancel out, n is not 1 to
                5,000, or a filter is out of range.
            LibraryError: The library has no signatures to compare with.
        """
        from engine.playlists.compose import radio, radio_mix

        view = self._session.view()
        view.require_signatures()
        query = combine(view, seeds, unlike)
        if drift is not None:
            from engine.playlists.drifting import drifting_radio

            _one_of(drift=drift, by=by, mix=mix or None)
            return drifting_radio(view, query, n, filters, ranking, drift)
        search = self._by(view, by, seeds, unlike)
        searched, compared = (search.view, search.query(query)) if search else (view, query)
        return (radio_mix if mix else radio)(searched, compared, n, filters, ranking)

    def path(
        self,
        start: TrackName,
        end: TrackName,
        n: int = 25,
        via: Sequence[TrackName] = (),
        *,
        filters: Filters = NO_FILTERS,
        variety: float = 0.0,
        seed: int | None = None,
        by: By | None = None,
        mix: bool = False,
    ) -> Playlist:
        """Return a path of n different tracks from one track to another, in steps as even as the library allows.

        It always exists; it is shorter only if fewer tracks pass, and is one track if both ends are the same.
        `similarity` is to the track before, 1 for the first; `worst_step` is the minimum.

        Args:
            start: A track, in the library or not (then its `track_id` is None).
            end: The same.
            n: Tracks, including ends and stops; at least 2 if the ends differ.
            via: Stops on the way, in this order.
            filters: Conditions on the tracks between; `per_artist` counts the ends.
            variety: As in `Ranking`: another path each time.
            seed: As in `Ranking`.
            by: Aspects to compare by; see `similar`.
            mix: Put its tracks into a DJ's order with fixed ends.

        Raises:
            QueryError: A name is not a track, gives no signature, or occurs twice; n is too small or above 5,000; a
                filter, the variety or the seed is out of range.
            LibraryError: The library has no signatures to compare with.
        """
        from engine.playlists.compose import mixed, path_between

        view = self._session.view()
        path = path_between(view, [start, *via, end], n, filters, variety, seed, _aspect_view(view, by))
        return mixed(view, path, fixed_end=True) if mix else path

    def order(self, tracks: Sequence[TrackName], *, mix: bool = False) -> Playlist:
        """Return the tracks in the smoothest order that starts with the first, without repeats.

        `similarity` is to the track before, 1 for the first. Unreadable files are left out and named in `problems`.

        Args:
            tracks: In the library or not; `engine.playlists.m3u8.read_playlist` reads them from a file.
            mix: A DJ's order instead of the smoothest one; see `playlist`.

        Raises:
            QueryError: No track can be read, or there are more than 5,000.
        """
        from engine.playlists.compose import in_order, mixed

        view = self._session.view()
        ordered = in_order(view, tracks)
        return mixed(view, ordered, fixed_end=False) if mix else ordered

    def save_playlist(self, playlist: Playlist, file: PathName, *, relative: bool = False) -> tuple[str, ...]:
        """Write a playlist as .m3u8 atomically; return one line about each track that cannot be in it.

        Args:
            playlist: The playlist.
            file: Its name ends in .m3u8 or .m3u.
            relative: Write paths relative to the playlist's folder.

        Raises:
            QueryError: The file cannot be written there.
        """
        from engine.playlists.compose import entries
        from engine.playlists.m3u8 import write_playlist

        return write_playlist(file, entries(self._session.view(), playlist), relative=relative)

    def recommend(
        self,
        history: PathName | None = None,
        n: int = 25,
        *,
        again_days: float | None = None,
        filters: Filters = NO_FILTERS,
        user: str | None = None,
    ) -> Recommendations:
        """Recommend tracks with a reason each: near liked and played tracks, far from skipped ones.

        The model is described in `engine.recommend.recommendations`. Played tracks are left out.

        Args:
            history: A CSV file with the columns time,path,event; None for the plays stored in the library.
            n: Most tracks.
            again_days: Allow played tracks whose last event is this many days older than the newest.
            filters: Conditions on the recommendations.
            user: Of the stored plays, use those of one user of the server; all for None.

        Raises:
            QueryError: The history cannot be read, has no event of a track of the library or only skips, or n or a
                filter is out of range.
            LibraryError: The library has no signatures to compare with.
        """
        from engine.recommend.recommendations import recommend

        view = self._session.view()
        read = read_plays(view, history, user)
        return replace(recommend(view, read.plays, n, again_days, filters), problems=read.problems)

    def heard_recently(self, history: PathName | None = None, days: float = RECENT_DAYS) -> RecentlyHeard:
        """Return the tracks played, skipped or liked recently, and their copies, for `Filters(not_tracks=...)`.

        Args:
            history: A CSV file as for `recommend`; None for the plays stored in the library.
            days: Span before the newest event.

        Raises:
            QueryError: The history cannot be read or has no event of a track of the library, or days are negative.
        """
        if not days >= 0:
            raise InvalidError(f"expected 0 or more days, found {days:g}", hint="14 is the default")
        view = self._session.view()
        read = read_plays(view, history)
        return recently_heard(view, read.plays, days, read.problems)

    def add_plays(self, history: PathName | Iterable[Play]) -> int:
        """Store plays in the library, for `recommend` without a file; return how many are new.

        Args:
            history: A CSV file as for `recommend`, or events. Events of unknown tracks are skipped.

        Raises:
            QueryError: The file cannot be read, or has no event of a track of the library.
            LibraryError: The library cannot be written.
        """
        plays = read_history(self._session.view(), history).plays if isinstance(history, PATH_TYPES) else history
        with self._session.database.write() as connection:
            return add_plays(connection, plays)

    def check(self, *, repair: bool = False) -> CheckReport:
        """Check the library: its file, references, signatures, index, weights, music files, space, permissions, clock.

        Args:
            repair: Repair by removing only data that can be recomputed: plays, ids and tags are never removed.

        Raises:
            LibraryError: The library cannot be read, or written for a repair.
        """
        from engine.doctor.checks import check_library

        return check_library(self._session, repair)

    def backup(self, file: str | os.PathLike[str]) -> Backup:
        """Write a verified copy of the library into one file, even while an indexer runs.

        It holds the whole database, but neither weights nor index files, which Engine creates when needed.

        Raises:
            OutputError: The file exists and is not a backup.
            LibraryError: The library cannot be read, or the file cannot be written.
        """
        from engine.backup.backup import back_up

        return back_up(self._session.database, file)

    @staticmethod
    def restore(file: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Restored:
        """Verify a backup and put it in the place of the library, which must not be open.

        The previous library remains beside it under another name.

        Args:
            file: The backup.
            path: The library's file; by default the one in the user's data directory.

        Raises:
            LibraryError: The backup is missing, damaged or newer than this Engine, the library is open in another
                process, or the files cannot be written. Nothing is changed then.
        """
        from engine.backup.backup import restore

        return restore(file, Path(path) if path is not None else default_library())

    def write_tags(
        self,
        classified: Iterable[Classification],
        *,
        write: bool = False,
        minimum: float | None = None,
        overwrite: bool = False,
    ) -> TagReport:
        """Plan which genre and mood to write into the files of classified tracks; write them if `write`.

        Only the most probable of each is written, in the encoder's spelling. All other tags and the file's permissions
        and times are unchanged; the target of a link is replaced. No file needs to be indexed again.

        Args:
            classified: Results of `classify`.
            write: Replace the files; otherwise only plan.
            minimum: Least probability (0 to 1) to write; by default 0.6.
            overwrite: Also replace existing tags.

        Raises:
            QueryError: `minimum` is not a probability.
            EngineError: Tags are to be written and mutagen (`music-engine[tags]`) is not installed.
            LibraryError: The library cannot be updated for a file that was written.
        """
        from engine.tags.tagging import LEAST_PROBABILITY, TagRules, tag_files

        remove_unfinished(self._session.database.path)
        rules = TagRules(LEAST_PROBABILITY if minimum is None else minimum, overwrite)
        report = tag_files(self._session.database, self._session.decoders, classified, rules, write=write)
        self._session.refresh(changed=False)  # tags count towards centroids
        return report

    def lacking(self, by: By) -> int:
        """Return the number of tracks with a signature that answers by these aspects leave out, as they lack one.

        Raises:
            QueryError: A weight is not valid.
            LibraryError: No track of the library has the aspects.
        """
        view = _aspect_view(self._session.view(), by)
        assert view is not None
        return view.lacking

    def _by(
        self,
        view: LibraryView,
        by: By | None,
        like: Sequence[TrackName],
        unlike: Sequence[TrackName] = (),
        at: Span | None = None,
    ) -> AspectSearch | None:
        if by is None:
            return None
        if at is not None:
            raise InvalidError("expected either a part of a track or aspects, found both", hint="leave one out")
        from engine.search.aspect_view import by_aspects

        return by_aspects(view, by, like, unlike)


def _aspect_view(view: LibraryView, by: By | None) -> AspectView | None:
    """Return the view by some aspects; raises QueryError for an invalid weight."""
    if by is None:
        return None
    from engine.search.aspect_view import AspectView
    from engine.search.aspect_weights import AspectWeights

    return AspectView(view, AspectWeights.of(by))


def _one_of(**given: object) -> None:
    """Raise InvalidError if two options that exclude each other are given."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise InvalidError(f"{' and '.join(names)} exclude each other", hint="leave one of them out")
