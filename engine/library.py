"""`Engine`: a library of music, opened. The commands, and other people's programs, use this class only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.db import COVERAGES, AudioFeatures, get_audio_features, open_database
from engine.db.text import fs_name
from engine.errors import DeviceError, LibraryError, QueryError
from engine.keeping import Keeping
from engine.listening import Listening
from engine.runtime.encoder_choice import check_device, choose_encoder
from engine.runtime.faiss_distribution import faiss_distribution
from engine.runtime.paths import default_library
from engine.runtime.precision import check_precision
from engine.runtime.threads import THREADS, default_threads
from engine.search.excerpt import query_from_excerpt
from engine.search.filters import NO_FILTERS, Filters
from engine.search.groups import nearest_groups
from engine.search.query_vector import Query, combine, group_of, query_from_reference
from engine.search.ranking import DEFAULT_RANKING, Ranking, nearest
from engine.search.references import ID_PATTERN, TrackName, absolute_path, describe, matches, resolve
from engine.search.results import Classification, GroupMatch, Match, QueryResult
from engine.session import LibrarySession

if TYPE_CHECKING:
    from engine.duplicates.grouping import Duplicates
    from engine.explain.explanation import Explanation, PairExplanation, Span
    from engine.genres.relations import GenreRelations
    from engine.indexer.pipeline.reports import IndexProgress
    from engine.map.library_map import LibraryMap
    from engine.tags.tagging import TagReport


class Engine(Keeping, Listening):
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
        precision: str = "auto",
        loaded: bool = False,
        create: bool = True,
    ) -> Engine:
        """Open a library, or make one.

        Args:
            path: The library's file; by default the one in the user's data directory.
            encoder: `NAME`, `NAME@HASH` or a .safetensors file; by default the library's own.
            coverage: "windows" (about 40 s of a track) or "full"; by default the library's own.
            device: "auto", "cpu" or "cuda".
            threads: For decoding and for the network; by default half of this process's cores, at least two.
            precision: "float32", or "auto": bf16 where the processor computes in it, which is about twice as fast.
            loaded: Read the whole index into memory at the first question, instead of what each question touches: for
                a large library on a slow disk, in a process that stays.
            create: Whether to make a library that is not there.

        Raises:
            LibraryError: The file cannot be opened or made, or is no library.
            EncoderError: There is no such encoder.
            DeviceError: There is no such device or precision, or no such number of threads.
            EngineError: Two FAISS distributions are installed, which overwrite each other.
        """
        if coverage not in (None, *COVERAGES):
            raise LibraryError(f"expected a coverage of {' or '.join(COVERAGES)}, found {coverage!r}")
        if device != "auto":
            check_device(device)
        if threads is not None and (not isinstance(threads, int) or threads not in THREADS):
            raise DeviceError(f"expected threads of {THREADS[0]} to {THREADS[-1]}, found {threads!r}")
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
        """Finish what is being written, and release the library's file; raises LibraryError where that failed."""
        self._session.close()

    @property
    def encoder(self) -> str:
        """Id of the encoder that answers, `name@hash`."""
        return self._session.encoder_id

    @property
    def coverage(self) -> str:
        """The coverage that answers: as given at opening, else the library's own, else "windows"."""
        return self._session.coverage

    def similar(
        self,
        track: TrackName,
        k: int = 5,
        *,
        at: Span | None = None,
        filters: Filters = NO_FILTERS,
        ranking: Ranking = DEFAULT_RANKING,
        no_duplicates: bool = False,
    ) -> QueryResult:
        """The k tracks of the library nearest to a track (a file, inside or outside the library, or an id).

        The track itself and byte-identical copies of it are left out. `artist:NAME` and `album:NAME` search from the
        mean of their tracks.

        Args:
            track: What to search from.
            k: How many at most.
            at: Only this part of it.
            filters: What may be an answer.
            ranking: How answers are put into order; their similarities stay what they are.
            no_duplicates: Also leave out other files of the track's recording, and all but the best file of each
                other recording. What sounds alike is fingerprinted on first use, as in `duplicates`; a file that is
                away and was never fingerprinted counts as a recording of its own.

        Raises:
            QueryError: There is no such track, its file gives no signature, or a filter makes no sense.
            LibraryError: The library holds no signatures to compare with, or fingerprints cannot be stored.
        """
        self._session.filled_store()
        sought = query_from_excerpt(self._session, track, at) if at else query_from_reference(self._session, track)
        alone = group_of(track) is None
        return self._answer(sought, k, filters, ranking, alone=alone, no_duplicates=no_duplicates)

    def similar_to(
        self,
        like: Sequence[TrackName],
        unlike: Sequence[TrackName] = (),
        k: int = 5,
        *,
        filters: Filters = NO_FILTERS,
        ranking: Ranking = DEFAULT_RANKING,
        no_duplicates: bool = False,
    ) -> QueryResult:
        """The k tracks nearest to the normalised sum of what is liked minus the sum of what is not.

        Genres and moods are the mean of what is liked. The seeds are never among the matches.

        Args:
            like: Tracks, `artist:NAME`, `album:NAME`; one or more.
            unlike: The same.
            k, filters, ranking, no_duplicates: As in `similar`.

        Raises:
            QueryError: Nothing is liked, the seeds cancel out, or as in `similar`.
            LibraryError: As in `similar`.
        """
        self._session.filled_store()
        sought = combine(self._session, like, unlike)
        return self._answer(sought, k, filters, ranking, no_duplicates=no_duplicates)

    def similar_groups(
        self,
        by: str,
        like: Sequence[TrackName],
        unlike: Sequence[TrackName] = (),
        k: int = 5,
        *,
        filters: Filters = NO_FILTERS,
    ) -> QueryResult:
        """The k artists or albums, `by` "artist" or "album", whose mean signature is nearest; see `similar_to`.

        The seeds' own are left out.

        Raises:
            QueryError: As in `similar_to`, or `by` is something else.
            LibraryError: The library holds no signatures to compare with.
        """
        self._session.filled_store()
        sought = combine(self._session, like, unlike)
        groups = nearest_groups(self._session, sought, by, k, filters)
        return self._result(sought, groups=groups)

    def duplicates(
        self, kind: str | None = None, progress: Callable[[IndexProgress], None] | None = None
    ) -> Duplicates:
        """The same recording in different files, and different recordings of the same work. Nothing is deleted.

        What may be the same by signature, bytes or tags is compared by fingerprints of the first two minutes. These
        are taken where they are missing, and stored. A file that is away, changed since it was indexed, or does not
        decode is left out. Of tracks shorter than about 4 s only byte-identical ones are found.

        Args:
            kind: Only "same_recording" (re-encodings, other rips and containers) or only "same_work" (remasters,
                live versions, close covers).
            progress: Called after each file that had no fingerprint yet.

        Raises:
            QueryError: There is no such kind.
            LibraryError: The library holds no signatures to compare with, or cannot be written.
        """
        from engine.duplicates.grouping import find_duplicates

        return find_duplicates(self._session, kind, progress or (lambda _: None))

    def classify(self, track: TrackName) -> Classification:
        """Genre and mood probabilities of a track, and its distance to every genre's centroid.

        Raises:
            QueryError: There is no such track, or its file gives no signature.
        """
        sought = query_from_reference(self._session, track)
        seed = sought.seeds[0] if group_of(track) is None else None
        return describe(seed, sought.heard, self._session.centroids(), self._session.file)

    def write_tags(
        self,
        classified: Iterable[Classification],
        *,
        write: bool = False,
        minimum: float | None = None,
        overwrite: bool = False,
    ) -> TagReport:
        """Plan which genre and mood to write into the files of classified tracks; write them if `write`.

        Only the best guess of each is written, in the encoder's spelling. Every other tag stays, and so do the file's
        permissions and times; a link's target is replaced. The library follows: no file is heard again.

        Args:
            classified: What `classify` answered.
            write: Replace the files; else nothing is touched.
            minimum: The least probability (0 to 1) that is written; by default 0.6.
            overwrite: Also where a file has such a tag.

        Raises:
            QueryError: `minimum` is no probability.
            EngineError: Tags are to be written, and mutagen (`music-engine[tags]`) is not installed.
            LibraryError: The library cannot be told of a file that was written.
        """
        from engine.tags.tagging import LEAST_PROBABILITY, TagRules, tag_files

        rules = TagRules(LEAST_PROBABILITY if minimum is None else minimum, overwrite)
        report = tag_files(self._session.database, classified, rules, write=write)
        self._session.indexed(changed=False)  # tags count towards centroids
        return report

    def audio_features(self, track: TrackName) -> AudioFeatures | None:
        """Tempo, key and loudness of a track of the library; None where `measure` was not asked for it.

        Raises:
            QueryError: There is no such track.
        """
        with self._session.database.read() as connection:
            question = resolve(connection, track)
            if question.track is None or question.stale:
                return None
            return get_audio_features(connection, [question.track.id]).get(question.track.id)

    def explain(self, track: TrackName, plot: str | os.PathLike[str] | None = None) -> Explanation:
        """What the encoder attended to in a track: its windows, and its signature moments.

        Args:
            track: A file, inside or outside the library, or an id. What the library holds is answered from there, also
                while the file is away; other files are heard.
            plot: A .png file for a picture of the attention above the track's mel spectrogram; this reads the file.

        Raises:
            QueryError: There is no such track, its file gives no signature, or the picture cannot be drawn.
            EncoderError: The encoder's weights are damaged.
        """
        from engine.explain.explanation import explain_track

        return explain_track(self._session, track, plot)

    def explain_pair(self, a: TrackName, b: TrackName) -> PairExplanation:
        """Why two tracks are near: the cosine of their sums of windows, split exactly over all pairs of windows.

        A track may be compared with itself: the cosine is 1.

        Raises:
            QueryError: There is no such track, its file gives no signature, or both were heard in full and have more
                than a million pairs of windows.
            EncoderError: The encoder's weights are damaged.
        """
        from engine.explain.explanation import explain_two

        return explain_two(self._session, a, b)

    def genres(self, threshold: float = 1.25, plot: str | os.PathLike[str] | None = None) -> GenreRelations:
        """How the genres lie to each other: centroids, nearest, equations a - b + c = d, where attention lies.

        An empty library answers with the centroids that ship with the encoder.

        Args:
            threshold: Equations with an error below this are listed; above 0. Their number grows with the fourth power
                of the genres'.
            plot: A folder for genres-2d.png, genres-3d.png and genres-nearest.png; made where it is not there.

        Raises:
            QueryError: The threshold is not above 0, or the pictures cannot be drawn (fewer than four genres).
            LibraryError: No genre has a centroid.
            EncoderError: The encoder's weights are damaged.
        """
        from engine.genres.relations import relate_genres

        return relate_genres(self._session, threshold, plot)

    def map(self, out: str | os.PathLike[str] | None = None, *, method: str = "pca", dims: int = 2) -> LibraryMap:
        """Place every track so that what sounds alike lies close together, and draw that. The same each time.

        Args:
            out: Where to draw it: `.html` is one page that needs no network, to zoom and search in; `.png` a picture.
                An old page or picture stays until the new one is whole. None: draw nothing.
            method: "pca" (seconds, any size), "umap" or "tsne" (groups show better; minutes for a large library, at
                least five tracks, t-SNE at most 100,000).
            dims: 2, or 3 for a map that can be turned.

        Raises:
            QueryError: Another ending, method or number of dims; too few or too many tracks for the method.
            LibraryError: The library holds no signatures, or the file cannot be written.
            OutputError: Something else than a page or picture lies where it is to be drawn.
        """
        from engine.map.library_map import map_library

        return map_library(self._session, out, method, dims)

    def locate(self, track: TrackName) -> tuple[str | None, int | None]:
        """The absolute path and the id that a track's name means; None where unknown, also for a wrong name."""
        try:
            with self._session.database.read() as connection:
                question = resolve(connection, track)
            return fs_name(question.path), question.track.id if question.track else None
        except QueryError:
            no_path = isinstance(track, int) or not track or ID_PATTERN.fullmatch(str(track))
            return (None if no_path else fs_name(absolute_path(track))), None  # type: ignore[arg-type]

    def _answer(
        self,
        sought: Query,
        k: int,
        filters: Filters,
        ranking: Ranking,
        *,
        alone: bool = False,
        no_duplicates: bool = False,
    ) -> QueryResult:
        session, ranking = self._session, ranking.settled()
        if no_duplicates:
            from engine.search.distinct import nearest_distinct

            neighbours = nearest_distinct(session, sought, k, filters, ranking)
        else:
            neighbours = nearest(session, sought, k, filters, ranking)
        with session.database.read() as connection:
            found = matches(connection, neighbours, session.file, session.coverage)
        return replace(self._result(sought, alone=alone, matches=found), seed=ranking.seed)

    def _result(
        self,
        sought: Query,
        *,
        alone: bool = False,
        matches: tuple[Match, ...] = (),
        groups: tuple[GroupMatch, ...] = (),
    ) -> QueryResult:
        seed = sought.seeds[0] if alone else None
        described = describe(seed, sought.heard, self._session.centroids(), self._session.file)
        return QueryResult(**vars(described), matches=matches, seeds=() if alone else sought.seeds, groups=groups)
